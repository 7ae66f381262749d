import { f32x4, f64x2, i32, i8x16, type Input, type Local, local, v128 } from "wasmati";
import type { ElementType } from "../../../numerics/values.js";
import { variable } from "./function.js";

/** Several numbers side by side: a local or what is on top of the stack. */
export type Vector = Input<"v128">;
type Result = ReturnType<typeof f32x4.add>;
type Binary = (a: Vector, b: Vector) => Result;
type Unary = (x: Vector) => Result;

/**
 * How numbers are moved: a whole vector of neighbours at a time, or a single one in the lowest lane. What is computed with them
 * is the same; so the end of a run of numbers that does not fill a vector needs no code of its own.
 */
export interface Access {
  /** How many numbers. */
  readonly count: number;
  load(at: Input<"i32">, offset?: number): Result;
  /** Stores what `value` leaves on the stack. */
  store(at: Local<"i32">, offset: number, value: () => unknown): void;
}

/** Arithmetic on vectors of one element type. */
export interface Lanes {
  readonly elementType: ElementType;
  /** Size of a number in memory. */
  readonly bytes: number;
  /** Its logarithm. */
  readonly shift: number;
  /** Numbers in a vector. */
  readonly count: number;
  readonly whole: Access;
  readonly single: Access;
  /** Loads one number of memory into a lane of `x`, which the others are of. */
  loadLane(lane: number, at: Input<"i32">, offset: number, x: Vector): Result;
  /** One number of memory in every lane. */
  spread(at: Input<"i32">, offset?: number): Result;
  constant(value: number): Result;
  /** x·y + sum */
  multiplyAdd(x: Vector, y: Vector, sum: Vector): Result;
  readonly add: Binary;
  readonly sub: Binary;
  readonly mul: Binary;
  readonly div: Binary;
  /** a < b ? b : a, and b < a ? b : a. */
  readonly pmax: Binary;
  readonly pmin: Binary;
  readonly eq: Binary;
  readonly ne: Binary;
  readonly lt: Binary;
  readonly le: Binary;
  readonly gt: Binary;
  readonly ge: Binary;
  readonly neg: Unary;
  readonly abs: Unary;
  readonly sqrt: Unary;
  readonly floor: Unary;
  /** Stores the lowest `count` lanes. */
  storeFirst(count: number, at: Local<"i32">, offset: number, x: Local<"v128">): void;
  /** The lowest lane, a double, as a number of the element type in the lowest lane. */
  fromDouble(x: Vector): Vector;
  /** The sum of all lanes, in the lowest one of the result. */
  sumAcross(x: Local<"v128">): Result;
}

const floats: Lanes = {
  elementType: "float",
  bytes: 4,
  shift: 2,
  count: 4,
  whole: wholeVector(4),
  single: {
    count: 1,
    load: (at, offset = 0) => v128.load32_zero({ offset }, at),
    store: (at, offset, value) => {
      local.get(at);
      value();
      v128.store32_lane({ offset }, 0);
    },
  },
  spread: (at, offset = 0) => v128.load32_splat({ offset }, at),
  loadLane: (lane, at, offset, x) => v128.load32_lane({ offset }, lane, at, x),
  constant: (x) => v128.const("f32x4", [x, x, x, x]),
  ...f32x4,
  multiplyAdd: (x, y, sum) => f32x4.add(f32x4.mul(x, y), sum),
  storeFirst: (count, at, offset, x) => {
    if (count === 4) v128.store({ offset, align: 4 }, at, x);
    else
      for (let lane = 0; lane < count; lane++) v128.store32_lane({ offset: offset + lane * 4 }, lane, at, x);
  },
  fromDouble: (x) => f32x4.demote_f64x2_zero(x),
  sumAcross: (x) => {
    const half = variable("v128", f32x4.add(x, moved(x, [2, 3, 0, 1], 4)));
    return f32x4.add(half, moved(half, [1, 0, 3, 2], 4));
  },
};

const doubles: Lanes = {
  elementType: "double",
  bytes: 8,
  shift: 3,
  count: 2,
  whole: wholeVector(2),
  single: {
    count: 1,
    load: (at, offset = 0) => v128.load64_zero({ offset }, at),
    store: (at, offset, value) => {
      local.get(at);
      value();
      v128.store64_lane({ offset }, 0);
    },
  },
  spread: (at, offset = 0) => v128.load64_splat({ offset }, at),
  loadLane: (lane, at, offset, x) => v128.load64_lane({ offset }, lane, at, x),
  constant: (x) => v128.const("f64x2", [x, x]),
  ...f64x2,
  multiplyAdd: (x, y, sum) => f64x2.add(f64x2.mul(x, y), sum),
  storeFirst: (count, at, offset, x) => {
    if (count === 2) v128.store({ offset, align: 4 }, at, x);
    else v128.store64_lane({ offset }, 0, at, x);
  },
  fromDouble: (x) => x,
  sumAcross: (x) => f64x2.add(x, moved(x, [1, 0], 8)),
};

/** Floats whose products are added with one rounding, where the engine can do that. */
export const fusedFloats: Lanes = {
  ...floats,
  multiplyAdd: (x, y, sum) => f32x4.relaxed_madd(x, y, sum),
};

export const lanesOf: Readonly<Record<ElementType, Lanes>> = { float: floats, double: doubles };

function wholeVector(count: number): Access {
  return {
    count,
    load: (at, offset = 0) => v128.load({ offset, align: 4 }, at),
    store: (at, offset, value) => {
      local.get(at);
      value();
      v128.store({ offset, align: 4 });
    },
  };
}

/** Lane i of the result is lane order[i] of x; lanes of `bytes` bytes. */
export function moved(x: Local<"v128">, order: readonly number[], bytes: number): Result {
  return joined(x, x, order, bytes);
}

/** Lane i of the result is lane order[i] of a and b, those of b counting on. */
export function joined(a: Vector, b: Vector, order: readonly number[], bytes: number): Result {
  const lanes = order.flatMap((lane) => Array.from({ length: bytes }, (_, byte) => lane * bytes + byte));
  return i8x16.shuffle(lanes, a, b);
}

/** The address of number `index` behind `base`. */
export function addressOf(base: Input<"i32">, index: Local<"i32">, { shift }: Lanes): Input<"i32"> {
  return i32.add(i32.shl(index, shift), base);
}

/** Lane i of the result is the sum across vectors[i]; as many vectors as there are lanes. */
export function sumsAcross(lanes: Lanes, vectors: readonly Local<"v128">[]): Local<"v128"> {
  const [a, b, c, d] = vectors as readonly [Local<"v128">, Local<"v128">, Local<"v128">, Local<"v128">];
  const both = (x: Local<"v128">, y: Local<"v128">, first: readonly number[], second: readonly number[]) =>
    variable("v128", lanes.add(joined(x, y, first, lanes.bytes), joined(x, y, second, lanes.bytes)));
  if (lanes.count === 2) return both(a, b, [0, 2], [1, 3]);
  const halves = (x: Local<"v128">, y: Local<"v128">) => both(x, y, [0, 4, 1, 5], [2, 6, 3, 7]);
  return both(halves(a, b), halves(c, d), [0, 1, 4, 5], [2, 3, 6, 7]);
}
