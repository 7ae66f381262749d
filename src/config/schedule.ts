/**
 * A list of values by epoch (or another counter from 0), written `a:b*n:c`: beyond its end the last value holds for
 * ever. Source: CNTK's Config.h (argvector).
 */
export class Schedule {
  constructor(readonly values: readonly number[]) {}

  get isEmpty(): boolean {
    return this.values.length === 0;
  }

  get length(): number {
    return this.values.length;
  }

  /** The value for a counter from 0. Throws RangeError when nothing was given at all (ask `isEmpty` first). */
  at(index: number): number {
    const value = this.values[Math.min(index, this.values.length - 1)];
    if (value === undefined) throw new RangeError("an empty schedule has no values");
    return value;
  }
}
