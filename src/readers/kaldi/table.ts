import { CntkError } from "../../diagnostics/diagnostic.js";
import type { FileAccess } from "../../files/file-access.js";
import { ArchiveCursor, requireFile } from "./archive-cursor.js";

/** Where a value lies. */
export interface Place {
  readonly path: string;
  readonly offset: number;
}

/**
 * Where the values of a Kaldi table lie, by their keys, in its order. A table is named by a specifier: `ark:FILE`, an archive that
 * holds the values, or `scp:FILE`, a script with a line `key archive:offset` for each. Options (`ark,s,cs:`) are about how Kaldi
 * reads and change nothing here. `skip` passes over a value of an archive.
 * @throws CntkError `kaldi-file` with the file and the line or byte; `not-available` for commands whose output is a table.
 * Source: Kaldi, util/kaldi-table.h.
 */
export function indexTable(
  files: FileAccess,
  specifier: string,
  skip: (cursor: ArchiveCursor) => void,
): Map<string, Place> {
  const { kind, path } = tableOf(specifier);
  if (kind === "scp") return readScript(files, path);
  return walkArchive(files, path, (cursor): Place => {
    const { offset } = cursor;
    skip(cursor);
    return { path, offset };
  });
}

/** The values of a table, each read once and in its order. Throws as `indexTable` does, and what `read` throws. */
export function readTable<Value>(
  files: FileAccess,
  specifier: string,
  read: (cursor: ArchiveCursor) => Value,
): Map<string, Value> {
  const { kind, path } = tableOf(specifier);
  if (kind === "ark") return walkArchive(files, path, read);
  const cursors = new Map<string, ArchiveCursor>();
  try {
    const values = Array.from(readScript(files, path), ([key, place]): [string, Value] => {
      const cursor = cursors.get(place.path) ?? new ArchiveCursor(files, place.path);
      cursors.set(place.path, cursor);
      cursor.offset = place.offset;
      return [key, read(cursor)];
    });
    return new Map(values);
  } finally {
    for (const cursor of cursors.values()) cursor.close();
  }
}

function tableOf(specifier: string): { readonly kind: "ark" | "scp"; readonly path: string } {
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
  return { kind: kind as "ark" | "scp", path };
}

function readScript(files: FileAccess, path: string): Map<string, Place> {
  requireFile(files, path);
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

/** What `visit` makes of each value of an archive, at which the cursor stands; behind it when it returns. */
function walkArchive<Value>(
  files: FileAccess,
  path: string,
  visit: (cursor: ArchiveCursor) => Value,
): Map<string, Value> {
  const values = new Map<string, Value>();
  const cursor = new ArchiveCursor(files, path);
  try {
    for (cursor.skipLines(); !cursor.atEnd; cursor.skipLines()) {
      const start = cursor.offset;
      const key = cursor.token();
      if (key === "" || cursor.atEnd) throw cursor.problem("expected a key and a blank", start);
      if (values.has(key)) throw cursor.problem(`duplicate entry '${key}'`, start);
      cursor.skip(1);
      values.set(key, visit(cursor));
    }
  } finally {
    cursor.close();
  }
  return values;
}
