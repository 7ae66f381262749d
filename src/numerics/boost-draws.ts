import { layerEdges, layerHeights } from "./ziggurat-tables.js";
import type { MersenneTwister32 } from "./standard-shuffle.js";

const two32 = 4294967296;

/** Draws of Boost's distributions from the 32-bit Mersenne Twister, by which CNTK's image transforms are random. */

/** A number of [low, high) (Boost's `uniform_real_distribution<double>`). */
export function drawReal(engine: MersenneTwister32, low: number, high: number): number {
  for (;;) {
    const value = (engine.next() / two32) * (high - low) + low;
    if (value < high) return value;
  }
}

/** A whole number from low to high, both included (Boost's `uniform_int_distribution`): buckets of equal size, else again. */
export function drawInteger(engine: MersenneTwister32, low: number, high: number): number {
  const range = high - low;
  if (range <= 0) return low;
  if (range >= two32 - 1) return low + engine.next();
  let bucket = Math.floor((two32 - 1) / (range + 1));
  if ((two32 - 1) % (range + 1) === range) bucket++;
  for (;;) {
    const value = Math.floor(engine.next() / bucket);
    if (value <= range) return low + value;
  }
}

/** Heads or tails (Boost's `bernoulli_distribution` with probability ½). */
export function drawCoin(engine: MersenneTwister32): boolean {
  return engine.next() <= 0.5 * (two32 - 1);
}

/**
 * A float of the normal distribution with mean 0 and deviation 1: Boost's ziggurat of 128 layers, fed by 32 bits a draw of
 * which the lowest eight choose layer and sign.
 */
export function drawNormal(engine: MersenneTwister32): number {
  const { fround } = Math;
  for (;;) {
    const draw = engine.next();
    const unit = (draw >>> 8) / 2 ** 24;
    const layer = (draw & 0xff) >> 1;
    const sign = draw & 1 ? 1 : -1;
    const x = fround(unit * fround(layerEdges[layer] ?? 0));
    if (x < fround(layerEdges[layer + 1] ?? 0)) return sign * x;
    if (layer === 0) return sign * drawTail(engine);
    const bottom = fround(layerHeights[layer] ?? 0);
    const step = fround(fround(layerHeights[layer + 1] ?? 0) - bottom);
    const y = fround(bottom + fround(fround(engine.next() / two32) * step));
    if (y < fround(Math.exp(fround(fround(-x * x) / 2)))) return sign * x;
  }
}

/** Beyond the last layer: a pair of exponential numbers, drawn until they fit. */
function drawTail(engine: MersenneTwister32): number {
  const start = Math.fround(layerEdges[1] ?? 0);
  for (;;) {
    const x = -Math.log(1 - engine.next() / two32) / start;
    const y = -Math.log(1 - engine.next() / two32);
    if (2 * y > x * x) return Math.fround(x + start);
  }
}
