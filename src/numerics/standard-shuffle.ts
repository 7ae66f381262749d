/** A generator of C++'s standard library: whole numbers from `minimum` to `minimum + range`. */
export interface StandardGenerator {
  readonly minimum: number;
  readonly range: number;
  next(): number;
}

const two32 = 4294967296;
const stateSize = 624;
const middle = 397;

/** The 32-bit Mersenne Twister, C++ `std::mt19937`. Source: Matsumoto and Nishimura, 2002. */
export class MersenneTwister32 implements StandardGenerator {
  readonly minimum = 0;
  readonly range = two32 - 1;
  private readonly state = new Uint32Array(stateSize);
  private position = stateSize;

  constructor(seed: number) {
    this.state[0] = seed;
    for (let i = 1; i < stateSize; i++) {
      const before = this.state[i - 1] ?? 0;
      this.state[i] = Math.imul(1812433253, before ^ (before >>> 30)) + i;
    }
  }

  next(): number {
    if (this.position === stateSize) this.twist();
    let y = this.state[this.position++] ?? 0;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  private twist(): void {
    const { state } = this;
    for (let i = 0; i < stateSize; i++) {
      const y = ((state[i] ?? 0) & 0x80000000) | ((state[(i + 1) % stateSize] ?? 0) & 0x7fffffff);
      const other = state[(i + middle) % stateSize] ?? 0;
      state[i] = other ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.position = 0;
  }
}

/** The generator that GNU's library takes for `std::default_random_engine`: x ← 16807 x modulo 2³¹ − 1. */
export class MinimalStandard implements StandardGenerator {
  readonly minimum = 1;
  readonly range = 2147483645;
  private state: number;

  constructor(seed: number) {
    this.state = seed % 2147483647 || 1;
  }

  next(): number {
    // Below 2^53: exact in double.
    this.state = (this.state * 16807) % 2147483647;
    return this.state;
  }
}

/** A whole number from 0 to `most`, as GNU's `std::uniform_int_distribution` draws it (version 11 and later). */
function uniformInteger(generator: StandardGenerator, most: number): number {
  const count = most + 1;
  if (generator.range === two32 - 1) {
    const wanted = BigInt(count);
    let product = BigInt(generator.next()) * wanted;
    let low = BigInt.asUintN(32, product);
    if (low < wanted) {
      const threshold = BigInt((two32 - count) % count);
      while (low < threshold) {
        product = BigInt(generator.next()) * wanted;
        low = BigInt.asUintN(32, product);
      }
    }
    return Number(product >> 32n);
  }
  const scaling = Math.floor(generator.range / count);
  const past = count * scaling;
  let drawn: number;
  do drawn = generator.next() - generator.minimum;
  while (drawn >= past);
  return Math.floor(drawn / scaling);
}

/**
 * Shuffles in place as `std::shuffle` of GNU's library does; CNTK's readers of words order their sentences with it. Short
 * lists take two positions from one number.
 */
export function standardShuffle<T>(items: T[], generator: StandardGenerator): void {
  const count = items.length;
  if (count === 0) return;
  const swap = (i: number, j: number): void => {
    const [a, b] = [items[i], items[j]];
    if (a === undefined || b === undefined) throw new RangeError("shuffled beyond the list");
    items[i] = b;
    items[j] = a;
  };
  if (Math.floor(generator.range / count) < count) {
    for (let i = 1; i < count; i++) swap(i, uniformInteger(generator, i));
    return;
  }
  let i = 1;
  if (count % 2 === 0) swap(i++, uniformInteger(generator, 1));
  while (i < count) {
    const [first, second] = [i + 1, i + 2];
    const both = uniformInteger(generator, first * second - 1);
    swap(i++, Math.floor(both / second));
    swap(i++, both % second);
  }
}
