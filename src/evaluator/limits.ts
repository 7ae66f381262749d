import type { CntkError } from "../diagnostics/diagnostic.js";
import type { Span } from "../diagnostics/source.js";
import { failure, type Place } from "./failures.js";

/*
 * Values may grow without measure by a few words of BrainScript: what doubles at each step, what repeats 10^9 times. Far beyond
 * what any network needs they are errors, at the place where it happens.
 */

/** Characters of a text. */
export const longestText = 2 ** 22;
/** Elements of an array, those of nested ones included where they are flattened. */
export const mostElements = 2 ** 16;

/** Throws CntkError `text-too-long`. */
export function checkTextLength(length: number, span: Span): void {
  if (length > longestText) throw textTooLong(length, span);
}

function textTooLong(length: number, span: Span): CntkError {
  return failure(
    "text-too-long",
    `a text of ${length} characters`,
    span,
    `no text is longer than ${longestText}`,
  );
}

/** Throws CntkError `array-too-long`. */
export function checkElementCount(count: number, place: Place): void {
  if (count <= mostElements) return;
  throw failure(
    "array-too-long",
    `an array of ${count} elements`,
    place(),
    `no array is longer than ${mostElements}`,
  );
}

/** How much text may still be written; the parts of a value share it. */
export class TextBudget {
  private written = 0;

  constructor(private readonly span: Span | undefined) {}

  /** The text, counted. Throws CntkError `text-too-long`. */
  spend(text: string): string {
    this.written += text.length;
    if (this.written > longestText) {
      throw textTooLong(this.written, this.span ?? { source: { name: "", text: "" }, start: 0, end: 0 });
    }
    return text;
  }
}
