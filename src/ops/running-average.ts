import type { NetworkNode } from "../network/network.js";
import type { GraphBuilder } from "../network/op-definition.js";
import {
  add,
  argument,
  binary,
  constant,
  divide,
  multiply,
  select,
  unary,
} from "../primitives/expression.js";
import type { Expression } from "../primitives/expression.js";

/** A mean that grows with the minibatches; all are nodes, the counts `[1]`. */
export interface RunningAverage {
  readonly average: NetworkNode;
  /** Samples in it so far, and with those of this minibatch. */
  readonly count: NetworkNode;
  readonly total: NetworkNode;
}

/**
 * Node: the mean after a minibatch whose samples add up to `sum`. CNTK divides 1 by the number of samples in single precision,
 * also in double (LinearAlgebraNodes.cpp, UpdateRunningAverage).
 */
export function runningAverage(
  build: GraphBuilder,
  { average, count, total }: RunningAverage,
  sum: NetworkNode,
): NetworkNode {
  const [old, added, before, samples] = [argument(0), argument(1), argument(2), argument(3)];
  const divisor: Expression = select(binary("equal", samples, constant(0)), constant(1), samples);
  const share = unary("toSingle", divide(constant(1), unary("toSingle", divisor)));
  const updated = add(multiply(divide(before, divisor), old), multiply(share, added));
  return build.map(updated, [average, sum, count, total]);
}
