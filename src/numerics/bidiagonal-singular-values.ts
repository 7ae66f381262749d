import type { Columns } from "./householder.js";

/** The steps came to no end. */
export class DidNotConverge extends Error {}

/** A bidiagonal matrix, and the vectors on both sides that turn with it. */
export interface Bidiagonal {
  readonly diagonal: Float64Array;
  /** Above the diagonal, or below it. */
  readonly beside: Float64Array;
  readonly left: Columns;
  readonly right: Columns;
  readonly isLower: boolean;
}

/** So many steps per singular value, squared: more means that there are values which are not finite. */
const mostSteps = 6;

/**
 * Turns a bidiagonal matrix into a diagonal one in place: its diagonal ends as the singular values, from the largest down, all
 * positive; the vectors are turned along. The steps, their order and their tests are LAPACK's (dbdsqr): implicit QR steps
 * with or without a shift, from the larger end to the smaller.
 */
export function bidiagonalSingularValues(matrix: Bidiagonal, epsilon: number): void {
  new Iteration(matrix, epsilon).run();
}

/** Cosine, sine and length of the rotation that carries (f, g) onto the first axis. The length has f's sign. */
function rotation(f: number, g: number): readonly [cosine: number, sine: number, length: number] {
  if (g === 0) return [1, 0, f];
  if (f === 0) return [0, Math.sign(g), Math.abs(g)];
  const length = Math.sqrt(f * f + g * g);
  const signed = f < 0 ? -length : length;
  return [Math.abs(f) / length, g / signed, signed];
}

/** Turns two neighbours of a list of vectors into one another. */
function turn(vectors: Columns, first: number, cosine: number, sine: number): void {
  const [x, y] = [vectors[first]!, vectors[first + 1]!];
  for (let i = 0; i < x.length; i++) {
    const a = x[i]!;
    const b = y[i]!;
    x[i] = cosine * a + sine * b;
    y[i] = cosine * b - sine * a;
  }
}

class Iteration {
  private readonly d: Float64Array;
  private readonly e: Float64Array;
  private readonly tolerance: number;
  private threshold = 0;

  constructor(
    private readonly matrix: Bidiagonal,
    private readonly epsilon: number,
  ) {
    this.d = matrix.diagonal;
    this.e = matrix.beside;
    this.tolerance = Math.max(10, Math.min(100, epsilon ** -0.125)) * epsilon;
  }

  run(): void {
    if (this.d.length > 1) {
      if (this.matrix.isLower) this.makeUpper();
      this.threshold = this.smallestThatCounts();
      this.converge();
    }
    this.makePositive();
    this.sort();
  }

  /** Rotations from the left carry what is below the diagonal above it. */
  private makeUpper(): void {
    const { d, e } = this;
    for (let i = 0; i + 1 < d.length; i++) {
      const [cosine, sine, length] = rotation(d[i]!, e[i]!);
      d[i] = length;
      e[i] = sine * d[i + 1]!;
      d[i + 1] = cosine * d[i + 1]!;
      turn(this.matrix.left, i, cosine, sine);
    }
  }

  private smallestThatCounts(): number {
    const { d, e } = this;
    let [smallest, mu] = [Math.abs(d[0]!), Math.abs(d[0]!)];
    for (let i = 1; i < d.length && smallest > 0; i++) {
      mu = Math.abs(d[i]!) * (mu / (mu + Math.abs(e[i - 1]!)));
      smallest = Math.min(smallest, mu);
    }
    const n = d.length;
    return Math.max((this.tolerance * smallest) / Math.sqrt(n), mostSteps * n * n * 2 ** -1022);
  }

  private converge(): void {
    const { d, e } = this;
    let end = d.length - 1;
    let [lastStart, lastEnd, goesDown] = [-2, -2, true];
    for (let steps = mostSteps * d.length * d.length; end > 0; steps--) {
      if (steps < 0) throw new DidNotConverge();
      const { start, largest } = this.block(end);
      if (start === end) end--;
      else if (start === end - 1) {
        this.solvePair(start);
        end -= 2;
      } else {
        if (start > lastEnd || end < lastStart) goesDown = Math.abs(d[start]!) >= Math.abs(d[end]!);
        const smallest = this.split(start, end, goesDown);
        if (smallest === undefined) continue;
        [lastStart, lastEnd] = [start, end];
        const shift = this.shiftFor(start, end, goesDown, smallest / largest);
        if (goesDown && shift === 0) this.plainDown(start, end);
        else if (goesDown) this.shiftedDown(start, end, shift);
        else if (shift === 0) this.plainUp(start, end);
        else this.shiftedUp(start, end, shift);
        const last = goesDown ? end - 1 : start;
        if (Math.abs(e[last]!) <= this.threshold) e[last] = 0;
      }
    }
  }

  /** Where the block that ends at `end` begins, and its largest element. */
  private block(end: number): { start: number; largest: number } {
    const { d, e } = this;
    let largest = Math.abs(d[end]!);
    for (let i = end - 1; i >= 0; i--) {
      if (Math.abs(e[i]!) <= this.threshold) {
        e[i] = 0;
        return { start: i + 1, largest };
      }
      largest = Math.max(largest, Math.abs(d[i]!), Math.abs(e[i]!));
    }
    return { start: 0, largest };
  }

  /** Sets the first negligible element to 0 and tells nothing, or tells about how small the smallest value is. */
  private split(start: number, end: number, goesDown: boolean): number | undefined {
    const { d, e, tolerance } = this;
    const outer = goesDown ? end - 1 : start;
    if (Math.abs(e[outer]!) <= tolerance * Math.abs(d[goesDown ? end : start]!)) {
      e[outer] = 0;
      return undefined;
    }
    let mu = Math.abs(d[goesDown ? start : end]!);
    let smallest = mu;
    for (let k = 0; k < end - start; k++) {
      const i = goesDown ? start + k : end - 1 - k;
      if (Math.abs(e[i]!) <= tolerance * mu) {
        e[i] = 0;
        return undefined;
      }
      mu = Math.abs(d[goesDown ? i + 1 : i]!) * (mu / (mu + Math.abs(e[i]!)));
      smallest = Math.min(smallest, mu);
    }
    return smallest;
  }

  /** The smaller singular value of the two by two block at the end; 0 where a shift would cost accuracy or is none. */
  private shiftFor(start: number, end: number, goesDown: boolean, ratio: number): number {
    const { d, e, tolerance, epsilon } = this;
    if (d.length * tolerance * ratio <= Math.max(epsilon, 0.01 * tolerance)) return 0;
    const first = goesDown ? end - 1 : start;
    const shift = smallerOfPair(d[first]!, e[first]!, d[first + 1]!);
    const larger = Math.abs(d[goesDown ? start : end]!);
    return larger > 0 && (shift / larger) ** 2 < epsilon ? 0 : shift;
  }

  private plainDown(start: number, end: number): void {
    const { d, e } = this;
    const { left, right } = this.matrix;
    let [cosine, oldCosine, oldSine] = [1, 1, 0];
    for (let i = start; i < end; i++) {
      const [c, s, length] = rotation(d[i]! * cosine, e[i]!);
      if (i > start) e[i - 1] = oldSine * length;
      const [c2, s2, length2] = rotation(oldCosine * length, d[i + 1]! * s);
      d[i] = length2;
      [cosine, oldCosine, oldSine] = [c, c2, s2];
      turn(right, i, c, s);
      turn(left, i, c2, s2);
    }
    const h = d[end]! * cosine;
    d[end] = h * oldCosine;
    e[end - 1] = h * oldSine;
  }

  private plainUp(start: number, end: number): void {
    const { d, e } = this;
    const { left, right } = this.matrix;
    let [cosine, oldCosine, oldSine] = [1, 1, 0];
    for (let i = end; i > start; i--) {
      const [c, s, length] = rotation(d[i]! * cosine, e[i - 1]!);
      if (i < end) e[i] = oldSine * length;
      const [c2, s2, length2] = rotation(oldCosine * length, d[i - 1]! * s);
      d[i] = length2;
      [cosine, oldCosine, oldSine] = [c, c2, s2];
      turn(right, i - 1, c2, -s2);
      turn(left, i - 1, c, -s);
    }
    const h = d[start]! * cosine;
    d[start] = h * oldCosine;
    e[start] = h * oldSine;
  }

  private shiftedDown(start: number, end: number, shift: number): void {
    const { d, e } = this;
    const { left, right } = this.matrix;
    let f = shifted(d[start]!, shift);
    let g = e[start]!;
    for (let i = start; i < end; i++) {
      const [c, s, length] = rotation(f, g);
      if (i > start) e[i - 1] = length;
      f = c * d[i]! + s * e[i]!;
      e[i] = c * e[i]! - s * d[i]!;
      g = s * d[i + 1]!;
      d[i + 1] = c * d[i + 1]!;
      const [c2, s2, length2] = rotation(f, g);
      d[i] = length2;
      f = c2 * e[i]! + s2 * d[i + 1]!;
      d[i + 1] = c2 * d[i + 1]! - s2 * e[i]!;
      if (i < end - 1) {
        g = s2 * e[i + 1]!;
        e[i + 1] = c2 * e[i + 1]!;
      }
      turn(right, i, c, s);
      turn(left, i, c2, s2);
    }
    e[end - 1] = f;
  }

  private shiftedUp(start: number, end: number, shift: number): void {
    const { d, e } = this;
    const { left, right } = this.matrix;
    let f = shifted(d[end]!, shift);
    let g = e[end - 1]!;
    for (let i = end; i > start; i--) {
      const [c, s, length] = rotation(f, g);
      if (i < end) e[i] = length;
      f = c * d[i]! + s * e[i - 1]!;
      e[i - 1] = c * e[i - 1]! - s * d[i]!;
      g = s * d[i - 1]!;
      d[i - 1] = c * d[i - 1]!;
      const [c2, s2, length2] = rotation(f, g);
      d[i] = length2;
      f = c2 * e[i - 1]! + s2 * d[i - 1]!;
      d[i - 1] = c2 * d[i - 1]! - s2 * e[i - 1]!;
      if (i > start + 1) {
        g = s2 * e[i - 2]!;
        e[i - 2] = c2 * e[i - 2]!;
      }
      turn(right, i - 1, c2, -s2);
      turn(left, i - 1, c, -s);
    }
    e[start] = f;
  }

  /** A block of two is solved at once. */
  private solvePair(first: number): void {
    const { d, e } = this;
    const pair = solvedPair(d[first]!, e[first]!, d[first + 1]!, this.epsilon);
    d[first] = pair.larger;
    e[first] = 0;
    d[first + 1] = pair.smaller;
    turn(this.matrix.right, first, ...pair.right);
    turn(this.matrix.left, first, ...pair.left);
  }

  private makePositive(): void {
    const { d } = this;
    for (let i = 0; i < d.length; i++) {
      if (d[i]! >= 0) continue;
      d[i] = -d[i]!;
      const vector = this.matrix.right[i]!;
      for (let k = 0; k < vector.length; k++) vector[k] = -vector[k]!;
    }
  }

  /** The smallest goes last, and so on: the fewest exchanges. */
  private sort(): void {
    const { d } = this;
    const { left, right } = this.matrix;
    for (let last = d.length - 1; last > 0; last--) {
      let smallest = 0;
      for (let i = 1; i <= last; i++) if (d[i]! <= d[smallest]!) smallest = i;
      if (smallest === last) continue;
      [d[smallest], d[last]] = [d[last]!, d[smallest]!];
      for (const list of [left, right]) [list[smallest], list[last]] = [list[last]!, list[smallest]!];
    }
  }
}

const signOf = (value: number): number => (value < 0 || Object.is(value, -0) ? -1 : 1);

function shifted(value: number, shift: number): number {
  return (Math.abs(value) - shift) * (signOf(value) + shift / value);
}

/** The smaller singular value of [f g; 0 h] (LAPACK's dlas2). */
function smallerOfPair(f: number, g: number, h: number): number {
  const [fa, ga, ha] = [Math.abs(f), Math.abs(g), Math.abs(h)];
  const [low, high] = [Math.min(fa, ha), Math.max(fa, ha)];
  if (low === 0) return 0;
  const [sum, difference] = [1 + low / high, (high - low) / high];
  if (ga < high) {
    const square = (ga / high) ** 2;
    return low * (2 / (Math.sqrt(sum * sum + square) + Math.sqrt(difference * difference + square)));
  }
  const part = high / ga;
  if (part === 0) return (low * high) / ga;
  const c = 1 / (Math.sqrt(1 + (sum * part) ** 2) + Math.sqrt(1 + (difference * part) ** 2));
  return 2 * (low * c * part);
}

type Rotation = readonly [cosine: number, sine: number];

interface SolvedPair {
  readonly larger: number;
  readonly smaller: number;
  readonly left: Rotation;
  readonly right: Rotation;
}

/** The decomposition of [f g; 0 h] (LAPACK's dlasv2): singular values, which may be negative, and rotations. */
function solvedPair(f: number, g: number, h: number, epsilon: number): SolvedPair {
  const isSwapped = Math.abs(h) > Math.abs(f);
  const [ft, ht] = isSwapped ? [h, f] : [f, h];
  const [fa, ga, ha] = [Math.abs(ft), Math.abs(g), Math.abs(ht)];
  const values = pairAngles({ ft, gt: g, ht, fa, ga, ha }, epsilon);
  const { cl, sl, cr, sr } = values;
  const [left, right]: readonly Rotation[] = isSwapped
    ? [
        [sr, cr],
        [sl, cl],
      ]
    : [
        [cl, sl],
        [cr, sr],
      ];
  const [csl, snl] = left!;
  const [csr, snr] = right!;
  const sign =
    ga > fa
      ? signOf(snr) * signOf(csl) * signOf(g)
      : isSwapped
        ? signOf(snr) * signOf(snl) * signOf(h)
        : signOf(csr) * signOf(csl) * signOf(f);
  return {
    larger: sign * values.larger,
    smaller: sign * signOf(f) * signOf(h) * values.smaller,
    left: left!,
    right: right!,
  };
}

type Pair = Readonly<Record<"ft" | "gt" | "ht" | "fa" | "ga" | "ha", number>>;

/** The same for |f| ≥ |h|, without signs. */
function pairAngles(
  { ft, gt, ht, fa, ga, ha }: Pair,
  epsilon: number,
): Readonly<Record<"larger" | "smaller" | "cl" | "sl" | "cr" | "sr", number>> {
  if (ga === 0) return { smaller: ha, larger: fa, cl: 1, cr: 1, sl: 0, sr: 0 };
  if (ga > fa && fa / ga < epsilon) {
    const smaller = ha > 1 ? fa / (ga / ha) : (fa / ga) * ha;
    return { larger: ga, smaller, cl: 1, sl: ht / gt, sr: 1, cr: ft / gt };
  }
  const difference = fa - ha;
  const l = difference === fa ? 1 : difference / fa;
  const m = gt / ft;
  let t = 2 - l;
  const s = Math.sqrt(t * t + m * m);
  const r = l === 0 ? Math.abs(m) : Math.sqrt(l * l + m * m);
  const a = 0.5 * (s + r);
  if (m * m !== 0) t = (m / (s + t) + m / (r + l)) * (1 + a);
  else if (l === 0) t = 2 * signOf(ft) * signOf(gt);
  else t = gt / (Math.abs(difference) * signOf(ft)) + m / t;
  const length = Math.sqrt(t * t + 4);
  const [cr, sr] = [2 / length, t / length];
  return { larger: fa * a, smaller: ha / a, cl: (cr + sr * m) / a, sl: ((ht / ft) * sr) / a, cr, sr };
}
