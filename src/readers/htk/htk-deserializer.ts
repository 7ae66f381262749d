import { CntkError } from "../../diagnostics/diagnostic.js";
import { formatFixed } from "../../numerics/number-format.js";
import { newValues, type ElementType } from "../../numerics/values.js";
import type {
  Chunk,
  Corpus,
  Deserializer,
  DeserializerStream,
  SequenceKey,
  SequenceSource,
} from "../deserializer.js";
import type { ReaderSurroundings } from "../reader.js";
import type { KeyReading } from "../text-format/text-index.js";
import { type FeatureKind, HtkFile } from "./htk-file.js";
import { readScriptFile, type ScriptEntry } from "./scp-file.js";
import { utteranceKeys } from "./utterance-keys.js";
import { onlyStream, UtteranceList } from "./utterances.js";

/** What a section says of a stream of features. */
export interface HtkOptions {
  readonly name: string;
  readonly scriptFile: string;
  /** Before every path of the script, with its slash; empty = none. */
  readonly root: string;
  /** Numbers of one frame with its context. */
  readonly dimension: number;
  /** Frames before and behind that a frame brings along. */
  readonly left: number;
  readonly right: number;
  readonly elementType: ElementType;
  readonly frameMode: boolean;
  /** Lines of the script may be files without a range. */
  readonly wholeFiles: boolean;
}

/** A chunk is full when it has more frames than this: 15 minutes. */
const chunkFrames = 90000;

/**
 * Features of utterances, in HTK's files, that a script file lists.
 * Source: Source/Readers/HTKDeserializers/HTKDeserializer.cpp.
 */
export class HtkDeserializer implements Deserializer {
  readonly streams: readonly DeserializerStream[];
  readonly corpus: Corpus;
  private readonly entries: readonly ScriptEntry[];
  private readonly list: UtteranceList;
  private readonly kind: FeatureKind;
  private readonly left: number;
  private readonly right: number;

  /** @throws CntkError `htk-script`, `htk-file` in CNTK's words. */
  constructor(
    private readonly options: HtkOptions,
    private readonly surroundings: ReaderSurroundings,
    reading: KeyReading,
  ) {
    const { files, log } = surroundings;
    const keys = utteranceKeys(reading);
    const listed = readScriptFile(files, options.scriptFile, options.root, options.wholeFiles).map((entry) =>
      entry.lastFrame < 0 ? this.measured(entry) : entry,
    );
    log.write(`Reading script file ${options.scriptFile} ... ${listed.length} entries\n`);
    const all = listed.map((entry) => ({ entry, key: keys.of(entry.key) }));
    const kept = withoutDuplicates(all, (text) => log.write(text));
    if (kept.length === 0) {
      throw new CntkError({
        code: "htk-script",
        message: "HTKDeserializer: No utterances to process.",
        hint: `there are none in ${options.scriptFile}`,
      });
    }
    this.entries = kept.map(({ entry }) => entry);
    const utterances = kept.map(({ entry, key }) => ({
      key,
      frames: entry.lastFrame + 1 - entry.firstFrame,
    }));
    const starts = chunkStarts(utterances.map(({ frames }) => frames));
    this.list = new UtteranceList(utterances, starts, options.frameMode, keys);
    this.corpus = this.list.corpus;
    this.describe();
    this.kind = this.firstKind();
    [this.left, this.right] = this.context();
    this.streams = onlyStream(options, "dense");
  }

  async chunk(id: number): Promise<Chunk> {
    const first = this.list.firstUtterances[id] ?? 0;
    const end = this.list.firstUtterances[id + 1] ?? first;
    const frames = this.readUtterances(first, end);
    const firstSequence = this.corpus.firstSequences[id] ?? 0;
    return {
      source: (_, sequence) => {
        const { utterance, frame } = this.list.place(firstSequence + sequence);
        return this.sample(frames[utterance - first] ?? new Float32Array(), frame);
      },
    };
  }

  key(sequence: number): SequenceKey {
    return this.list.key(sequence);
  }

  find(key: SequenceKey): number | undefined {
    return this.list.find(key);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** The frames of utterances; a file that holds several is opened once. */
  private readUtterances(first: number, end: number): Float32Array[] {
    let open: { readonly path: string; readonly file: HtkFile } | undefined;
    try {
      return this.entries.slice(first, end).map((entry) => {
        if (open?.path !== entry.path) {
          open?.file.close();
          open = undefined;
          open = { path: entry.path, file: this.openFile(entry) };
        }
        return this.within(
          entry,
          () => open?.file.read(entry.firstFrame, entry.lastFrame) ?? new Float32Array(),
        );
      });
    } finally {
      open?.file.close();
    }
  }

  private openFile(entry: ScriptEntry): HtkFile {
    const file = this.within(entry, () => new HtkFile(this.surroundings.files, entry.path));
    const { kind, dimension, period } = file.kind;
    const { kind: own } = this;
    if (kind === own.kind && dimension === own.dimension && period === own.period) return file;
    file.close();
    throw new CntkError({
      code: "htk-file",
      message: `setkind: inconsistent feature kind for file '${entry.path}'`,
      hint: `it has ${dimension} numbers of ${kind}, the first file ${own.dimension} of ${own.kind}; line ${entry.line} of ${this.options.scriptFile}`,
    });
  }

  /** One frame, or all of an utterance, each with the frames beside it; the first and the last stand for those beyond. */
  private sample(frames: Float32Array, only: number): SequenceSource {
    const own = this.kind.dimension;
    const count = frames.length / own;
    const { left, right } = this;
    const { dimension, elementType } = this.options;
    const steps = only < 0 ? count : 1;
    const values = newValues(elementType, steps * dimension);
    let to = 0;
    for (let step = 0; step < steps; step++) {
      const middle = only < 0 ? step : only;
      for (let at = middle - left; at <= middle + right; at++, to += own) {
        const frame = Math.max(0, Math.min(at, count - 1));
        values.set(frames.subarray(frame * own, (frame + 1) * own), to);
      }
    }
    const none = new Int32Array(0);
    const sequenceStarts = Int32Array.of(0, steps);
    return { block: { storage: "dense", values, sequenceStarts, sampleStarts: none, rows: none }, index: 0 };
  }

  /** A whole file: how many frames it has stands in it. */
  private measured(entry: ScriptEntry): ScriptEntry {
    return this.within(entry, () => {
      const file = new HtkFile(this.surroundings.files, entry.path);
      file.close();
      if (file.frames > 0) return { ...entry, lastFrame: file.frames - 1 };
      throw new CntkError({ code: "htk-file", message: `the file '${entry.path}' holds no frames` });
    });
  }

  private firstKind(): FeatureKind {
    const [entry] = this.entries;
    if (!entry) throw new Error("there are no utterances");
    const file = this.within(entry, () => new HtkFile(this.surroundings.files, entry.path));
    const { kind, dimension, period } = file.kind;
    file.close();
    this.surroundings.log.write(
      `HTKDeserializer: determined feature kind as '${dimension}'-dimensional '${kind}' with frame shift ${formatFixed(period / 1e4, 1)} ms\n`,
    );
    return file.kind;
  }

  /** As the section says, or without a word of it as many frames as the dimension has room for. */
  private context(): [number, number] {
    const { left, right, dimension, name } = this.options;
    const own = this.kind.dimension;
    const refuse = (message: string): never => {
      throw new CntkError({
        code: "htk-file",
        message,
        hint: `'${name}' has ${dimension} numbers a sample, the files have ${own} a frame`,
      });
    };
    if (dimension % own !== 0) refuse("HTKDeserializer: model vector size is not multiple of input features");
    const frames = dimension / own;
    if (left > 0 || right > 0) {
      if (frames !== left + right + 1) {
        refuse("HTKDeserializer: dim is not the number of features of a frame in the files");
      }
      return [left, right];
    }
    if (frames % 2 === 0) {
      refuse(`HTKDeserializer: neighbor expansion of input features to '${frames}' is not symmetrical`);
    }
    return [(frames - 1) / 2, (frames - 1) / 2];
  }

  private describe(): void {
    const utterances = this.entries.length;
    const chunks = this.list.firstUtterances.length - 1;
    const frames = this.list.firstFrames[utterances] ?? 0;
    const average = `${formatFixed(utterances / chunks, 1)} utterances, ${formatFixed(frames / chunks, 1)} frames`;
    this.surroundings.log.write(
      `HTKDeserializer: selected '${utterances}' utterances grouped into '${chunks}' chunks, ` +
        `average chunk size: ${average} (for I/O: ${average})\n`,
    );
  }

  /** Adds to an error the line of the script that led to it. */
  private within<T>(entry: ScriptEntry, work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof CntkError)) throw error;
      const line = `line ${entry.line} of ${this.options.scriptFile}`;
      const { hint } = error.diagnostic;
      throw new CntkError({ ...error.diagnostic, hint: hint === undefined ? line : `${hint}; ${line}` });
    }
  }
}

/** Of a key that occurs more than once nothing is kept. */
function withoutDuplicates<T extends { readonly key: SequenceKey }>(
  all: readonly T[],
  warn: (text: string) => void,
): readonly T[] {
  const counts = new Map<SequenceKey, number>();
  for (const { key } of all) counts.set(key, (counts.get(key) ?? 0) + 1);
  const kept = all.filter(({ key }) => counts.get(key) === 1);
  const dropped = all.length - kept.length;
  if (dropped > 0) {
    warn(
      `WARNING: Number of duplicates is '${dropped}'. All duplicates will be dropped. Consider switching to numeric sequence ids.\n`,
    );
  }
  return kept;
}

/** First utterance of each chunk, and at the end their number: a chunk ends when it has become too long. */
function chunkStarts(lengths: readonly number[]): number[] {
  const starts = [0];
  let frames = 0;
  lengths.forEach((length, i) => {
    if (frames > chunkFrames) {
      starts.push(i);
      frames = 0;
    }
    frames += length;
  });
  starts.push(lengths.length);
  return starts;
}
