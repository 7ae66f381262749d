import { CntkError } from "../../diagnostics/diagnostic.js";
import type { FileAccess } from "../../files/file-access.js";
import { wordsOf } from "../word-sequences/columns.js";
import type { TokenOptions } from "./language-understanding-config.js";

/** The words of a label section. */
export interface Tokens {
  readonly numbers: ReadonlyMap<string, number>;
  /** Number of lines of the file: the elements of a column. */
  readonly count: number;
  /** With classes: class, first word of the class and the word behind its last, by a word's number. */
  readonly classes: readonly (readonly [wordClass: number, first: number, end: number])[] | undefined;
}

/**
 * Reads the words of a label section; with a word map, words get the number of the word they are read as.
 * @throws CntkError `data-format` for a file that does not fit, `file-missing`.
 * Source: Readers/LUSequenceReader/LUSequenceReader.cpp, ReadLabelInfo and ChangeMaping.
 */
export function readTokens(
  files: FileAccess,
  options: TokenOptions,
  wordMap: ReadonlyMap<string, string>,
  unknownWord: string,
): Tokens {
  const lines = options.tokenFile === "" ? [] : filledLines(files.readText(options.tokenFile));
  const numbers = new Map<string, number>();
  const classOf: number[] = [];
  lines.forEach((line, number) => {
    if (!options.withClasses) {
      numbers.set(line, number);
      return;
    }
    const [word = "", wordClass = ""] = wordsOf(line);
    numbers.set(word, number);
    classOf.push(Number.parseInt(wordClass, 10) || 0);
  });
  if (options.usesWordMap) applyWordMap(numbers, wordMap, unknownWord);
  const classes = options.withClasses ? boundsOfClasses(classOf) : undefined;
  return { numbers, count: lines.length, classes };
}

/** The pairs of a word map file. */
export function readWordMap(files: FileAccess, path: string): ReadonlyMap<string, string> {
  if (path === "") return new Map();
  return new Map(
    filledLines(files.readText(path)).map((line) => {
      const [from = "", to = ""] = wordsOf(line);
      return [from, to] as const;
    }),
  );
}

/** The lines of a file up to the first blank one. */
function filledLines(text: string): string[] {
  const lines = text.split("\n").map((line) => line.trim());
  const end = lines.indexOf("");
  return end < 0 ? lines : lines.slice(0, end);
}

/**
 * Gives every word the number of its counterpart in the map, and those without one that of the unknown word. Words are taken
 * in order and see what has become of the words before them; a counterpart that is no word itself becomes one, number 0.
 */
function applyWordMap(
  numbers: Map<string, number>,
  wordMap: ReadonlyMap<string, string>,
  unknownWord: string,
): void {
  const inOrder = (words: Iterable<string>): string[] =>
    [...words].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  let words = inOrder(numbers.keys());
  const unknownIsKnown = numbers.has(unknownWord);
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    const counterpart = wordMap.get(word);
    if (counterpart === undefined) {
      if (!unknownIsKnown) {
        throw new CntkError({
          code: "data-format",
          message: "check unk list is missing ",
          hint: `a word map needs the word '${unknownWord}' (unk) in the token file`,
        });
      }
      numbers.set(word, numbers.get(unknownWord) ?? 0);
      continue;
    }
    if (!numbers.has(counterpart)) {
      numbers.set(counterpart, 0);
      words = inOrder(numbers.keys());
      at = words.indexOf(word);
    }
    numbers.set(word, numbers.get(counterpart) ?? 0);
  }
}

function boundsOfClasses(classOf: readonly number[]): Tokens["classes"] {
  const first = new Map<number, number>();
  const end = new Map<number, number>();
  classOf.forEach((wordClass, number) => {
    if (wordClass < (classOf[number - 1] ?? -1)) {
      throw new CntkError({
        code: "data-format",
        message:
          "LUSequenceReader: the word list needs to be grouped into classes and the classes indices need to be ascending.",
      });
    }
    if (!first.has(wordClass)) first.set(wordClass, number);
    end.set(wordClass, number + 1);
  });
  return classOf.map((wordClass) => [wordClass, first.get(wordClass) ?? 0, end.get(wordClass) ?? 0]);
}
