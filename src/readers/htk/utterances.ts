import { CntkError } from "../../diagnostics/diagnostic.js";
import type { Corpus, DeserializerStream, SequenceKey } from "../deserializer.js";
import { mostFrames, type UtteranceKeys } from "./utterance-keys.js";

function tooLong(key: SequenceKey, frames: number): CntkError {
  return new CntkError({
    code: "htk-script",
    message: `the utterance '${key}' has ${frames} frames, more than ${mostFrames - 1}`,
  });
}

/** The only stream of a deserializer. */
export function onlyStream(
  { name, dimension, elementType }: Pick<DeserializerStream, "name" | "dimension" | "elementType">,
  storage: DeserializerStream["storage"],
): readonly DeserializerStream[] {
  const sampleShape = [dimension];
  return [{ name, dimension, storage, elementType, sampleShape, definesMinibatchSize: false }];
}

/** An utterance of a deserializer. */
export interface Utterance {
  readonly key: SequenceKey;
  readonly frames: number;
}

/**
 * The sequences that a list of utterances offers: whole utterances, or with `frameMode` every frame by itself, in chunks of
 * utterances.
 * @throws CntkError `htk-script` for an utterance of two million frames.
 */
export class UtteranceList {
  readonly corpus: Corpus;
  /** First frame of each utterance in the order of the list, and at the end the number of frames. */
  readonly firstFrames: Float64Array;
  private byNumber: Map<number, number> | undefined;

  /** `firstUtterances`: of each chunk, and at the end the number of utterances. */
  constructor(
    readonly utterances: readonly Utterance[],
    readonly firstUtterances: readonly number[],
    private readonly frameMode: boolean,
    private readonly keys: UtteranceKeys,
  ) {
    for (const { key, frames } of utterances) if (frames >= mostFrames) throw tooLong(key, frames);
    this.firstFrames = new Float64Array(utterances.length + 1);
    utterances.forEach(({ frames }, i) => (this.firstFrames[i + 1] = (this.firstFrames[i] ?? 0) + frames));
    const total = this.firstFrames[utterances.length] ?? 0;
    this.corpus = {
      lengths: frameMode
        ? new Int32Array(total).fill(1)
        : Int32Array.from(utterances, ({ frames }) => frames),
      firstSequences: Int32Array.from(firstUtterances, (first) =>
        frameMode ? (this.firstFrames[first] ?? 0) : first,
      ),
    };
  }

  /** The utterance of a sequence, and the frame of it that the sequence is; −1 = all. */
  place(sequence: number): { readonly utterance: number; readonly frame: number } {
    if (!this.frameMode) return { utterance: sequence, frame: -1 };
    let low = 0;
    let high = this.utterances.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.firstFrames[middle] ?? 0) <= sequence) low = middle;
      else high = middle - 1;
    }
    return { utterance: low, frame: sequence - (this.firstFrames[low] ?? 0) };
  }

  key(sequence: number): SequenceKey {
    const { utterance, frame } = this.place(sequence);
    const key = this.utterances[utterance]?.key ?? sequence;
    return this.frameMode ? this.keys.frame(key, frame) : key;
  }

  /**
   * The sequence of a key; undefined where there is none. A frame behind the end of its utterance is one of the next utterance,
   * as in CNTK.
   */
  find(key: SequenceKey): number | undefined {
    this.byNumber ??= new Map(this.utterances.map((utterance, i) => [this.keys.numberOf(utterance.key), i]));
    if (!this.frameMode) return this.byNumber.get(this.keys.numberOf(key));
    const number = Number(key);
    const utterance = this.byNumber.get(this.keys.utteranceOf(number));
    if (utterance === undefined) return undefined;
    const sequence = (this.firstFrames[utterance] ?? 0) + this.keys.frameOf(number);
    return sequence < (this.firstFrames.at(-1) ?? 0) ? sequence : undefined;
  }
}
