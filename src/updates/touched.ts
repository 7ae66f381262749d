import type { NetworkNode } from "../network/network.js";
import type { GraphBuilder } from "../network/op-definition.js";
import type { Expression } from "../primitives/expression.js";

/** Has the node only some columns that can be other than zero, and a list of them? */
export function isTouched(build: GraphBuilder, node: NetworkNode): boolean {
  return build.facts(node).storage === "touched";
}

/** expression(touched, x…) in the columns that `touched` lists; costs nothing in the others. */
export function mapTouched(
  build: GraphBuilder,
  expression: Expression,
  [touched, ...others]: readonly [NetworkNode, ...NetworkNode[]],
): NetworkNode {
  const { shape } = build.facts(touched);
  const result = { shape, dynamicAxis: null, storage: "touched" } as const;
  return build.primitive("mapTouched", [touched, ...others], { expression }, result);
}

/** `value` itself where it is dense, else `base` with the columns that it lists replaced. */
export function whole(build: GraphBuilder, base: NetworkNode, value: NetworkNode): NetworkNode {
  if (!isTouched(build, value)) return value;
  const { shape } = build.facts(base);
  return build.primitive("putTouched", [base, value], {}, { shape, dynamicAxis: null });
}

/** Sum or mean of the elements in the columns that `touched` lists: one number, 0 where it lists none. */
export function reduceTouched(
  build: GraphBuilder,
  operation: "sum" | "mean",
  touched: NetworkNode,
): NetworkNode {
  return build.primitive("reduceTouched", [touched], { operation }, { shape: [1], dynamicAxis: null });
}
