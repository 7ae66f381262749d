import { CntkError } from "../diagnostics/diagnostic.js";
import { type Conversion, printReal, printText, printUnsigned } from "../numerics/printf.js";
import type { Values } from "../numerics/values.js";
import type { LogSink } from "./log.js";

/** The `format` section of a write command (ComputationNetworkLib/ComputationNode.cpp, WriteFormattingOptions). */
export interface WriteFormat {
  readonly kind: "real" | "category" | "sparse";
  /** Names of categories; undefined without a labelMappingFile. */
  readonly labels: readonly string[] | undefined;
  /** Told of a sequence whose `rows` elements are not as many as there are labels. */
  readonly mismatch?: (rows: number, labels: number) => void;
  /** true: one sample a line; false: one element a line, time across. */
  readonly transpose: boolean;
  readonly prologue: string;
  readonly epilogue: string;
  readonly sequenceSeparator: string;
  readonly sequencePrologue: string;
  readonly sequenceEpilogue: string;
  readonly elementSeparator: string;
  readonly sampleSeparator: string;
  /** How a number, an index or a label is printed: what stands between `%` and the letter, e.g. `.2`. */
  readonly conversion: Conversion;
  /** Elements of a sample and time steps that are shown; behind them stands how many are left. Not of sparse text. */
  readonly limits?: { readonly rows: number; readonly times: number };
  /** The index of a category is printed like a value. */
  readonly categoriesAsValues?: boolean;
}

export const defaultFormat: WriteFormat = {
  kind: "real",
  labels: undefined,
  transpose: true,
  prologue: "",
  epilogue: "",
  sequenceSeparator: "",
  sequencePrologue: "",
  sequenceEpilogue: "\n",
  elementSeparator: " ",
  sampleSeparator: "\n",
  conversion: { flags: "", width: 0, precision: undefined },
};

/** One label a line (Common/Include/File.h, LoadLabelFile). @throws CntkError `data-format` for an empty line before the last one. */
export function labelsOf(text: string): string[] {
  const labels = text
    .replace(/\r/g, "")
    .replace(/\n{1,2}$/, "")
    .split("\n");
  const empty = labels.indexOf("");
  if (empty < 0 || text === "") return labels;
  throw new CntkError({
    code: "data-format",
    message: "LoadLabelFile: Invalid empty line in label file.",
    hint: `line ${empty + 1} is empty; every line of the file is a label`,
  });
}

/** CNTK warns five times in a run of its program; here, of a command. */
export function labelMismatch(log: LogSink): WriteFormat["mismatch"] {
  let warnings = 0;
  return (rows, labels) => {
    if (warnings++ >= 5) return;
    log.write(
      `write: Row dimension ${rows} does not match number of entries ${labels} in labelMappingFile, not using mapping\n`,
    );
  };
}

/** Escapes and the per-file codes: `\n \r \t \s`, `%s` node name, `%n` minibatch number. */
export function expand(text: string, nodeName: string, minibatch: number): string {
  return text
    .replaceAll("\\n", "\n")
    .replaceAll("\\r", "\r")
    .replaceAll("\\t", "\t")
    .replaceAll("\\s", " ")
    .replaceAll("%s", nodeName)
    .replaceAll("%n", String(minibatch));
}

/** One sequence of a node's values in a minibatch. */
export interface SequenceColumns {
  readonly id: number;
  /** What `%k` stands for; without it `%k` stays as it is. */
  readonly key?: string;
  /** Columns of its samples in this minibatch, in time order. */
  readonly columns: readonly number[];
  /** Samples of the whole sequence, those in other minibatches included. */
  readonly length: number;
}

export interface NodeValues {
  readonly name: string;
  readonly shape: readonly number[];
  /** Column-major, `rows` elements a column. */
  readonly values: Values;
  readonly rows: number;
  readonly sequences: readonly SequenceColumns[];
}

/** A number as C's `printf` writes it with `%f`; minus zero prints as zero. */
export function formatValue(value: number, conversion = defaultFormat.conversion): string {
  return printReal(value === 0 ? 0 : value, conversion);
}

/** Text of one node's values for one minibatch, as CNTK's write action prints it. */
export function formatNodeValues(node: NodeValues, format: WriteFormat, minibatch: number): string {
  const separators = {
    prologue: expand(format.sequencePrologue, node.name, minibatch),
    epilogue: expand(format.sequenceEpilogue, node.name, minibatch),
    sequence: expand(format.sequenceSeparator, node.name, minibatch),
    element: expand(format.elementSeparator, node.name, minibatch),
    sample: expand(format.sampleSeparator, node.name, minibatch),
  };
  const parts: string[] = [];
  const labels = node.sequences.length > 0 ? fittingLabels(node, format) : undefined;
  node.sequences.forEach((sequence, index) => {
    const fill = (text: string): string =>
      text
        .replaceAll("%x", `${node.shape.map((dim) => `${dim} `).join("")}${sequence.length}`)
        .replaceAll("%d", String(sequence.id))
        .replaceAll("%k", () => sequence.key ?? "%k");
    if (index > 0) parts.push(separators.sequence);
    parts.push(fill(separators.prologue));
    parts.push(
      format.kind === "sparse"
        ? sparseText(node, sequence, format, separators.sample, separators.element)
        : denseText(node, sequence, { ...format, labels }, fill(separators.sample), separators.element),
    );
    parts.push(separators.epilogue);
  });
  return parts.join("");
}

function denseText(
  node: NodeValues,
  { columns }: SequenceColumns,
  format: WriteFormat,
  sampleSeparator: string,
  elementSeparator: string,
): string {
  const { conversion, transpose, limits } = format;
  const isCategory = format.kind === "category";
  const category = isCategory ? categoryPrinter(node, format) : undefined;
  const print = (row: number, time: number): string => {
    const column = columns[time] ?? 0;
    return category
      ? category(column)
      : formatValue(node.values[column * node.rows + row] ?? NaN, conversion);
  };
  const rows = isCategory ? 1 : node.rows;
  const [lines, cells] = transpose ? [columns.length, rows] : [rows, columns.length];
  const { rows: mostRows = Infinity, times: mostTimes = Infinity } = limits ?? {};
  const [mostLines, mostCells] = transpose ? [mostTimes, mostRows] : [mostRows, mostTimes];
  const isTensor = !transpose && !isCategory && node.shape.length > 1;
  return limited(lines, mostLines, (line) => {
    const values = limited(cells, mostCells, (cell) => (transpose ? print(cell, line) : print(line, cell)));
    return (isTensor ? `${tensorIndex(line, node.shape)}\t` : "") + values.join(elementSeparator);
  }).join(sampleSeparator);
}

/** Texts of the first `most` of `count` items, and of how many are left if that is more than one. */
function limited(count: number, most: number, text: (index: number) => string): string[] {
  const isCut = most < count - 1;
  const texts = Array.from({ length: isCut ? most : count }, (_, index) => text(index));
  return isCut ? [...texts, `...+${count - most}`] : texts;
}

/** Prints the category in a column: its label, its index, or the index as a value. */
function categoryPrinter(node: NodeValues, format: WriteFormat): (column: number) => string {
  const { conversion, labels } = format;
  return (column) => {
    const index = lastMaximum(node, column);
    if (format.categoriesAsValues) return formatValue(index, conversion);
    return labels
      ? printText(labels[index % labels.length] ?? "", conversion)
      : printUnsigned(index, conversion);
  };
}

/** Index of the largest element; the last one wins ties. */
function lastMaximum(node: NodeValues, column: number): number {
  let best = 0;
  for (let row = 0; row < node.rows; row++) {
    const value = node.values[column * node.rows + row] ?? 0;
    if (value >= (node.values[column * node.rows + best] ?? 0)) best = row;
  }
  return best;
}

/**
 * The labels of categories, if there are as many as elements in a sample or along its first axis; else CNTK warns, once for
 * the sequences of a minibatch, and prints numbers.
 */
function fittingLabels(
  node: NodeValues,
  { kind, labels, mismatch }: WriteFormat,
): readonly string[] | undefined {
  if (kind !== "category" || !labels || labels.length === node.rows || labels.length === node.shape[0])
    return labels;
  mismatch?.(node.rows, labels.length);
  return undefined;
}

function tensorIndex(
  row: number,
  shape: readonly number[],
  labels: readonly string[] = [],
  time?: number,
): string {
  let rest = row;
  const parts = shape.map((dim) => {
    const index = rest % dim;
    rest = Math.floor(rest / dim);
    return dim === labels.length ? `${index}=${labels[index] ?? ""}` : String(index);
  });
  return `[${parts.join(",")}${time === undefined ? "" : `;${time}`}]`;
}

function sparseText(
  node: NodeValues,
  { columns, length }: SequenceColumns,
  format: WriteFormat,
  sampleSeparator: string,
  elementSeparator: string,
): string {
  const entries: string[] = [];
  const [outer, inner] = format.transpose ? [node.rows, columns.length] : [columns.length, node.rows];
  for (let i = 0; i < outer; i++) {
    for (let j = 0; j < inner; j++) {
      const [row, time] = format.transpose ? [i, j] : [j, i];
      const value = node.values[(columns[time] ?? 0) * node.rows + row] ?? 0;
      if (value === 0) continue;
      const number = value === 1 ? "" : formatValue(value, format.conversion);
      const place = tensorIndex(row, node.shape, format.labels ?? [], length > 1 ? time : undefined);
      entries.push(number + place);
    }
  }
  return entries.join(format.transpose ? sampleSeparator : elementSeparator);
}
