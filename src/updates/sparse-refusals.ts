import type { NetworkNode } from "../network/network.js";
import { CntkError } from "../diagnostics/diagnostic.js";

/** A place of CNTK's matrix library that has no code for sparse matrices on a CPU (Source/Math/Matrix.cpp). */
export interface NotImplemented {
  readonly function: string;
  readonly line: number;
}

/** An update that CNTK does not do for a sparse gradient. */
export interface SparseRefusal {
  readonly parameter: NetworkNode;
  /** The option that asked for it. */
  readonly option: string;
  readonly place: NotImplemented;
  /** Node of one number; the update is refused where it is not 0. Absent: always. */
  readonly when?: NetworkNode;
}

/** CNTK's sentence, which its log has a line of. */
export function notImplementedSentence({ function: name, line }: NotImplemented): string {
  return `Inside File: Source/Math/Matrix.cpp  Line: ${line}  Function: ${name}  -> Feature Not Implemented.`;
}

/** The error for an update that is refused. */
export function sparseGradientError({ parameter, option, place }: SparseRefusal): CntkError {
  return new CntkError({
    code: "sparse-gradient",
    message:
      `The gradient of '${parameter.name}' is sparse, and ${option} is not implemented for sparse gradients. ` +
      notImplementedSentence(place),
    ...(parameter.origin && {
      span: parameter.origin,
      label: `'${parameter.name}' is multiplied with sparse data`,
    }),
    ...(parameter.calls && { calls: parameter.calls.map((span) => ({ span })) }),
    hint: `leave out ${option}, or declare the data with Input instead of SparseInput: then the gradient is dense`,
  });
}
