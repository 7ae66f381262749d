import type { ElementType, Values } from "./values.js";

const stateSize = 312;
const middle = 156;
const two32 = 4294967296;

/**
 * The 64-bit Mersenne Twister (C++ `std::mt19937_64`), the source of all of CNTK's random numbers on the CPU.
 * Words are kept as two 32-bit halves, so that drawing needs no BigInt.
 * Source: Matsumoto and Nishimura, "Mersenne Twister" (64-bit variant of 2004).
 */
export class MersenneTwister64 {
  /** Upper half of the number that `next` drew last, 0 … 2^32-1. */
  high = 0;
  /** Lower half of the number that `next` drew last, 0 … 2^32-1. */
  low = 0;
  private readonly highs = new Uint32Array(stateSize);
  private readonly lows = new Uint32Array(stateSize);
  private position = stateSize;

  /** An engine seeded with one unsigned 64-bit word; larger or negative seeds wrap, as C++'s conversion does. */
  constructor(seed: bigint | number) {
    this.seed(seed);
  }

  /** Starts over from `seed`. */
  seed(seed: bigint | number): void {
    const word = BigInt.asUintN(64, BigInt(seed));
    let h = Number(word >> 32n);
    let l = Number(word & 0xffffffffn);
    this.highs[0] = h;
    this.lows[0] = l;
    // In halves, not with BigInt: compiling `BigInt.asUintN` inside a loop aborts Node 20 (V8 11.3).
    for (let i = 1; i < stateSize; i++) {
      // x = 6364136223846793005 · (x ^ x >> 62) + i, modulo 2^64
      l = (l ^ (h >>> 30)) >>> 0;
      const carry = upperProduct(l, 0x4c957f2d);
      h = (carry + Math.imul(h, 0x4c957f2d) + Math.imul(l, 0x5851f42d)) >>> 0;
      l = (Math.imul(l, 0x4c957f2d) >>> 0) + i;
      if (l >= two32) h = (h + 1) >>> 0;
      l = l >>> 0;
      this.highs[i] = h;
      this.lows[i] = l;
    }
    this.position = stateSize;
  }

  /** Draws one number into `high` and `low`. */
  next(): void {
    if (this.position === stateSize) this.twist();
    let h = this.highs[this.position] as number;
    let l = this.lows[this.position] as number;
    this.position++;
    const h0 = h;
    h ^= (h >>> 29) & 0x55555555;
    l ^= ((l >>> 29) | (h0 << 3)) & 0x55555555;
    h ^= ((h << 17) | (l >>> 15)) & 0x71d67fff;
    l ^= (l << 17) & 0xeda60000;
    h ^= (l << 5) & 0xfff7eee0;
    l ^= h >>> 11;
    this.high = h >>> 0;
    this.low = l >>> 0;
  }

  /** Draws an unsigned 64-bit number. */
  nextUint64(): bigint {
    this.next();
    return (BigInt(this.high) << 32n) | BigInt(this.low);
  }

  /** Draws a number and takes it modulo `n`, a positive integer (exact up to 2^37 without BigInt). */
  nextModulo(n: number): number {
    this.next();
    if (n > 0x2000000000) return Number(((BigInt(this.high) << 32n) | BigInt(this.low)) % BigInt(n));
    // Two steps of 16 bits keep every intermediate value below 2^53.
    const upper = ((this.high % n) * 65536 + (this.low >>> 16)) % n;
    return (upper * 65536 + (this.low & 0xffff)) % n;
  }

  /** Passes over `count` numbers. */
  discard(count: number): void {
    let left = count;
    while (left > 0) {
      if (this.position === stateSize) this.twist();
      const step = Math.min(left, stateSize - this.position);
      this.position += step;
      left -= step;
    }
  }

  /**
   * Draws a number of [0, 1) as Boost's `uniform_real_distribution` does: the 64-bit draw rounded to the element type,
   * over 2^64; drawn again if it rounded up to 1.
   */
  nextUniform(elementType: ElementType): number {
    for (;;) {
      this.next();
      const value =
        elementType === "float" ? halvesToFloat(this.high, this.low) : this.high * two32 + this.low;
      if (value < 18446744073709551616) return value / 18446744073709551616;
    }
  }

  /**
   * Draws `count` numbers as `nextUniform` does, and puts `inside` in the places of those that are at most `limit`, `outside` in the
   * others'. Nearly always the upper half of a draw decides.
   */
  fillByLimit(
    target: Values,
    count: number,
    [limit, inside, outside]: readonly [limit: number, inside: number, outside: number],
    elementType: ElementType,
  ): void {
    const { highs, lows } = this;
    const bound = largestDraw(limit, elementType);
    const last = largestDraw(elementType === "float" ? 1 - 2 ** -24 : 1 - 2 ** -53, elementType);
    // What is as likely as not is looked up, not branched on; only draws near a limit are looked at more closely.
    const values = Float64Array.of(outside, inside);
    const [boundHalf, lastHalf] = [Math.floor(bound.high / 2), last.high >>> 1];
    for (let filled = 0; filled < count;) {
      if (this.position === stateSize) this.twist();
      const end = Math.min(stateSize, this.position + count - filled);
      for (let place = this.position; place < end; place++) {
        let h = highs[place] as number;
        let l = lows[place] as number;
        const h0 = h;
        h ^= (h >>> 29) & 0x55555555;
        l ^= ((l >>> 29) | (h0 << 3)) & 0x55555555;
        h ^= ((h << 17) | (l >>> 15)) & 0x71d67fff;
        l ^= (l << 17) & 0xeda60000;
        h ^= (l << 5) & 0xfff7eee0;
        const half = h >>> 1;
        if (half !== boundHalf && half < lastHalf)
          target[filled++] = values[(half - boundHalf) >>> 31] as number;
        else {
          const [high, low] = [h >>> 0, (l ^ (h >>> 11)) >>> 0];
          if (isAtMost(high, low, last)) target[filled++] = isAtMost(high, low, bound) ? inside : outside;
        }
      }
      this.position = end;
    }
  }

  private twist(): void {
    const last = stateSize - 1;
    this.twistFrom(0, stateSize - middle, middle);
    this.twistFrom(stateSize - middle, last, middle - stateSize);
    twistWord(this.highs, this.lows, last, 0, last + middle - stateSize);
    this.position = 0;
  }

  /** The words from `begin` up to `end`, each with the one `distance` behind it. */
  private twistFrom(begin: number, end: number, distance: number): void {
    const { highs, lows } = this;
    for (let i = begin; i < end; i++) twistWord(highs, lows, i, i + 1, i + distance);
  }
}

/** The unsigned number `high`·2^32 + `low` rounded once, to the nearest float (ties to even). */
export function halvesToFloat(high: number, low: number): number {
  if (high < 0x200000) return Math.fround(high * two32 + low);
  // A double cannot hold all 64 bits; folding the last twelve into one sticky bit avoids rounding twice.
  const sticky = (low & 0xfff) === 0 ? low : ((low & 0xfffff000) | 0x800) >>> 0;
  return Math.fround(high * two32 + sticky);
}

function twistWord(highs: Uint32Array, lows: Uint32Array, at: number, next: number, far: number): void {
  const h = highs[at] as number;
  const l = ((lows[at] as number) & 0x80000000) | ((lows[next] as number) & 0x7fffffff);
  // All ones where the lowest bit is set: a branch would be guessed wrong half of the time.
  const mask = -(l & 1);
  highs[at] = (highs[far] as number) ^ (h >>> 1) ^ (mask & 0xb5026f5a);
  lows[at] = (lows[far] as number) ^ ((l >>> 1) | (h << 31)) ^ (mask & 0xa96619e9);
}

/** A 64-bit draw. */
interface Draw {
  readonly high: number;
  readonly low: number;
}

function isAtMost(high: number, low: number, draw: Draw): boolean {
  return high < draw.high || (high === draw.high && low <= draw.low);
}

/** The largest draw whose number of [0, 1) is at most `limit`; `high` is −1 where there is none. */
export function largestDraw(limit: number, elementType: ElementType): Draw {
  let [found, most] = [-1n, 2n ** 64n - 1n];
  while (found < most) {
    const middle = (found + most + 1n) / 2n;
    if (uniformOf(halvesOf(middle), elementType) <= limit) found = middle;
    else most = middle - 1n;
  }
  return halvesOf(found);
}

function halvesOf(draw: bigint): Draw {
  return { high: Number(draw >> 32n), low: Number(draw & 0xffffffffn) };
}

function uniformOf({ high, low }: Draw, elementType: ElementType): number {
  return (elementType === "float" ? halvesToFloat(high, low) : high * two32 + low) / 18446744073709551616;
}

/** Upper 32 bits of the product of two unsigned 32-bit numbers. */
function upperProduct(a: number, b: number): number {
  const aHigh = a >>> 16;
  const aLow = a & 0xffff;
  const bHigh = b >>> 16;
  const bLow = b & 0xffff;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const other = aLow * bHigh + (middle & 0xffff);
  return aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(other / 65536);
}
