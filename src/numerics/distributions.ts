import { halvesToFloat, MersenneTwister64 } from "./mersenne-twister.js";
import type { ElementType, Values } from "./values.js";
import { layerEdges, layerHeights } from "./ziggurat-tables.js";

const scale56 = 2 ** -56;

/**
 * One uniform number of [low, high): Boost's `uniform_real_distribution`, every step rounded to the element type;
 * drawn again if rounding made it `high`.
 */
export function drawUniform(
  engine: MersenneTwister64,
  low: number,
  high: number,
  elementType: ElementType,
): number {
  if (elementType === "double") {
    for (;;) {
      engine.next();
      const draw = engine.high * 4294967296 + engine.low;
      const value = (draw / 18446744073709551616) * (high - low) + low;
      if (value < high) return value;
    }
  }
  const { fround } = Math;
  const width = fround(high - low);
  for (;;) {
    engine.next();
    const unit = halvesToFloat(engine.high, engine.low) / 18446744073709551616;
    const value = fround(fround(unit * width) + low);
    if (value < high) return value;
  }
}

/**
 * One number of the normal distribution with mean 0 and deviation 1: the ziggurat of Boost 1.60, 128 layers.
 * Later Boost versions draw the tail beyond 3.44 differently.
 */
export function drawStandardNormal(engine: MersenneTwister64, elementType: ElementType): number {
  const isFloat = elementType === "float";
  const round = isFloat ? Math.fround : identity;
  for (;;) {
    engine.next();
    const bucket = engine.low & 0xff;
    // Boost masks out one single bit here where it meant to keep the mantissa's bits only; its position depends on the type.
    const high = isFloat ? engine.high & ~0x100 : engine.high;
    const low = isFloat ? engine.low : engine.low & ~0x800;
    const unit = shiftedUnit(high >>> 0, low >>> 0, isFloat);
    const layer = bucket >> 1;
    const sign = bucket & 1 ? 1 : -1;
    const x = round(unit * round(layerEdges[layer] as number));
    if (x < (layerEdges[layer + 1] as number)) return sign * x;
    if (layer === 0) return sign * drawTail(engine, elementType, round);
    const bottom = layerHeights[layer] as number;
    const top = layerHeights[layer + 1] as number;
    const y = round(round(bottom) + round(engine.nextUniform(elementType) * round(top - bottom)));
    if (y < round(Math.exp(round(round(-x * x) / 2)))) return sign * x;
  }
}

function drawTail(engine: MersenneTwister64, elementType: ElementType, round: (x: number) => number): number {
  const start = round(layerEdges[1] as number);
  const exponential = () => round(-round(Math.log(round(1 - engine.nextUniform(elementType)))));
  for (;;) {
    const x = round(exponential() / start);
    const y = exponential();
    if (round(2 * y) > round(x * x)) return round(x + start);
  }
}

/** The upper 56 bits of a draw, rounded to the element type, as a number of [0, 1]. */
function shiftedUnit(high: number, low: number, isFloat: boolean): number {
  const upper = high >>> 8;
  const lower = ((high << 24) | (low >>> 8)) >>> 0;
  return (isFloat ? halvesToFloat(upper, lower) : upper * 4294967296 + lower) * scale56;
}

function identity(x: number): number {
  return x;
}

/** The element type of an array. */
export function elementTypeOf(values: Values): ElementType {
  return values instanceof Float32Array ? "float" : "double";
}

/**
 * Fills an array, in storage order, with uniform numbers of [low, high), which must be numbers of the element type.
 * Source: Source/Math/CPUMatrixImpl.h, SetUniformRandomValue.
 */
export function fillUniform(values: Values, low: number, high: number, seed: bigint | number): void {
  const engine = new MersenneTwister64(seed);
  const elementType = elementTypeOf(values);
  for (let i = 0; i < values.length; i++) values[i] = drawUniform(engine, low, high, elementType);
}

/**
 * Fills an array with normal numbers of the given mean and deviation.
 * Source: Source/Math/CPUMatrixImpl.h, SetGaussianRandomValue.
 */
export function fillNormal(values: Values, mean: number, deviation: number, seed: bigint | number): void {
  const engine = new MersenneTwister64(seed);
  const elementType = elementTypeOf(values);
  const round = elementType === "float" ? Math.fround : identity;
  for (let i = 0; i < values.length; i++) {
    values[i] = round(drawStandardNormal(engine, elementType) * deviation) + mean;
  }
}

/**
 * Fills an array with normal numbers that are drawn again while they lie more than two deviations from the mean.
 * Source: Source/Math/CPUMatrixImpl.h, SetTruncatedNormalRandomValue.
 */
export function fillTruncatedNormal(
  values: Values,
  mean: number,
  deviation: number,
  seed: bigint | number,
): void {
  const engine = new MersenneTwister64(seed);
  const elementType = elementTypeOf(values);
  const round = elementType === "float" ? Math.fround : identity;
  const low = round(mean - 2 * deviation);
  const high = round(mean + 2 * deviation);
  for (let i = 0; i < values.length; i++) {
    let value: number;
    do {
      value = round(round(drawStandardNormal(engine, elementType) * deviation) + mean);
    } while (value < low || value > high);
    values[i] = value;
  }
}
