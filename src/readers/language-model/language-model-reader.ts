import { CntkError } from "../../diagnostics/diagnostic.js";
import type { FileAccess } from "../../files/file-access.js";
import type { AxisLayout, Minibatch, StreamMinibatch } from "../../minibatch/index.js";
import { MersenneTwister32, standardShuffle } from "../../numerics/standard-shuffle.js";
import type { EpochRequest, Reader, ReaderSurroundings, StreamDescription } from "../reader.js";
import { denseColumns, indicatorColumns, wordsOf } from "../word-sequences/columns.js";
import type { LabelOptions, LanguageModelOptions } from "./language-model-config.js";
import { type ClassBounds, classBounds, readWordClasses, type WordClasses } from "./word-classes.js";

interface Vocabulary {
  readonly words: ReadonlyMap<string, number>;
  readonly dimension: number;
}

/** A sentence of the block in memory. */
interface Sentence {
  readonly words: readonly string[];
  done: boolean;
}

/**
 * Delivers sentences of one length side by side: words one-hot, and what is to be told after each of them. Sentences are
 * read in blocks and shuffled; the first one that is left decides the length. With a number of parallel sentences they are
 * cut into pieces of minibatchSize words, which continue in the next minibatch.
 * Source: Readers/LMSequenceReader/SequenceReader.cpp, BatchSequenceReader.
 */
export class LanguageModelReader implements Reader {
  readonly readsParts = false;
  readonly isOlder = true;
  readonly streams: readonly StreamDescription[];
  private readonly classes: WordClasses | undefined;
  private readonly bounds: ClassBounds | undefined;
  private readonly input: Vocabulary;
  private readonly output: Vocabulary;
  private readonly lines: LineCursor;
  private readonly parallelSequences: number;
  private request: EpochRequest = { epoch: 0, minibatchSize: 0, epochSize: 0, rank: 0, workers: 1 };
  private seed = 0;
  private returned = 0;
  private block: Sentence[] = [];
  private current: Sentence[] = [];
  private firstOpen = 0;
  /** First word of the present sentences that has not been delivered. */
  private position = 0;

  constructor(
    private readonly options: LanguageModelOptions,
    private readonly surroundings: ReaderSurroundings,
  ) {
    const { files } = surroundings;
    const { classFile, mode, features, output } = options;
    this.classes = classFile === "" ? undefined : readWordClasses(files, classFile);
    this.input = this.vocabulary(options.input, options.input.dimension);
    const sameAsInput = output.type === "nextWord" ? this.input.dimension : output.dimension;
    this.output =
      output.type === "none" ? { words: new Map(), dimension: 0 } : this.vocabulary(output, sameAsInput);
    if (mode === "class" && output.type !== "none") {
      if (!this.classes) {
        throw new CntkError({
          code: "reader-option",
          message: "LMSequenceReader: mode = class needs a word class file, which 'wordclass' names.",
          hint: "the action writeWordAndClass writes one; mode = softmax in the features section goes without",
        });
      }
      this.bounds = classBounds(this.classes, sameAsInput);
    }
    this.parallelSequences = options.parallelSequences;
    this.lines = new LineCursor(files, options.file);
    const streams: StreamDescription[] = [];
    if (features !== undefined) {
      streams.push({ name: features, dimension: this.input.dimension, storage: "sparse" });
    }
    streams.push({ name: output.name, dimension: mode === "class" ? 4 : 1, storage: "dense" });
    this.streams = streams;
  }

  start(request: EpochRequest): Promise<void> {
    this.request = request;
    this.seed = request.epoch;
    this.returned = 0;
    this.lines.rewind();
    this.forget();
    return Promise.resolve();
  }

  async next(): Promise<Minibatch | undefined> {
    // CNTK compares with the size of the whole data where none is given.
    const epochSize = this.request.epochSize || Infinity;
    if (this.request.minibatchSize === 0 || this.returned > epochSize) return undefined;
    let length = this.choose();
    if (length === 0) {
      this.forget();
      if (!this.readBlock()) return undefined;
      length = this.choose();
    }
    return this.deliver(length);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private forget(): void {
    this.block = [];
    this.current = [];
    this.firstOpen = 0;
    this.position = 0;
  }

  private readBlock(): boolean {
    const { log } = this.surroundings;
    log.write("LMSequenceReader: Reading epoch data...");
    let words = 0;
    while (words < this.options.cacheBlockSize) {
      const line = this.lines.next();
      if (line === undefined) break;
      const found = wordsOf(line);
      // Too short to tell anything: `<s> </s>`.
      if (found.length < 3) continue;
      words += found.length;
      this.block.push({ words: found, done: false });
    }
    log.write(` ${this.block.length} sequences read.\n`);
    standardShuffle(this.block, new MersenneTwister32(++this.seed));
    return this.block.length > 0;
  }

  /** The sentences of the next minibatch, all of one length, which is returned; 0 when none is left. */
  private choose(): number {
    const [present] = this.current;
    if (present && !present.done) return present.words.length;
    if (present) this.firstOpen = this.block.indexOf(present);
    this.current = [];
    this.position = 0;
    const many = this.parallelSequences;
    const [mostSentences, mostWords] = many > 0 ? [many, Infinity] : [Infinity, this.request.minibatchSize];
    let length = 0;
    let words = 0;
    for (let i = this.firstOpen; i < this.block.length && this.current.length < mostSentences; i++) {
      const sentence = this.block[i];
      if (!sentence || sentence.done) continue;
      if (length === 0) length = sentence.words.length;
      else if (length !== sentence.words.length) continue;
      if (words > 0 && words + length >= mostWords) break;
      this.current.push(sentence);
      words += length;
    }
    return length;
  }

  private deliver(length: number): Minibatch {
    const { output, features, elementType, mode } = this.options;
    const usable = output.type === "none" ? length : length - 1;
    const begin = this.position;
    const most = this.parallelSequences > 0 ? this.request.minibatchSize : Infinity;
    const end = Math.min(usable, begin + most);
    const inputs: number[][] = [];
    const outputs: number[][] = [];
    for (let at = begin; at < end; at++) {
      for (const { words } of this.current) {
        inputs.push([this.wordNumber(words[at] ?? "", this.input)]);
        if (output.type !== "none") outputs.push(this.outputColumn(words[at + 1] ?? ""));
      }
    }
    this.position = end;
    if (end === usable) for (const sentence of this.current) sentence.done = true;
    this.returned += inputs.length;
    const layout: AxisLayout = {
      rows: this.current.length,
      steps: end - begin,
      sequences: this.current.map((_, row) => ({ sequence: row, row, begin: 0 - begin, length: usable })),
    };
    const streams = new Map<string, StreamMinibatch>();
    if (features !== undefined) {
      const data = indicatorColumns(inputs, elementType);
      streams.set(features, { dimension: this.input.dimension, layout, data });
    }
    if (output.type !== "none") {
      const dimension = mode === "class" ? 4 : 1;
      streams.set(output.name, { dimension, layout, data: denseColumns(outputs, dimension, elementType) });
    }
    return { streams, columns: inputs.length };
  }

  private outputColumn(word: string): number[] {
    const { input, output, mode } = this.options;
    const number =
      output.type === "category"
        ? this.wordNumber(word, this.output)
        : this.wordNumber(
            word.toLowerCase() === input.endSequence.toLowerCase() ? input.endSequence : word,
            this.input,
          );
    // Zero would be taken for no word at all.
    if (mode === "softmax") return [number === 0 ? 1e-6 : number];
    const wordClass = this.classes?.classOf.get(number) ?? 0;
    const [left, right] = [this.bounds?.first[wordClass] ?? 0, this.bounds?.end[wordClass] ?? 0];
    if (number < left || number >= right) {
      throw new CntkError({
        code: "data-format",
        message:
          `LMSequenceReader::GetLabelOutput word ${number} should be at least equal to or larger than its class's left index ${left}; ` +
          `right index ${right} of its class should be larger or equal to left index ${left} of its class; word index ${number} should be smaller than its class's right index ${right}.\n`,
      });
    }
    return [number, wordClass, left, right];
  }

  private wordNumber(word: string, { words, dimension }: Vocabulary): number {
    const number = words.get(word) ?? words.get(this.options.unknownWord);
    if (number === undefined) {
      throw new CntkError({ code: "data-format", message: `${word} not in vocabulary` });
    }
    if (number < dimension) return number;
    throw new CntkError({
      code: "data-format",
      message: `LMSequenceReader: word '${word}' has the number ${number}, but labelDim = ${dimension}.`,
    });
  }

  /** The words of a section's mapping file, or of the class file where that does not exist. */
  private vocabulary({ mappingFile }: LabelOptions, dimension: number): Vocabulary {
    const { files, log } = this.surroundings;
    const { classFile, unknownWord } = this.options;
    if (this.classes) this.checkClasses(this.classes, dimension);
    const path = mappingFile ?? "";
    if (path !== "" && files.exists(path)) {
      const lines = files.readText(path).replace(/\r/g, "").replace(/\n$/, "").split("\n");
      const words = new Map(lines.map((word, number) => [word, number] as const));
      return { words, dimension: Math.max(dimension, lines.length) };
    }
    log.write(
      `LMSequenceReader: Label mapping will be created internally on the fly because the labelMappingFile was not found: ${path}\n`,
    );
    const words = this.classes?.words ?? new Map<string, number>();
    if (this.classes && words.size !== dimension) {
      throw new CntkError({
        code: "data-format",
        message: `BatchSequenceReader::Init : vocabulary size ${dimension} from setup file and ${words.size} from that in word class file ${classFile} is not consistent`,
        hint: `labelDim = ${words.size} fits the file; unknown words are taken for '${unknownWord}'`,
      });
    }
    let largest = dimension - 1;
    for (const number of words.values()) largest = Math.max(largest, number);
    return { words, dimension: largest + 1 };
  }

  private checkClasses({ words, classOf }: WordClasses, dimension: number): void {
    const { unknownWord } = this.options;
    if (classOf.size < dimension) {
      throw new CntkError({
        code: "data-format",
        message: `ReadClassInfo: The actual number of words ${classOf.size} is smaller than the specified vocabulary size ${dimension}. Check if labelDim is too large. `,
      });
    }
    if (words.has(unknownWord)) return;
    this.surroundings.log.write(
      `ReadClassInfo: 'unknown' symbol unk='${unknownWord}' is not in vocabulary file. Unknown words will error out if encountered.\n`,
    );
  }
}

/** The lines of a file, from its beginning each epoch. */
class LineCursor {
  private lines: readonly string[] | undefined;
  private at = 0;

  constructor(
    private readonly files: FileAccess,
    private readonly path: string,
  ) {}

  rewind(): void {
    this.at = 0;
  }

  next(): string | undefined {
    this.lines ??= this.files.readText(this.path).split("\n");
    return this.lines[this.at++];
  }
}
