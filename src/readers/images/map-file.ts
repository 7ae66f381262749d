import { CntkError } from "../../diagnostics/diagnostic.js";
import type { FileAccess } from "../../files/file-access.js";
import type { SequenceKey } from "../deserializer.js";
import type { KeyReading } from "../text-format/text-index.js";

/** One line of a map file. */
export interface MapEntry {
  readonly key: SequenceKey;
  /** As written; a leading `...` is the map file's folder, `a.zip@/b.png` a picture in a zip file. */
  readonly path: string;
  readonly label: number;
}

/**
 * Reads a map file: `path<TAB>label` or `key<TAB>path<TAB>label`, one picture a line; a line without a key has its number,
 * from 0. Labels are read up to their first character that is no digit.
 * @throws CntkError `image-map` in CNTK's words, with the line.
 * Source: Source/Readers/ImageReader/ImageDataDeserializer.cpp, CreateSequenceDescriptions.
 */
export function readMapFile(
  files: FileAccess,
  path: string,
  labelDimension: number,
  keys: KeyReading,
): MapEntry[] {
  if (!files.exists(path) || files.isDirectory(path)) {
    throw new CntkError({ code: "image-map", message: `Could not open ${path} for reading.` });
  }
  const text = files.readText(path);
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  if (lines.length === 0)
    throw new CntkError({ code: "image-map", message: `The map file ${path} is empty.` });
  return lines.map((line, number) => {
    const fail = (message: string, hint?: string, part = line): never => {
      const start =
        lines.slice(0, number).reduce((sum, { length }) => sum + length + 1, 0) + line.lastIndexOf(part);
      const span = { source: { name: path, text }, start, end: start + Math.max(1, part.trimEnd().length) };
      throw new CntkError({ code: "image-map", message, span, hint });
    };
    const fields = line.split("\t");
    const hasKey = fields.length >= 3 && fields[2] !== "";
    const [image = "", label = ""] = hasKey ? fields.slice(1) : fields;
    if (image === "" || label === "") {
      return fail(
        `Invalid map file format, must contain 2 or 3 tab-delimited columns, line ${number} in file ${path}.`,
        line.includes("\t")
          ? "a line is path, tab, number of the class"
          : "a tab parts path and class, not a blank",
      );
    }
    const digits = /^\s*\+?(\d+)/.exec(label)?.[1];
    if (digits === undefined || digits.length > 19) {
      const hint = /^\d+$/.test(image)
        ? "the path comes first, then a tab and the number of the class"
        : "a line is path, tab, label: the number of a class, from 0";
      return fail(`Cannot parse label value on line ${number}, second column, in file ${path}.`, hint, label);
    }
    if (Number(digits) >= labelDimension) {
      return fail(
        `Image '${image}' has invalid class id '${digits}'. It is exceeding the label dimension of '${labelDimension}'. Line ${number} in file ${path}.`,
        `classes are numbered from 0: labelDim = ${labelDimension} has 0 to ${labelDimension - 1}`,
        label,
      );
    }
    const key = hasKey ? keyOf(fields[0] ?? "", keys, fail) : keyOf(String(number), keys, fail);
    return { key, path: image, label: Number(digits) };
  });
}

/** A key as the reader's keys are read: as a number, or as a name. */
export function keyOf(text: string, keys: KeyReading, fail: (message: string) => never): SequenceKey {
  if (keys.kind === "symbolic") return keys.toKey(new TextEncoder().encode(text));
  if (!/^\d+$/.test(text)) return fail(`Invalid numeric sequence id '${text}'`);
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
}
