import { CntkError } from "../diagnostics/diagnostic.js";
import { elementCount, type NetworkNode, type NodeFacts } from "./network.js";

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
 * Refuses to compute nodes (in evaluation order) whose inputs CNTK's CPU code for the operation does not take: sparse data,
 * or samples of other sizes. To be asked when data are there: CNTK notices with the first minibatch.
 * @throws CntkError `sparse-input`, `sample-sizes` with CNTK's sentence
 */
export function refuseData(
  order: readonly NetworkNode[],
  facts: ReadonlyMap<NetworkNode, NodeFacts>,
): void {
  for (const node of order) {
    const sizes = node.inputs.map((input) => elementCount(facts.get(input)?.shape ?? []));
    const mismatch = node.op.refusesSizes?.(sizes);
    if (mismatch) throw sizeError(node, mismatch, sizes);
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

function sizeError(node: NetworkNode, message: string, sizes: readonly number[]): CntkError {
  const counts = node.inputs.slice(0, 2).map(({ name }, index) => `'${name}' has ${sizes[index] ?? 0}`);
  return new CntkError({
    code: "sample-sizes",
    message,
    ...(node.origin && { span: node.origin, label: `${counts.join(", ")} elements per sample` }),
    ...(node.calls && { calls: node.calls.map((span) => ({ span })) }),
    hint: `${node.op.name} compares samples element by element, and stretches none of them`,
  });
}
