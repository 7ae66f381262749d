import type { NetworkNode, SampleShape } from "../network/network.js";
import type { GraphBuilder } from "../network/op-definition.js";

/*
 * For operations that are written out as others: what several of them need. Everything here has a gradient.
 */

/** Node: the same elements under another shape. */
export function reshaped(build: GraphBuilder, x: NetworkNode, shape: SampleShape): NetworkNode {
  return build.applyNamed("Reshape", [x], { shape, beginAxis: 0, endAxis: 0 });
}

/** Node: the elements [begin, end) of a vector. */
export function cutOut(build: GraphBuilder, x: NetworkNode, begin: number, end: number): NetworkNode {
  return build.applyNamed("Slice", [x], { axis: 1, beginIndex: begin, endIndex: end });
}
