import { CntkError } from "../../diagnostics/diagnostic.js";
import type { FileAccess } from "../../files/file-access.js";
import { newValues, type Values } from "../../numerics/values.js";
import type { ColumnRange, NumberTableOptions, TableLabels } from "./number-table-config.js";

/** A table in memory: a sample a line. */
export interface NumberTable {
  readonly samples: number;
  readonly features: Values;
  /** Words of the label columns, sample after sample. */
  readonly labels: readonly string[];
  /** What is wrong with a line; CNTK comes to it when it reads samples, after it has counted them. */
  readonly problem?: CntkError;
}

const number = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;

/** Reads the table. A line with too few columns, or a word where a number should be, is a `problem`, `data-format`. */
export function readNumberTable(options: NumberTableOptions, files: FileAccess): NumberTable {
  const { file, features, labels, delimiter, decimalPoint, elementType } = options;
  const separators = new RegExp(`[ \\t\\r${delimiter.replace(/[\\\]^-]/g, "\\$&")}]+`);
  const lines = files
    .readText(file)
    .split("\n")
    .map((line, index) => ({ words: line.split(separators).filter((word) => word !== ""), line: index + 1 }))
    .filter(({ words }) => words.length > 0);
  const values = newValues(elementType, lines.length * features.count);
  const words: string[] = [];
  const readLine = ({ words: columns, line }: (typeof lines)[number], sample: number): void => {
    for (let i = 0; i < features.count; i++) {
      const word = columnOf(columns, features, i, file, line);
      const text = decimalPoint === "." ? word : word.replace(decimalPoint, ".");
      if (!number.test(text)) throw bad(file, line, `** String found in numeric-only file: ${word}`);
      values[sample * features.count + i] = Number(text);
    }
    for (let i = 0; i < (labels?.count ?? 0); i++) words.push(columnOf(columns, labels!, i, file, line));
  };
  const table = { samples: lines.length, features: values, labels: words };
  try {
    lines.forEach(readLine);
  } catch (problem) {
    if (problem instanceof CntkError) return { ...table, problem };
    throw problem;
  }
  return table;
}

function columnOf(
  columns: readonly string[],
  { start, count }: ColumnRange,
  index: number,
  file: string,
  line: number,
): string {
  const word = columns[start + index];
  if (word !== undefined) return word;
  throw bad(
    file,
    line,
    `this line has ${columns.length} columns; columns ${start} to ${start + count - 1} are asked for`,
    "start counts columns from 0, dim is how many there are",
  );
}

function bad(file: string, line: number, what: string, hint?: string): CntkError {
  return new CntkError({ code: "data-format", message: `${file}, line ${line}: ${what}`, hint });
}

/** The words of categories and their numbers; those of the data where the mapping file is not there and may be made. */
export function categoriesOf(
  labels: TableLabels,
  table: NumberTable,
  files: FileAccess,
  createsMapping: boolean,
): ReadonlyMap<string, number> {
  const { mappingFile, mappingFileKey } = labels;
  if (!files.exists(mappingFile)) {
    if (createsMapping) return numbered(new Set(table.labels));
    throw new CntkError({
      code: "file-missing",
      message: `label mapping file ${mappingFile} not found, can be created with a 'createLabelMap' command/action`,
      span: mappingFileKey.keySpan("labelMappingFile"),
      hint: "one word a line; allowMapCreation = true in the reader's section makes the file from the data",
    });
  }
  const words = files
    .readText(mappingFile)
    .split(/\r?\n/)
    .map((word) => word.trim())
    .filter((word) => word !== "");
  return numbered(words);
}

function numbered(words: Iterable<string>): ReadonlyMap<string, number> {
  return new Map([...words].map((word, index) => [word, index]));
}
