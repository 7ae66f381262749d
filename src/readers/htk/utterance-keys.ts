import type { SequenceKey } from "../deserializer.js";
import type { KeyReading } from "../text-format/text-index.js";
import { CntkError } from "../../diagnostics/diagnostic.js";

/** An utterance has fewer frames than this. */
export const mostFrames = 2 ** 21;

/**
 * Keys of utterances and of their frames, the same for all deserializers of a reader. A frame's key is a number made of its
 * utterance's number and its own.
 */
export class UtteranceKeys {
  private readonly numbers = new Map<SequenceKey, number>();
  private firstName: string | undefined;

  constructor(private readonly reading: KeyReading) {}

  /** The key of an utterance as the reader's keys are read. */
  of(name: string): SequenceKey {
    this.firstName ??= name;
    if (this.reading.kind === "symbolic") return this.reading.toKey(new TextEncoder().encode(name));
    if (/^\d{1,15}$/.test(name)) return Number(name);
    throw new CntkError({
      code: "htk-script",
      message: `Invalid numeric sequence id '${name}'`,
      hint: "useNumericSequenceKeys = false reads names",
    });
  }

  /** What CNTK calls an utterance that it has no key of: the key that it met first. */
  get first(): string {
    return this.reading.kind === "numeric" ? "0" : (this.firstName ?? "");
  }

  frame(utterance: SequenceKey, frame: number): number {
    let number = this.numbers.get(utterance);
    if (number === undefined) {
      number = this.numbers.size;
      this.numbers.set(utterance, number);
    }
    return number * mostFrames + frame;
  }

  /** The frame that a frame's key names. */
  frameOf(key: number): number {
    return key % mostFrames;
  }

  /** What is the same for all frames of an utterance. */
  utteranceOf(key: number): number {
    return Math.floor(key / mostFrames);
  }

  numberOf(utterance: SequenceKey): number {
    return this.utteranceOf(this.frame(utterance, 0));
  }
}

const known = new WeakMap<KeyReading, UtteranceKeys>();

/** The keys that belong to a reader's way of reading keys. */
export function utteranceKeys(reading: KeyReading): UtteranceKeys {
  const found = known.get(reading) ?? new UtteranceKeys(reading);
  known.set(reading, found);
  return found;
}
