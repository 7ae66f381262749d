import { CntkError } from "../../diagnostics/diagnostic.js";
import type { LogSink } from "../../log/log.js";
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
import type { KeyReading } from "../text-format/text-index.js";
import { utteranceKeys } from "./utterance-keys.js";
import { onlyStream, type Utterance, UtteranceList } from "./utterances.js";

/** What a section says of a stream of features, whatever files they lie in. */
export interface FeatureOptions {
  readonly name: string;
  /** Numbers of one frame with its context. */
  readonly dimension: number;
  /** Frames before and behind that a frame brings along. */
  readonly left: number;
  readonly right: number;
  readonly elementType: ElementType;
  readonly frameMode: boolean;
}

/** Files of features: which utterances they hold, and the frames of these. */
export interface FeatureSource {
  /** Stands before what the log says of them. */
  readonly label: string;
  /** The source itself tells the log what there is to say. */
  readonly tellsItself?: boolean;
  /** Its files are opened when the first frames are asked for. */
  readonly isMeasuredLater?: boolean;
  readonly utterances: readonly Utterance[];
  /** What the log says of all that is listed, where some of it is left out. */
  readonly listed?: { readonly utterances: number; readonly frames: number };
  /** Numbers of a frame in the files; found out when first asked. */
  dimension(): number;
  /** The frames of the utterances from `first` up to `end`, each one frame after the other. */
  read(first: number, end: number): Float32Array[];
}

/** A chunk is full when it has more frames than this: 15 minutes. */
const chunkFrames = 90000;

/**
 * Features of utterances, each frame with those beside it.
 * Source: Source/Readers/HTKDeserializers/HTKDeserializer.cpp.
 */
export class FeatureDeserializer implements Deserializer {
  readonly streams: readonly DeserializerStream[];
  readonly corpus: Corpus;
  private readonly list: UtteranceList;
  /** Numbers of a frame in the files, and how many frames each brings along. */
  private frame: { readonly own: number; readonly left: number; readonly right: number } | undefined;

  /** @throws CntkError `htk-file` where the dimension does not fit, and what the source throws. */
  constructor(
    private readonly options: FeatureOptions,
    private readonly source: FeatureSource,
    reading: KeyReading,
    log: LogSink,
  ) {
    const { utterances } = source;
    const starts = chunkStarts(utterances.map(({ frames }) => frames));
    this.list = new UtteranceList(utterances, starts, options.frameMode, utteranceKeys(reading));
    this.corpus = this.list.corpus;
    if (!source.tellsItself) log.write(this.description());
    if (utterances.length === 0) {
      throw new CntkError({ code: "htk-script", message: `${source.label}: No utterances to process.` });
    }
    if (!source.isMeasuredLater) this.frame = this.measure();
    this.streams = onlyStream(options, "dense");
  }

  async chunk(id: number): Promise<Chunk> {
    const first = this.list.firstUtterances[id] ?? 0;
    const end = this.list.firstUtterances[id + 1] ?? first;
    const frames = this.source.read(first, end);
    this.frame ??= this.measure();
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

  /** One frame, or all of an utterance, each with the frames beside it; the first and the last stand for those beyond. */
  private sample(frames: Float32Array, only: number): SequenceSource {
    const { own, left, right } = (this.frame ??= this.measure());
    const count = frames.length / own;
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

  /** As the section says, or without a word of it as many frames as the dimension has room for. */
  private measure(): { own: number; left: number; right: number } {
    const { left, right, dimension, name } = this.options;
    const own = this.source.dimension();
    const { label } = this.source;
    const refuse = (message: string): never => {
      throw new CntkError({
        code: "htk-file",
        message,
        hint: `'${name}' has ${dimension} numbers a sample, the files have ${own} a frame`,
      });
    };
    if (own === 0 || dimension % own !== 0)
      refuse(`${label}: model vector size is not multiple of input features`);
    const frames = dimension / own;
    if (left > 0 || right > 0) {
      if (frames !== left + right + 1) {
        refuse(`${label}: dim is not the number of features of a frame in the files`);
      }
      return { own, left, right };
    }
    if (frames % 2 === 0) {
      refuse(`${label}: neighbor expansion of input features to '${frames}' is not symmetrical`);
    }
    return { own, left: (frames - 1) / 2, right: (frames - 1) / 2 };
  }

  private description(): string {
    const { label, utterances, listed } = this.source;
    const count = listed?.utterances ?? utterances.length;
    const chunks = utterances.length === 0 ? 0 : this.list.firstUtterances.length - 1;
    const frames = listed?.frames ?? this.list.firstFrames[count] ?? 0;
    const average = `${mean(count, chunks)} utterances, ${mean(frames, chunks)} frames`;
    return (
      `${label}: selected '${count}' utterances grouped into '${chunks}' chunks, ` +
      `average chunk size: ${average} (for I/O: ${average})\n`
    );
  }
}

/** As C prints it, where there is nothing too. */
function mean(sum: number, count: number): string {
  if (count > 0) return formatFixed(sum / count, 1);
  return sum > 0 ? "inf" : "-nan";
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
