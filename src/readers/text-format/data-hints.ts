import { suggest } from "../../diagnostics/suggest.js";
import type { TextInput } from "./options.js";

/** A line of a data file, and the character of it that stands in the way. */
export interface TextPlace {
  readonly line: string;
  readonly column: number;
}

const missing = /^[-+]?(nan|na|n\/a|null|none|inf|infinity|\?)$/i;

/** What would mend a sample of `input` that cannot be read; undefined where the message says it all. */
export function hintForSample(input: TextInput, place: TextPlace): string | undefined {
  const word = wordAt(place);
  if (input.storage === "sparse") return hintForPair(input, word);
  if (/^\d+:/.test(word)) {
    return `index:value is read by format = "sparse"; '${input.name}' is declared dense`;
  }
  return hintForNumber(word);
}

function hintForPair(input: TextInput, word: string): string | undefined {
  const [, index, value] = /^(\d+):(.*)$/.exec(word) ?? [];
  if (index === undefined)
    return `a value of the sparse '${input.name}' is index:value, the index a whole number from 0`;
  if (Number(index) >= input.dimension) {
    return `dim = ${input.dimension} has the indices 0 to ${input.dimension - 1}: the dim of '${input.name}', in the reader and in the network, is the largest index plus one`;
  }
  return hintForNumber(value ?? "");
}

function hintForNumber(word: string): string | undefined {
  if (/^[-+]?\d*,|,$/.test(word)) return "numbers have a point and stand apart by blanks: no commas";
  if (/^[-+]?\.\d/.test(word)) return `a number begins with a digit: ${word.replace(".", "0.")}`;
  if (missing.test(word)) return `the format has no '${word}': take the sample out, or give it a number`;
  if (/^["']?[A-Za-z]/.test(word)) {
    return `'${word}' is no number; a class is given by its index, as 2:1 in a sparse input, or as a 1 among zeros in a dense one`;
  }
  return undefined;
}

/** What would mend a sample with `count` values. */
export function hintForLength(input: TextInput, count: number): string {
  return `'${input.name}' has dim = ${input.dimension} in the reader; if the ${count} values are right, dim = ${count} there and in the network`;
}

/** What would mend a line of which nothing could be used. */
export function hintForEmptyRow(inputs: readonly TextInput[], line: string): string {
  if (line.trim() === "") return "a blank line is no sample: take it out";
  if (line.includes("|")) return `no name of the line is one that the reader knows: ${namesOf(inputs)}`;
  return hintForPlainText(inputs, line);
}

/** What would mend a line in which something else stands where a name should. */
export function hintForStray(inputs: readonly TextInput[], line: string): string {
  if (line.includes("|"))
    return `what stands between a sequence's number and the first |name is nobody's; values stand behind ${namesOf(inputs)}`;
  return hintForPlainText(inputs, line);
}

/** What would mend a sequence that has no sample of `input`, but those of `names`. */
export function hintForMissing(input: TextInput, names: readonly string[]): string {
  const has = names.length === 0 ? "" : `; this one has ${names.map((name) => `|${name}`).join(", ")}`;
  const meant = suggest(input.alias, names);
  const cure = meant === undefined ? "" : `; alias = "${meant}" would name it`;
  return `every sequence needs a sample of each input, here |${input.alias}${has}${cure}`;
}

/** What would mend a line without a single `|name`. */
export function hintForPlainText(inputs: readonly TextInput[], line: string): string {
  const text = line.trim();
  if (text.startsWith("#")) return "a comment stands behind |#, after the number of the sequence or a |name";
  const form = inputs.map((input) => `|${input.alias} ${exampleOf(input)}`).join(" ");
  const table = /^[-+.\d][-+.\deE\s,;]*$/.test(text);
  return `a line is one sample of each input: ${form}${table ? "; cntkts convert columns-to-text makes such lines of a table" : ""}`;
}

/** Values that a sample might have. */
function exampleOf({ dimension, storage }: TextInput): string {
  if (storage === "sparse") return `${Math.min(2, dimension - 1)}:1`;
  return `${Array.from({ length: Math.min(3, dimension) }, () => "0.5").join(" ")}${dimension > 3 ? " …" : ""}`;
}

function namesOf(inputs: readonly TextInput[]): string {
  return inputs.map(({ alias }) => `|${alias}`).join(", ");
}

/** The word around the character, which ends at blanks and names. */
function wordAt({ line, column }: TextPlace): string {
  const end = /[\s|]/;
  let start = Math.min(column, line.length);
  while (start > 0 && !end.test(line[start - 1] as string)) start--;
  const rest = line.slice(start);
  const length = rest.search(end);
  return length < 0 ? rest : rest.slice(0, length);
}
