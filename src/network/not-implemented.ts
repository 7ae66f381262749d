import { CntkError } from "../diagnostics/diagnostic.js";
import type { NetworkNode, NodeFacts } from "./network.js";

/** A place of CNTK's matrix library that has no code for sparse matrices on a CPU (Source/Math/Matrix.cpp). */
export interface NotImplemented {
  readonly function: string;
  readonly line: number;
}

/** The error for something that CNTK does not implement: its own sentence, before it what that means for the network. */
export function notImplementedError(
  place: NotImplemented,
  about: {
    readonly code: string;
    readonly message: string;
    readonly node: NetworkNode;
    readonly label: string;
    readonly hint: string;
  },
): CntkError {
  const { code, message, node, label, hint } = about;
  const sentence = `Inside File: Source/Math/Matrix.cpp  Line: ${place.line}  Function: ${place.function}  -> Feature Not Implemented.`;
  return new CntkError({
    code,
    message: `${message} ${sentence}`,
    logged: sentence,
    ...(node.origin && { span: node.origin, label }),
    ...(node.calls && { calls: node.calls.map((span) => ({ span })) }),
    hint,
  });
}

/**
 * Refuses to compute nodes (in evaluation order) one of whose inputs is sparse data that CNTK's CPU code for the operation
 * does not take. To be asked when data are there: CNTK notices with the first minibatch.
 * @throws CntkError `sparse-input` with CNTK's sentence
 */
export function refuseSparseInputs(
  order: readonly NetworkNode[],
  facts: ReadonlyMap<NetworkNode, NodeFacts>,
): void {
  for (const node of order) {
    node.inputs.forEach((input, index) => {
      const place = node.op.sparseNotImplemented?.[index];
      if (!place || input.op.role !== "input" || facts.get(input)?.storage !== "sparse") return;
      throw notImplementedError(place, {
        code: "sparse-input",
        message: `${node.op.name} does not take sparse data, and '${input.name}' is sparse.`,
        node,
        label: `takes '${input.name}'`,
        hint: `declare '${input.name}' with Input instead of SparseInput; the reader's format may stay sparse`,
      });
    });
  }
}
