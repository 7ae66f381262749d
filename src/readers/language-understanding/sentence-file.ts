import { CntkError } from "../../diagnostics/diagnostic.js";
import type { FileAccess } from "../../files/file-access.js";
import type { LogSink } from "../../log/log.js";
import { wordsOf } from "../word-sequences/columns.js";

/** A sentence: for each place its words, of which there may be several, and its tag. */
export interface Sentence {
  readonly words: readonly (readonly number[])[];
  readonly tags: readonly number[];
}

export interface SentenceFileOptions {
  readonly file: string;
  readonly unknownWord: string;
  readonly words: ReadonlyMap<string, number>;
  readonly tags: ReadonlyMap<string, number>;
  /** A first column, or a last one, that ends its sentence; empty = none. */
  readonly endWord: string;
  readonly endTag: string;
  readonly severalPasses: boolean;
}

/**
 * A file with a place of a sentence on each line, words first and the tag last; a blank line ends a sentence. Blocks of
 * sentences are read one after the other. A last line without a line end does not count, as in CNTK.
 * Source: Readers/LUSequenceReader/LUSequenceParser.cpp, BatchLUSequenceParser::Parse.
 */
export class SentenceFile {
  private lines: readonly string[] | undefined;
  private at = 0;

  constructor(
    private readonly options: SentenceFileOptions,
    private readonly files: FileAccess,
    private readonly log: LogSink,
  ) {}

  rewind(): void {
    this.at = 0;
  }

  /** Up to `most` sentences. Throws CntkError `data-format` for words that nothing stands for. */
  read(most: number): Sentence[] {
    this.log.write("BatchLUSequenceParser: Parsing input data...\n");
    const { options } = this;
    const sentences: Sentence[] = [];
    let words: number[][] = [];
    let tags: number[] = [];
    let tokens = 0;
    let places = 0;
    let atEnd = false;
    let passFrom = 0;
    const finish = (): void => {
      sentences.push({ words, tags });
      [words, tags] = [[], []];
      atEnd = true;
    };
    while (sentences.length < most) {
      const line = this.next();
      if (line === undefined) {
        // A pass without a sentence would be followed by others without one.
        if (!options.severalPasses || sentences.length === passFrom) break;
        passFrom = sentences.length;
        this.rewind();
        continue;
      }
      if (line === "" && !atEnd && places > 0) {
        finish();
        continue;
      }
      tokens++;
      const columns = wordsOf(line);
      const tag = columns[columns.length - 1];
      if (columns.length < 2 || tag === undefined) continue;
      atEnd = false;
      words.push(columns.slice(0, -1).map((word) => this.numberOf(word, options.words, "input")));
      tags.push(this.numberOf(tag, options.tags, "output"));
      places++;
      if (tag === options.endTag || columns[0] === options.endWord) finish();
    }
    if (words.length > 0) finish();
    const counted = sentences.length;
    this.log.write(
      `BatchLUSequenceParser: Parsed ${counted} lines with a total of ${tokens - counted}+${counted} tokens.\n`,
    );
    return sentences;
  }

  private next(): string | undefined {
    this.lines ??= this.files.readText(this.options.file).split("\n");
    return this.at < this.lines.length - 1 ? this.lines[this.at++]?.trim() : undefined;
  }

  private numberOf(word: string, numbers: ReadonlyMap<string, number>, which: "input" | "output"): number {
    const { unknownWord } = this.options;
    const number = numbers.get(word) ?? numbers.get(unknownWord);
    if (number !== undefined) return number;
    throw new CntkError({
      code: "data-format",
      message: `cannot find item ${word} and unk str ${unknownWord} in ${which} label`,
      hint: `the token file of the ${which} lists neither`,
    });
  }
}
