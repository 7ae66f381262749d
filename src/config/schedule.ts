/**
 * A list of values by epoch (or another counter from 0), written `a:b*n:c`: beyond its end the last value holds for
 * ever. Source: CNTK's Config.h (argvector).
 */
export class Schedule {
  /** @param whenEmpty the error for a value that is asked for where none was given */
  constructor(
    readonly values: readonly number[],
    private readonly whenEmpty: () => Error = () => new RangeError("an empty schedule has no values"),
  ) {}

  get isEmpty(): boolean {
    return this.values.length === 0;
  }

  get length(): number {
    return this.values.length;
  }

  /** Another schedule, of the values of this one. */
  map(change: (value: number, index: number) => number): Schedule {
    return new Schedule(this.values.map(change), this.whenEmpty);
  }

  /** The value for a counter from 0. Throws what `whenEmpty` makes when nothing was given at all (`isEmpty`). */
  at(index: number): number {
    const value = this.values[Math.min(index, this.values.length - 1)];
    if (value === undefined) throw this.whenEmpty();
    return value;
  }
}
