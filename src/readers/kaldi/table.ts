import { CntkError } from "../../diagnostics/diagnostic.js";
import type { FileAccess } from "../../files/file-access.js";
import { ArchiveCursor } from "./archive-cursor.js";

/** Where a value lies. */
export interface Place {
  readonly path: string;
  readonly offset: number;
}

/**
 * The values of a Kaldi table by their keys, in its order. A table is named by a specifier: `ark:FILE`, an archive that holds
 * the values, or `scp:FILE`, a script with a line `key archive:offset` for each. Options (`ark,s,cs:`) are about how Kaldi reads
 * and change nothing here. `skip` passes over a value of an archive.
 * @throws CntkError `kaldi-file` with the file and the line or byte; `not-available` for commands whose output is a table.
 * Source: Kaldi, util/kaldi-table.h.
 */
export function readTable(
  files: FileAccess,
  specifier: string,
  skip: (cursor: ArchiveCursor) => void,
): Map<string, Place> {
  const found = /^(ark|scp)((?:,[a-z]+)*):\s*(.*?)\s*$/.exec(specifier);
  const [, kind, options = "", path = ""] = found ?? [];
  if (kind === undefined || path === "") {
    throw new CntkError({
      code: "kaldi-file",
      message: `invalid rspecifier '${specifier}'`,
      hint: "expected ark:FILE or scp:FILE",
    });
  }
  if (path.endsWith("|") || path === "-") {
    throw new CntkError({
      code: "not-available",
      message: `Reading the output of a command ('${specifier}') is not available.`,
      hint: "run the command once, let it write to a file (… ark:feats.ark), and name that one",
    });
  }
  if (options.split(",").includes("b")) {
    throw new CntkError({ code: "kaldi-file", message: `invalid option 'b' in rspecifier '${specifier}'` });
  }
  return kind === "scp" ? readScript(files, path) : indexArchive(files, path, skip);
}

function readScript(files: FileAccess, path: string): Map<string, Place> {
  // Opening says that it is not there, in the same words as for an archive.
  new ArchiveCursor(files, path).close();
  const places = new Map<string, Place>();
  files
    .readText(path)
    .split(/\r?\n/)
    .forEach((line, i) => {
      if (line.trim() === "") return;
      const fail = (message: string): never => {
        const hint = `line ${i + 1} of ${path}: ${JSON.stringify(line.slice(0, 120))}`;
        throw new CntkError({ code: "kaldi-file", message, hint });
      };
      const [, key = "", place = ""] =
        /^\s*(\S+)\s+(.*?)\s*$/.exec(line) ?? fail("expected a key and a place");
      if (/\||\[/.test(place)) fail("commands and ranges in a script are not available");
      if (places.has(key)) fail(`the key '${key}' occurs twice`);
      const [, archive = place, offset = "0"] = /^(.+):(\d{1,15})$/.exec(place) ?? [];
      places.set(key, { path: archive, offset: Number(offset) });
    });
  return places;
}

function indexArchive(
  files: FileAccess,
  path: string,
  skip: (cursor: ArchiveCursor) => void,
): Map<string, Place> {
  const places = new Map<string, Place>();
  const cursor = new ArchiveCursor(files, path);
  try {
    for (cursor.skipLines(); !cursor.atEnd; cursor.skipLines()) {
      const start = cursor.offset;
      const key = cursor.token();
      if (key === "" || cursor.atEnd) throw cursor.problem("expected a key and a blank", start);
      if (places.has(key)) throw cursor.problem(`duplicate entry '${key}'`, start);
      cursor.skip(1);
      places.set(key, { path, offset: cursor.offset });
      skip(cursor);
    }
  } finally {
    cursor.close();
  }
  return places;
}
