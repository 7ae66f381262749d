import type { NetworkNode } from "../network/network.js";
import { elementCount } from "../network/network.js";
import type { GraphBuilder } from "../network/op-definition.js";
import {
  add,
  argument,
  binary,
  constant,
  divide,
  multiply,
  scalar,
  select,
  subtract,
  unary,
} from "../primitives/expression.js";
import { isTouched, mapTouched, reduceTouched } from "./touched.js";
import { eachRate, perRate, type UpdateNumbers, type UpdateOptions } from "./update-rule.js";

const clip = scalar("clip");
const truncated = binary("minimum", binary("maximum", argument(0), unary("negate", clip)), clip);

/** `clip`, `l2`: threshold and weight times the samples; `l1`, once per learningRateMultiplier, also times the rate. */
export function penaltyScalars(numbers: UpdateNumbers, options: UpdateOptions): Record<string, number> {
  const { samples, round } = numbers;
  const { clippingThresholdPerSample, clippingWithTruncation, l1Weight, l2Weight } = options;
  // Truncation takes the limit without its sign (Math/CPUMatrixImpl.h, InplaceTruncate).
  const threshold = clippingWithTruncation
    ? Math.abs(clippingThresholdPerSample)
    : clippingThresholdPerSample;
  return {
    ...(Number.isFinite(threshold) && { clip: round(threshold * samples) }),
    l2: round(l2Weight * samples),
    ...eachRate("l1", numbers, (rate) => round(rate * l1Weight * samples)),
  };
}

/** Are gradients scaled down as a whole when their norm is too large? */
export function clipsByNorm(options: UpdateOptions): boolean {
  return Number.isFinite(options.clippingThresholdPerSample) && !options.clippingWithTruncation;
}

/**
 * Keeps a gradient within its limit: each element, or the norm of the whole (SGD.cpp, ClipGradient). A touched one is only
 * truncated: for its norm see `exceedsNorm`.
 */
export function clipped(build: GraphBuilder, gradient: NetworkNode, options: UpdateOptions): NetworkNode {
  if (!Number.isFinite(options.clippingThresholdPerSample)) return gradient;
  if (isTouched(build, gradient)) {
    return options.clippingWithTruncation ? mapTouched(build, truncated, [gradient]) : gradient;
  }
  const g = argument(0);
  if (options.clippingWithTruncation) return build.map(truncated, [gradient]);
  const squares = build.map(multiply(g, g), [gradient]);
  const total = build.reduceTo(build.reshape(squares, [elementCount(build.facts(squares).shape)]), [1], null);
  const norm = build.map(unary("squareRoot", argument(0)), [total]);
  const limited = select(binary("greater", argument(1), clip), multiply(g, divide(clip, argument(1))), g);
  return build.map(limited, [gradient, norm]);
}

/** 1 where the norm of a touched gradient is above the limit, which CNTK only notices then; else 0. */
export function exceedsNorm(build: GraphBuilder, gradient: NetworkNode): NetworkNode {
  const squares = mapTouched(build, multiply(argument(0), argument(0)), [gradient]);
  const total = reduceTouched(build, "sum", squares);
  return build.map(binary("greater", unary("squareRoot", argument(0)), clip), [total]);
}

/** Adds the gradient of the L2 penalty, after clipping. */
export function withL2(
  build: GraphBuilder,
  gradient: NetworkNode,
  weights: NetworkNode,
  options: UpdateOptions,
): NetworkNode {
  if (!(options.l2Weight > 0)) return gradient;
  return build.map(add(argument(0), multiply(scalar("l2"), argument(1))), [gradient, weights]);
}

/** The L1 penalty moves the updated weights towards zero, and to zero those that are nearer than the step. */
export function withL1(
  build: GraphBuilder,
  weights: NetworkNode,
  multiplier: number,
  options: UpdateOptions,
): NetworkNode {
  if (!(options.l1Weight > 0)) return weights;
  const w = argument(0);
  const threshold = scalar(perRate("l1", multiplier));
  const below = select(binary("less", w, unary("negate", threshold)), add(w, threshold), constant(0));
  return build.map(select(binary("greater", w, threshold), subtract(w, threshold), below), [weights]);
}
