import { CntkError } from "../diagnostics/diagnostic.js";
import type { MappedText } from "./mapped-text.js";

/*
 * `$x$` within the values of other variables may be nested without measure, or double at each step. What is far beyond any
 * configuration is an error.
 */

/** Values that stand in values. */
const deepest = 500;
/** Values pasted in to make a single one. */
const mostPastes = 20_000;
/** Characters of a line with its variables pasted in. */
const longestLine = 2 ** 22;
/** Items of an array, those that `v*n` repeats included. */
const mostItems = 1_000_000;

/** How values are being pasted into one another; all sections of a configuration share it. */
export class Pasting {
  private depth = 0;
  private pastes = 0;

  /** The value of the variable `name`, which `resolve` makes. Throws CntkError `variables-nested`. */
  within<T>(name: MappedText, resolve: () => T): T {
    if (this.depth === 0) this.pastes = 0;
    if (this.depth >= deepest || ++this.pastes > mostPastes) {
      const limit = this.depth >= deepest ? `${deepest} of one another` : `${mostPastes} others`;
      throw new CntkError({
        code: "variables-nested",
        message: `the value of variable ${name.text} is made of more than ${limit}`,
        span: name.spanOf(),
      });
    }
    this.depth++;
    try {
      return resolve();
    } finally {
      this.depth--;
    }
  }
}

/** Throws CntkError `text-too-long` for a line that variables have made too long. */
export function checkLineLength(length: number, line: MappedText): void {
  if (length <= longestLine) return;
  throw new CntkError({
    code: "text-too-long",
    message: `the line has ${length} characters when its variables are pasted in`,
    span: line.spanOf(),
    hint: `no line is longer than ${longestLine}`,
  });
}

/** Throws CntkError `array-too-long`. */
export function checkItemCount(count: number, array: MappedText): void {
  if (count <= mostItems) return;
  throw new CntkError({
    code: "array-too-long",
    message: `an array of ${count} items`,
    span: array.spanOf(),
    hint: `no array has more than ${mostItems}`,
  });
}
