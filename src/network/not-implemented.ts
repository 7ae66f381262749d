import { CntkError } from "../diagnostics/diagnostic.js";
import { elementCount, type NetworkNode, type NodeFacts } from "./network.js";
import type { DataInput } from "./op-definition.js";

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
export function refuseData(order: readonly NetworkNode[], facts: ReadonlyMap<NetworkNode, NodeFacts>): void {
  for (const node of order) {
    const inputs = node.inputs.map((input) => {
      const { shape = [], dynamicAxis = null } = facts.get(input) ?? {};
      return { node: input, elements: elementCount(shape), hasDynamicAxis: dynamicAxis !== null };
    });
    const refusal = node.op.refusesData?.(inputs);
    if (refusal) throw dataError(node, refusal, inputs);
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

function dataError(node: NetworkNode, message: string, inputs: readonly DataInput[]): CntkError {
  const described = inputs.slice(0, 2).map(({ node: { name }, elements, hasDynamicAxis }) => {
    return `'${name}' has ${elements} elements${hasDynamicAxis ? " per sample" : " and no samples"}`;
  });
  return new CntkError({
    code: "sample-sizes",
    message,
    ...(node.origin && { span: node.origin, label: described.join(", ") }),
    ...(node.calls && { calls: node.calls.map((span) => ({ span })) }),
    hint: `${node.op.name} takes samples with samples, and stretches none of them`,
  });
}
