import { CntkError } from "../diagnostics/diagnostic.js";
import { writeWhole } from "../files/file-access.js";
import type { Conversion, Converted } from "./conversion.js";

/** Which columns of a table are features and which are labels; columns count from 0. */
export interface ColumnOptions {
  readonly featuresStart: number;
  readonly featuresCount: number;
  readonly labelsStart: number;
  readonly labelsCount: number;
  /** Classes of a label, written one-hot; 0 = labels are numbers, written as they are. */
  readonly classes: number;
}

/**
 * Writes a table of numbers (UCIFastReader's data: a sample a line, columns apart by blanks, tabs or commas) in CNTK's text
 * format, `|labels` before `|features`.
 * @throws CntkError `convert-data` with the line.
 * Source: Scripts/uci2ctf.py.
 */
export function columnsToText(
  { files, source, target, onProgress }: Conversion,
  options: ColumnOptions,
): Converted {
  const text = files.readText(source);
  let sequences = 0;
  writeWhole(files, target, (file) => {
    let piece = "";
    let at = 0;
    for (let number = 1; at < text.length; number++) {
      const end = text.indexOf("\n", at);
      const line = text.slice(at, end < 0 ? text.length : end).trim();
      at = end < 0 ? text.length : end + 1;
      if (line === "") continue;
      piece += lineOf(line.split(/[\s,]+/), options, `line ${number} of ${source}`);
      sequences++;
      if (piece.length < 1 << 20) continue;
      file.write(piece);
      piece = "";
      onProgress?.(at / text.length);
    }
    file.write(piece);
  });
  onProgress?.(1);
  return { path: files.resolve(target), sequences };
}

function lineOf(columns: readonly string[], options: ColumnOptions, place: string): string {
  const take = (start: number, count: number): readonly string[] => {
    const found = columns.slice(start, start + count);
    if (found.length === count) return found;
    throw new CntkError({
      code: "convert-data",
      message: `There are ${columns.length} columns where ${start + count} are needed.`,
      hint: place,
    });
  };
  const labels = take(options.labelsStart, options.labelsCount);
  const features = take(options.featuresStart, options.featuresCount);
  for (const value of [...labels, ...features]) {
    if (value !== "" && Number.isFinite(Number(value))) continue;
    throw new CntkError({ code: "convert-data", message: `'${value}' is no number.`, hint: place });
  }
  return `|labels ${labelText(labels, options.classes, place)} |features ${features.join(" ")}\n`;
}

function labelText(labels: readonly string[], classes: number, place: string): string {
  if (classes === 0) return labels.join(" ");
  return labels
    .map((label) => {
      const number = Number(label);
      if (Number.isInteger(number) && number >= 0 && number < classes) {
        return Array.from({ length: classes }, (_, i) => (i === number ? "1" : "0")).join(" ");
      }
      throw new CntkError({
        code: "convert-data",
        message: `The label ${label} is none of ${classes} classes, which count from 0.`,
        hint: place,
      });
    })
    .join(" ");
}
