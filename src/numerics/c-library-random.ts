/**
 * `srand` and `rand` of GNU's C library: an additive generator with a memory of 31 words, whose numbers lie between 0 and
 * 2³¹ − 1. Source: the description of TYPE_3 in glibc's random_r.c.
 */
export class CLibraryRandom {
  private readonly words = new Int32Array(31);
  private at = 3;

  constructor(seed: number) {
    let word = seed >>> 0 || 1;
    word |= 0;
    for (let i = 0; i < 31; i++) {
      this.words[i] = word;
      // 16807 · word mod 2³¹ − 1, without a product beyond 53 bits.
      const next = 16807 * (word % 127773) - 2836 * Math.trunc(word / 127773);
      word = next < 0 ? next + 2147483647 : next;
    }
    for (let i = 0; i < 310; i++) this.next();
  }

  next(): number {
    const { words, at } = this;
    // The word of 31 draws ago is replaced by its sum with the one of 3 draws ago.
    const sum = ((words[at] ?? 0) + (words[(at + 28) % 31] ?? 0)) | 0;
    words[at] = sum;
    this.at = (at + 1) % 31;
    return sum >>> 1;
  }
}

/** Numbers below a limit as CNTK's older readers draw them, two draws of `rand` for each. Source: Common/Include/RandomOrdering.h. */
export class CLibraryDraws {
  private readonly random: CLibraryRandom;

  constructor(seed: number) {
    this.random = new CLibraryRandom(seed);
  }

  nextModulo(count: number): number {
    return between(this.random, 0, count);
  }
}

const two32 = 4294967296n;
const two64 = two32 * two32;

/** A number from `begin` up to `end`, of two draws. CNTK's product overflows 32 bits, and its sign then fills 64. */
function between(random: CLibraryRandom, begin: number, end: number): number {
  const first = random.next();
  const word = (Math.imul(first, 0x7fffffff) + random.next()) | 0;
  const wide = word < 0 ? two64 + BigInt(word) : BigInt(word);
  return begin + Number(wide % BigInt(end - begin));
}

/** An order of samples, and how often a draw had to be repeated. */
export interface WindowOrdering {
  readonly order: Uint32Array;
  readonly retries: number;
}

/**
 * The order of `length` samples in which none has moved by more than half the range, drawn with a seed of its own: each place
 * is exchanged with one nearby; where that would carry one of the two too far, another is drawn, five times at most.
 * Source: Source/Common/Include/RandomOrdering.h.
 */
export function windowOrdering(length: number, range: number, seed: number): WindowOrdering {
  const order = Uint32Array.from({ length }, (_, index) => index);
  const random = new CLibraryRandom(seed);
  const half = Math.floor(range / 2);
  const mayLie = (place: number, sample: number): boolean => place <= sample + half && sample < place + half;
  let retries = 0;
  for (let here = 0; here < length; here++) {
    for (let tries = 0; tries < 5; tries++) {
      const there = between(random, Math.max(here, half) - half, Math.min(here + half, length));
      const [mine, other] = [order[here] ?? 0, order[there] ?? 0];
      if (mayLie(there, mine) && mayLie(here, other)) {
        order[here] = other;
        order[there] = mine;
        break;
      }
      retries++;
    }
  }
  return { order, retries };
}
