import type { Geometry } from "../primitives/geometry.js";

/**
 * What the shape rule of a node with windows works out, once, for whoever asks later: gradient and lowering, cropping, exporters.
 */
export interface WindowDetails {
  /** How the windows lie over memory. */
  readonly geometry: Geometry;
  /** Convolution in the layout HWC: the axes of its weights in memory, where the kernels vary fastest. */
  readonly legacyWeights?: readonly number[];
}

/** Those of a pooling. */
export interface PoolDetails extends WindowDetails {
  readonly mode: "max" | "average";
  /** Does an average count the cells outside of the input? */
  readonly includePad: boolean;
  /** The windows give more than the result, which is cut off. */
  readonly isCut?: boolean;
}

/** The details of a node of which the final pass of validation is over, as its kind of operation has them. */
export function windowDetailsOf<T extends WindowDetails = WindowDetails>({
  details,
}: {
  readonly details?: unknown;
}): T {
  if (typeof details !== "object" || details === null || !("geometry" in details))
    throw new Error("a node has no windows");
  return details as T;
}
