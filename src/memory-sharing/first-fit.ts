/** Steps between the request of a matrix and its release, both included; Infinity: never released. */
export interface Lifetime {
  readonly from: number;
  readonly to: number;
}

/** A buffer: the lifetimes it serves, which never meet, by their beginnings. */
class Occupancy {
  private readonly lifetimes: Lifetime[] = [];
  longest: Lifetime | undefined;

  isFree(wanted: Lifetime): boolean {
    const next = this.lifetimes[this.firstFrom(wanted.from)];
    const before = this.lifetimes[this.firstFrom(wanted.from) - 1];
    return (!next || next.from > wanted.to) && (!before || before.to < wanted.from);
  }

  occupy(wanted: Lifetime): void {
    this.lifetimes.splice(this.firstFrom(wanted.from), 0, wanted);
    if (!this.longest || wanted.to - wanted.from > this.longest.to - this.longest.from) this.longest = wanted;
  }

  /** Index of the first lifetime that begins at `step` or later. */
  private firstFrom(step: number): number {
    let [low, high] = [0, this.lifetimes.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.lifetimes[middle]?.from ?? Infinity) < step) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * Buffers in the order in which they were made, searched for the first or the last one that is free throughout a lifetime.
 * A tree above them keeps steps at which all buffers of a subtree are occupied, so that whole subtrees are passed over:
 * where every value is kept for the backward pass, a look at the top tells that none is free.
 */
export class FirstFit {
  private readonly buffers: Occupancy[] = [];
  private readonly leaves: number;
  /** Per subtree: from `low` to `high` all its buffers are occupied (never, where low > high). */
  private readonly low: Float64Array;
  private readonly high: Float64Array;

  /** `most`: how many buffers there can be at most. */
  constructor(most: number) {
    this.leaves = 1;
    while (this.leaves < most) this.leaves *= 2;
    // Places without a buffer count as always occupied.
    this.low = new Float64Array(2 * this.leaves).fill(-Infinity);
    this.high = new Float64Array(2 * this.leaves).fill(Infinity);
  }

  /** Makes a buffer for a lifetime; returns its number. */
  add(lifetime: Lifetime): number {
    this.buffers.push(new Occupancy());
    const index = this.buffers.length - 1;
    this.occupy(index, lifetime);
    return index;
  }

  occupy(index: number, lifetime: Lifetime): void {
    const buffer = this.buffers[index];
    if (!buffer) throw new Error(`there is no buffer ${index}`);
    buffer.occupy(lifetime);
    const { from, to } = buffer.longest ?? lifetime;
    let place = this.leaves + index;
    this.low[place] = from;
    this.high[place] = to;
    for (place >>= 1; place > 0; place >>= 1) {
      this.low[place] = Math.max(this.low[2 * place] ?? 0, this.low[2 * place + 1] ?? 0);
      this.high[place] = Math.min(this.high[2 * place] ?? 0, this.high[2 * place + 1] ?? 0);
    }
  }

  /** Number of the first (or last) buffer that is free throughout, or undefined. */
  find(lifetime: Lifetime, end: "first" | "last"): number | undefined {
    return this.search(1, lifetime, end === "first" ? 0 : 1);
  }

  private search(place: number, lifetime: Lifetime, nearer: 0 | 1): number | undefined {
    const [low, high] = [this.low[place] ?? 0, this.high[place] ?? 0];
    if (low <= high && lifetime.from <= high && lifetime.to >= low) return undefined;
    if (place >= this.leaves) {
      const index = place - this.leaves;
      return this.buffers[index]?.isFree(lifetime) ? index : undefined;
    }
    return (
      this.search(2 * place + nearer, lifetime, nearer) ??
      this.search(2 * place + 1 - nearer, lifetime, nearer)
    );
  }
}
