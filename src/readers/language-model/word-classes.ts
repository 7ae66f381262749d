import { CntkError } from "../../diagnostics/diagnostic.js";
import type { FileAccess } from "../../files/file-access.js";
import { wordsOf } from "../word-sequences/columns.js";

/** A vocabulary whose words lie in classes, those of a class behind each other. */
export interface WordClasses {
  /** Number of a word. */
  readonly words: ReadonlyMap<string, number>;
  /** Class of each word, by the word's number. */
  readonly classOf: ReadonlyMap<number, number>;
  readonly classCount: number;
}

/**
 * Reads a class file: lines `number count word class`, as the action writeWordAndClass writes them.
 * @throws CntkError `data-format` for other lines, `file-missing`.
 * Source: Readers/LMSequenceReader/SequenceReader.cpp, ReadClassInfo.
 */
export function readWordClasses(files: FileAccess, path: string): WordClasses {
  const words = new Map<string, number>();
  const classOf = new Map<number, number>();
  let classCount = 0;
  const lines = files.readText(path).split("\n");
  if (lines[lines.length - 1] === "") lines.pop();
  lines.forEach((line, index) => {
    const [number = "", count = "", word = "", wordClass = "", ...rest] = wordsOf(line);
    const numbers = [Number(number), Number(count), Number(wordClass)];
    if (wordClass === "" || rest.length > 0 || numbers.some((value) => !(value >= 0))) {
      throw new CntkError({
        code: "data-format",
        message: `LMSequenceReader: line ${index + 1} of the word class file '${path}' is not 'number count word class': '${line}'`,
      });
    }
    words.set(word, Number(number));
    classOf.set(Number(number), Number(wordClass));
    classCount = Math.max(classCount, Number(wordClass));
  });
  return { words, classOf, classCount: classCount + 1 };
}

/** First word of each class, and the word behind its last. */
export interface ClassBounds {
  readonly first: readonly number[];
  readonly end: readonly number[];
}

/** The bounds of the classes of the first `wordCount` words. Throws CntkError `data-format` when classes are mixed. */
export function classBounds({ classOf, classCount }: WordClasses, wordCount: number): ClassBounds {
  const first = new Array<number>(classCount).fill(0);
  const end = new Array<number>(classCount).fill(0);
  let previous = -1;
  for (let word = 0; word < wordCount; word++) {
    const wordClass = classOf.get(word) ?? 0;
    if (wordClass > previous) {
      if (previous >= 0) end[previous] = word;
      previous = wordClass;
      first[previous] = word;
    } else if (wordClass < previous) {
      throw new CntkError({
        code: "data-format",
        message:
          "LMSequenceReader::GetClassInfo probably the number of words specified is larger than the actual number of words. Check network builder and data reader. ",
        hint: "the words of a class must stand together in the word class file, classes ascending",
      });
    }
  }
  if (previous >= 0) end[previous] = wordCount;
  return { first, end };
}
