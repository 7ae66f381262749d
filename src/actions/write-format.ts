import type { Values } from "../numerics/values.js";
import type { ConfigSection } from "../config/config-section.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import type { FileAccess } from "../files/file-access.js";
import type { LogSink } from "../log/log.js";
import { type Conversion, printReal, printText, printUnsigned, readConversion } from "../numerics/printf.js";

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

/**
 * Reads the `format` section of a write command; absent = six decimals, one sample a line. The labels are read from their
 * file when the function returned is called; lines about labels that do not fit go to `log`.
 * @throws CntkError `write-type` for a type that does not exist, `write-precision` for what is no part of a `printf` format.
 */
export function readWriteFormat(section: ConfigSection, log: LogSink): (files: FileAccess) => WriteFormat {
  const format = section.optionalSection("format");
  if (!format) return () => defaultFormat;
  // Not inherited from outer scopes, and without it labelMappingFile is not even looked at.
  const type = format.hasOwn("type") ? format.string("type") : "real";
  if (type !== "real" && type !== "category" && type !== "sparse") {
    throw new CntkError({
      code: "write-type",
      message: "write: type must be 'real', 'category', or 'sparse'",
      span: format.raw("type")?.spanOf(),
    });
  }
  const labelFile = format.hasOwn("type") ? format.string("labelMappingFile", "") : "";
  const read: WriteFormat = {
    kind: type,
    labels: undefined,
    mismatch: labelMismatch(log),
    transpose: format.boolean("transpose", true),
    prologue: format.string("prologue", ""),
    epilogue: format.string("epilogue", ""),
    sequenceSeparator: format.string("sequenceSeparator", ""),
    sequencePrologue: format.string("sequencePrologue", ""),
    sequenceEpilogue: format.string("sequenceEpilogue", "\\n"),
    elementSeparator: format.string("elementSeparator", " "),
    sampleSeparator: format.string("sampleSeparator", "\\n"),
    conversion: precisionFormat(format),
  };
  const usesLabels = type !== "real" && labelFile !== "";
  return (files) => (usesLabels ? { ...read, labels: labelsOf(files.readText(labelFile)) } : read);
}

/** Numbers are no wider, and have no more decimals, than anybody reads. */
const [widest, mostDecimals] = [10_000, 100];

function precisionFormat(format: ConfigSection): Conversion {
  const text = format.string("precisionFormat", "");
  const conversion = readConversion(text);
  if (conversion && conversion.width <= widest && (conversion.precision ?? 0) <= mostDecimals) {
    return conversion;
  }
  throw new CntkError({
    code: "write-precision",
    message: `write: precisionFormat must be flags, width and precision of a number, not '${text}'`,
    span: format.raw("precisionFormat")?.spanOf(),
    hint: 'what stands between % and f in C: ".2", "10.4", "+.3"',
  });
}

/** One label a line (Common/File.cpp, LoadLabelFile). */
function labelsOf(text: string): string[] {
  return text.replace(/\r/g, "").replace(/\n$/, "").split("\n");
}

/** CNTK warns five times in a run of its program; here, of a command. */
function labelMismatch(log: LogSink): WriteFormat["mismatch"] {
  let warnings = 0;
  return (rows, labels) => {
    if (warnings++ >= 5) return;
    log.write(
      `write: Row dimension ${rows} does not match number of entries ${labels} in labelMappingFile, not using mapping\n`,
    );
  };
}

/** Escapes and the per-file codes: `\n \r \t \s`, `%s` node name, `%n` minibatch number. */
function expand(text: string, nodeName: string, minibatch: number): string {
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
  /** Labels only where they fit. */
  format: WriteFormat,
  sampleSeparator: string,
  elementSeparator: string,
): string {
  const at = (row: number, time: number): number =>
    node.values[(columns[time] ?? 0) * node.rows + row] ?? NaN;
  if (format.kind === "category") {
    const { labels } = format;
    const print = (time: number): string => {
      const index = lastMaximum(node, columns[time] ?? 0);
      return labels
        ? printText(labels[index % labels.length] ?? "", format.conversion)
        : printUnsigned(index, format.conversion);
    };
    const cells = columns.map((_, time) => print(time));
    return cells.join(format.transpose ? sampleSeparator : elementSeparator);
  }
  const print = (row: number, time: number): string => formatValue(at(row, time), format.conversion);
  if (format.transpose) {
    return columns
      .map((_, time) =>
        Array.from({ length: node.rows }, (__, row) => print(row, time)).join(elementSeparator),
      )
      .join(sampleSeparator);
  }
  const rows = Array.from({ length: node.rows }, (_, row) => {
    const place = node.shape.length > 1 ? `${tensorIndex(row, node.shape)}\t` : "";
    return place + columns.map((__, time) => print(row, time)).join(elementSeparator);
  });
  return rows.join(sampleSeparator);
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
