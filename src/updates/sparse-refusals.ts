import type { CntkError } from "../diagnostics/diagnostic.js";
import type { NetworkNode } from "../network/network.js";
import { type NotImplemented, notImplementedError } from "../network/not-implemented.js";

/** An update that CNTK does not do for a sparse gradient. */
export interface SparseRefusal {
  readonly parameter: NetworkNode;
  /** The option that asked for it. */
  readonly option: string;
  readonly place: NotImplemented;
  /** Node of one number; the update is refused where it is not 0. Absent: always. */
  readonly when?: NetworkNode;
}

/** The error for an update that is refused. */
export function sparseGradientError({ parameter, option, place }: SparseRefusal): CntkError {
  const name = `'${parameter.name}'`;
  return notImplementedError(place, {
    code: "sparse-gradient",
    message: `The gradient of ${name} is sparse, and ${option} is not implemented for sparse gradients.`,
    node: parameter,
    label: `${name} is multiplied with sparse data`,
    hint: `leave out ${option}, or declare the data with Input instead of SparseInput: then the gradient is dense`,
  });
}
