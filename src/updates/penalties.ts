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
import { perRate } from "./scalars.js";
import type { UpdateOptions } from "./update-rule.js";

const clip = scalar("clip");

/** Keeps a gradient within its limit: each element, or the norm of the whole (SGD.cpp, ClipGradient). */
export function clipped(build: GraphBuilder, gradient: NetworkNode, options: UpdateOptions): NetworkNode {
  if (!Number.isFinite(options.clippingThresholdPerSample)) return gradient;
  const g = argument(0);
  if (options.clippingWithTruncation) {
    return build.map(binary("minimum", binary("maximum", g, unary("negate", clip)), clip), [gradient]);
  }
  const squares = build.map(multiply(g, g), [gradient]);
  const total = build.reduceTo(build.reshape(squares, [elementCount(build.facts(squares).shape)]), [1], null);
  const norm = build.map(unary("squareRoot", argument(0)), [total]);
  const limited = select(binary("greater", argument(1), clip), multiply(g, divide(clip, argument(1))), g);
  return build.map(limited, [gradient, norm]);
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
