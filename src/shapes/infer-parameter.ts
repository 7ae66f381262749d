import type { SampleShape } from "../network/network.js";
import { elementCount } from "../network/network.js";

/**
 * The shape a parameter with unknown (zero) dimensions takes from `like`, or undefined when nothing can be inferred:
 * all dimensions known, `like` itself unknown, or of smaller rank. Wholly unknown dimensions take `like` as it is, even
 * its rank; others are extended to its rank and filled axis by axis.
 * Source: InputAndParamNodes.cpp, LearnableParameter::InferInputDimsFrom.
 */
export function inferredShape(own: SampleShape, like: SampleShape): SampleShape | undefined {
  if (elementCount(own) !== 0 || elementCount(like) === 0) return undefined;
  if (own.every((dim) => dim === 0)) return like;
  if (own.length > like.length) return undefined;
  return like.map((dim, axis) => own[axis] || dim);
}
