import { CntkError } from "../diagnostics/diagnostic.js";

/** A matrix read from text: `rows` lines of `columns` numbers, kept column by column as CNTK stores it. */
export interface TextMatrix {
  readonly rows: number;
  readonly columns: number;
  /** Element (row, column) stands at `column * rows + row`. */
  readonly values: Float64Array;
}

const numberPattern = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|0x[0-9a-f]+|inf(?:inity)?|nan)$/i;

function parseNumber(word: string): number | undefined {
  if (!numberPattern.test(word)) return undefined;
  const lower = word.toLowerCase().replace(/^\+/, "");
  if (/^-?inf/.test(lower)) return lower.startsWith("-") ? -Infinity : Infinity;
  if (/^-?nan$/.test(lower)) return NaN;
  return lower.startsWith("-") ? -Number(lower.slice(1)) : Number(lower);
}

/**
 * Reads a matrix from text: one line per row, numbers separated by white space, empty lines skipped. `where` names the text
 * in messages. Throws for a word that is no number and for lines of different length (`Source/Common/File.cpp`).
 */
export function parseTextMatrix(text: string, where: string): TextMatrix {
  const rows: number[][] = [];
  for (const line of text.split(/\r\n|\r|\n/)) {
    const words = line.split(/\s+/).filter((word) => word !== "");
    if (words.length === 0) continue;
    const row = words.map((word) => {
      const number = parseNumber(word);
      if (number !== undefined) return number;
      throw new CntkError({
        code: "matrix-number",
        message: `LoadMatrixFromTextFile: Malformed number '${word.slice(0, 15)}...' in row ${rows.length} of ${where}`,
      });
    });
    const first = rows[0];
    if (first && first.length !== row.length) {
      throw new CntkError({
        code: "matrix-row-length",
        message:
          `Row ${rows.length} has column dimension ${row.length}, ` +
          `inconsistent with previous dimension ${first.length}: ${where}`,
      });
    }
    rows.push(row);
  }
  const columns = rows[0]?.length ?? 0;
  const values = new Float64Array(rows.length * columns);
  rows.forEach((row, r) => row.forEach((value, c) => (values[c * rows.length + r] = value)));
  return { rows: rows.length, columns, values };
}

/**
 * The shape of a parameter filled from a matrix: rows become the first axis, columns the product of the others, of which one
 * may be 0 (unknown). A shape without zeros must hold exactly the matrix. `shapeProblem` words the error.
 */
export function fitShape(
  shape: readonly number[],
  matrix: TextMatrix,
  shapeProblem: (message: string) => CntkError,
): readonly number[] {
  let dims = [...shape];
  if (dims.includes(0) || dims.length === 0) {
    if (dims.length === 0) dims.push(0);
    if (dims.length === 1 && matrix.columns !== 1) dims.push(0);
    if (dims[0] === 0) dims[0] = matrix.rows;
    const unknown = dims.flatMap((dim, axis) => (axis > 0 && dim === 0 ? [axis] : []));
    if (unknown.length > 1) {
      throw shapeProblem(
        ` operation's specified shape [${shape.join(" x ")}] cannot be inferred: Too many unknown dimensions.`,
      );
    }
    const known = dims.slice(1).reduce((product, dim) => product * (dim || 1), 1);
    const hole = unknown[0];
    if (hole !== undefined) {
      if (matrix.columns % known !== 0) {
        throw shapeProblem(
          ` operation's specified shape [${shape.join(" x ")}] cannot be inferred: ` +
            `Tensor shape cannot hold a [${matrix.rows} x ${matrix.columns}] matrix.`,
        );
      }
      dims = dims.map((dim, axis) => (axis === hole ? matrix.columns / known : dim));
    }
  }
  const columns = dims.slice(1).reduce((product, dim) => product * dim, 1);
  const rows = dims[0] ?? 1;
  if (rows !== matrix.rows || columns !== matrix.columns) {
    throw shapeProblem(
      `: VerifySize: expected matrix size ${rows} x ${columns}, but it is ${matrix.rows} x ${matrix.columns}`,
    );
  }
  return dims;
}
