import type { ElementType } from "./values.js";

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

  private twist(): void {
    const { highs, lows } = this;
    for (let i = 0; i < stateSize; i++) {
      const next = i + 1 === stateSize ? 0 : i + 1;
      const far = i + middle < stateSize ? i + middle : i + middle - stateSize;
      const h = highs[i] as number;
      const l = ((lows[i] as number) & 0x80000000) | ((lows[next] as number) & 0x7fffffff);
      let newHigh = (highs[far] as number) ^ (h >>> 1);
      let newLow = (lows[far] as number) ^ ((l >>> 1) | (h << 31));
      if (l & 1) {
        newHigh ^= 0xb5026f5a;
        newLow ^= 0xa96619e9;
      }
      highs[i] = newHigh;
      lows[i] = newLow;
    }
    this.position = 0;
  }
}

/** The unsigned number `high`·2^32 + `low` rounded once, to the nearest float (ties to even). */
export function halvesToFloat(high: number, low: number): number {
  if (high < 0x200000) return Math.fround(high * two32 + low);
  // A double cannot hold all 64 bits; folding the last twelve into one sticky bit avoids rounding twice.
  const sticky = (low & 0xfff) === 0 ? low : ((low & 0xfffff000) | 0x800) >>> 0;
  return Math.fround(high * two32 + sticky);
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
