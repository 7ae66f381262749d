import type { ArchiveCursor } from "./archive-cursor.js";
import { isBinary } from "./archive-matrix.js";

/** Classes of a frame with their probabilities. */
type FramePosteriors = readonly (readonly [label: number, probability: number])[];

/**
 * The class of each frame of an utterance, from Kaldi's posteriors: every frame must be of one class, with probability 1.
 * @throws CntkError `kaldi-file` with the byte.
 * Source: Kaldi, hmm/posterior.cc; Source/Readers/Kaldi2Reader/htkfeatio.h.
 */
export function readClasses(cursor: ArchiveCursor): number[] {
  const start = cursor.offset;
  const frames = isBinary(cursor) ? binaryPosteriors(cursor) : textPosteriors(cursor);
  return frames.map((classes, frame) => {
    const [only] = classes;
    if (only === undefined || classes.length !== 1) {
      throw cursor.problem(`num_cols != 1: ${classes.length} (frame ${frame})`, start);
    }
    const [label, probability] = only;
    if (probability !== 1) throw cursor.problem(`pair.second != 1: ${probability} (frame ${frame})`, start);
    if (label < 0) throw cursor.problem(`a class of ${label} (frame ${frame})`, start);
    return label;
  });
}

function binaryPosteriors(cursor: ArchiveCursor): FramePosteriors[] {
  const frames: FramePosteriors[] = [];
  for (let left = count(cursor); left > 0; left--) {
    const classes: [number, number][] = [];
    for (let more = count(cursor); more > 0; more--)
      classes.push([cursor.sizedInteger(), cursor.sizedFloat()]);
    frames.push(classes);
  }
  return frames;
}

function count(cursor: ArchiveCursor): number {
  const number = cursor.sizedInteger();
  if (number < 0) throw cursor.problem(`a list of ${number} entries`, cursor.offset - 4);
  return number;
}

/** `[ class probability … ]` for each frame, all in one line. */
function textPosteriors(cursor: ArchiveCursor): FramePosteriors[] {
  const frames: FramePosteriors[] = [];
  for (let word = cursor.token(); word !== ""; word = cursor.token()) {
    if (word !== "[") throw cursor.problem(`expected '[', found '${word}'`);
    const classes: [number, number][] = [];
    for (word = cursor.token(); word !== "]"; word = cursor.token()) {
      const [label, probability] = [Number(word), Number(cursor.token() || NaN)];
      if (!Number.isInteger(label) || Number.isNaN(probability)) {
        throw cursor.problem("expected pairs of a class and its probability, then ']'");
      }
      classes.push([label, probability]);
    }
    frames.push(classes);
  }
  return frames;
}
