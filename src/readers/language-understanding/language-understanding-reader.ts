import { CntkError } from "../../diagnostics/diagnostic.js";
import type { AxisLayout, Minibatch, StreamMinibatch } from "../../minibatch/index.js";
import { MinimalStandard, standardShuffle } from "../../numerics/standard-shuffle.js";
import type { EpochRequest, Reader, ReaderSurroundings, StreamDescription } from "../reader.js";
import { denseColumns, indicatorColumns } from "../word-sequences/columns.js";
import type { LanguageUnderstandingOptions } from "./language-understanding-config.js";
import { type Sentence, SentenceFile } from "./sentence-file.js";
import { readTokens, readWordMap, type Tokens } from "./tokens.js";

/** Sentences that are read, and shuffled, at a time. */
const blockSize = 50000;

/**
 * Delivers whole sentences side by side: words with their neighbours as indicators, and the tag of each word. Shorter
 * sentences leave gaps behind them.
 * Source: Readers/LUSequenceReader/LUSequenceReader.cpp, BatchLUSequenceReader.
 */
export class LanguageUnderstandingReader implements Reader {
  readonly readsParts = false;
  readonly isOlder = true;
  readonly streams: readonly StreamDescription[];
  private readonly words: Tokens;
  private readonly tags: Tokens;
  private readonly file: SentenceFile;
  private readonly parallelSequences: number;
  private request: EpochRequest = { epoch: 0, minibatchSize: 0, epochSize: 0, rank: 0, workers: 1 };
  /** The sentences in memory, and those of them that have not been delivered. */
  private whole: Sentence[] = [];
  private block: (Sentence | undefined)[] = [];
  private firstOpen = 0;
  private sentencesSoFar = 0;
  private samplesSoFar = 0;
  /** How many minibatches were asked for since the reader was opened: CNTK shuffles with this number as the seed. */
  private asked = 0;

  constructor(
    private readonly options: LanguageUnderstandingOptions,
    private readonly surroundings: ReaderSurroundings,
  ) {
    const { files, log } = surroundings;
    const { input, output, unknownWord, features, wordContext } = options;
    const wordMap = readWordMap(files, options.wordMapFile);
    this.words = readTokens(files, input, wordMap, unknownWord);
    this.tags = readTokens(files, output, wordMap, unknownWord);
    if (options.namesFile) log.write(`LUSequenceReader: Reading sequence file ${options.file}\n`);
    log.write(`BatchLUSequenceReader: Input file is ${options.file}\n`);
    if (!files.exists(options.file)) {
      throw new CntkError({ code: "file-missing", message: `cannot open file ${options.file}` });
    }
    this.file = new SentenceFile(
      {
        file: options.file,
        unknownWord,
        words: this.words.numbers,
        tags: this.tags.numbers,
        endWord: input.endSequence,
        endTag: output.endSequence,
        severalPasses: options.severalPasses,
      },
      files,
      log,
    );
    this.parallelSequences = options.parallelSequences;
    const streams: StreamDescription[] = [];
    if (features !== undefined) {
      streams.push({ name: features, dimension: this.words.count * wordContext.length, storage: "sparse" });
    }
    const storage = this.tags.classes ? "dense" : "sparse";
    streams.push({ name: output.name, dimension: this.tags.count, storage });
    this.streams = streams;
  }

  start(request: EpochRequest): Promise<void> {
    this.request = request;
    this.sentencesSoFar = 0;
    this.samplesSoFar = 0;
    this.whole = [];
    this.reopen();
    this.file.rewind();
    return Promise.resolve();
  }

  async next(): Promise<Minibatch | undefined> {
    const seed = this.asked++;
    // CNTK counts sentences where the option says samples; the size of all data where none is given.
    const epochSize = this.request.epochSize || Infinity;
    if (this.request.minibatchSize === 0 || this.sentencesSoFar > epochSize) return undefined;
    let sentences = this.choose();
    if (sentences.length === 0 && this.options.severalPasses && this.samplesSoFar < epochSize) {
      this.reopen();
      sentences = this.choose();
    }
    if (sentences.length === 0) {
      this.whole = this.file.read(blockSize);
      if (this.whole.length === 0) {
        this.surroundings.log.write("EnsureDataAvailable: No more data.\n");
        return undefined;
      }
      if (this.options.randomize) standardShuffle(this.whole, new MinimalStandard(seed));
      this.reopen();
      sentences = this.choose();
      if (sentences.length === 0) return undefined;
    }
    this.sentencesSoFar += sentences.length;
    return this.deliver(sentences);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private reopen(): void {
    this.block = [...this.whole];
    this.firstOpen = 0;
  }

  /** Takes the next sentences out of the block; with equalLength only those of the first one's length. */
  private choose(): Sentence[] {
    const { equalLength } = this.options;
    const chosen: Sentence[] = [];
    let looked = 0;
    const most = this.parallelSequences;
    for (let at = this.firstOpen; at < this.block.length && looked < most; at++) {
      const sentence = this.block[at];
      if (!sentence) continue;
      const [first] = chosen;
      if (!equalLength || !first || first.tags.length === sentence.tags.length) {
        chosen.push(sentence);
        this.block[at] = undefined;
        if (!first) this.firstOpen = at + 1;
      }
      looked++;
    }
    return chosen;
  }

  private deliver(sentences: readonly Sentence[]): Minibatch {
    const { features, output, wordContext, elementType } = this.options;
    const steps = Math.max(...sentences.map(({ tags }) => tags.length));
    if (steps > this.request.minibatchSize) {
      throw new CntkError({
        code: "reader-option",
        message:
          "LUSequenceReader : minibatch size needs to be large enough to accomodate the longest sentence",
        hint: `a sentence has ${steps} words, minibatchSize is ${this.request.minibatchSize}`,
      });
    }
    const inputs: number[][] = [];
    const outputs: number[][] = [];
    for (let step = 0; step < steps; step++) {
      for (const { words, tags } of sentences) {
        const tag = tags[step];
        inputs.push(tag === undefined ? [] : this.context(words, step, wordContext));
        outputs.push(tag === undefined ? [] : this.tagColumn(tag));
        if (tag !== undefined) this.samplesSoFar++;
      }
    }
    const layout: AxisLayout = {
      rows: sentences.length,
      steps,
      sequences: sentences.map(({ tags }, row) => ({ sequence: row, row, begin: 0, length: tags.length })),
    };
    const streams = new Map<string, StreamMinibatch>();
    if (features !== undefined) {
      const dimension = this.words.count * wordContext.length;
      streams.set(features, { dimension, layout, data: indicatorColumns(inputs, elementType) });
    }
    const { count, classes } = this.tags;
    const data = classes ? denseColumns(outputs, count, elementType) : indicatorColumns(outputs, elementType);
    streams.set(output.name, { dimension: count, layout, data });
    return { streams, columns: sentences.length * steps };
  }

  /** Rows of a word and its neighbours, each in a block of its own; beyond the ends of the sentence the last word stands. */
  private context(words: readonly (readonly number[])[], step: number, offsets: readonly number[]): number[] {
    return offsets.flatMap((offset, block) => {
      const at = Math.min(Math.max(step + offset, 0), words.length - 1);
      return (words[at] ?? [])
        .filter((number) => number < this.words.count)
        .map((number) => block * this.words.count + number);
    });
  }

  private tagColumn(tag: number): number[] {
    const { classes } = this.tags;
    if (!classes) return [tag];
    return [tag, ...(classes[tag] ?? [])];
  }
}
