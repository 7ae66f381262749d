import { CntkError } from "../diagnostics/diagnostic.js";
import { elementCount, type NetworkNode, type NodeFacts } from "./network.js";
import type { DataInput, DataRefusal } from "./op-definition.js";

/** A place of CNTK's matrix library that has no code for sparse matrices on a CPU (Source/Math/Matrix.cpp). */
export interface NotImplemented {
  readonly function: string;
  readonly line: number;
  /** In Source/Math, if it is not Matrix.cpp. */
  readonly file?: string;
}

/** What CNTK's CPU code says to sparse data: where it has none for them, or a sentence of its own. */
export type SparseDataRefusal = NotImplemented | string;

/** Sparse data as a node meets them. */
export interface SparseUse {
  readonly node: NetworkNode;
  /** Which input is sparse. */
  readonly index: number;
  readonly facts: (node: NetworkNode) => NodeFacts | undefined;
  /** Of the training that is on; undefined where nothing learns. */
  readonly dropoutRate: number | undefined;
}

const tensors = "TensorOp: Tensor operations are currently not supported for sparse matrices.";

/** Whatever CNTK computes by its tensor library takes no sparse data. */
export function refusedByTensors(): SparseDataRefusal {
  return tensors;
}

/** Is the input a sparse one whose gradients are taken as well? */
export function learnsInput({ node, facts, dropoutRate }: SparseUse, index: number): boolean {
  const input = node.inputs[index];
  return dropoutRate !== undefined && input !== undefined && facts(input)?.needsGradient === true;
}

/** The error for something that CNTK does not implement: its own sentence, before it what that means for the network. */
export function notImplementedError(
  place: SparseDataRefusal,
  about: {
    readonly code: string;
    readonly message: string;
    readonly node: NetworkNode;
    readonly label: string;
    readonly hint: string;
  },
): CntkError {
  const { code, message, node, label, hint } = about;
  const sentence = typeof place === "string" ? place : sentenceOf(place);
  return new CntkError({
    code,
    message: `${message} ${sentence}`,
    ...(typeof place !== "string" && { logged: sentence }),
    ...(node.origin && { span: node.origin, label }),
    ...(node.calls && { calls: node.calls.map((span) => ({ span })) }),
    hint,
  });
}

/**
 * Refuses to compute nodes (in evaluation order) whose inputs CNTK's CPU code for the operation does not take: sparse data,
 * or samples of other sizes. To be asked when data are there: CNTK notices with the first minibatch. `dropoutRate`: of the
 * training, if gradients are wanted as well.
 * @throws CntkError `sparse-input`, `sample-sizes` and others with CNTK's sentence
 */
export function refuseData(
  order: readonly NetworkNode[],
  facts: ReadonlyMap<NetworkNode, NodeFacts>,
  dropoutRate?: number,
): void {
  for (const node of order) {
    const inputs = node.inputs.map((input) => {
      const { shape = [], dynamicAxis = null } = facts.get(input) ?? {};
      return { node: input, shape, elements: elementCount(shape), hasDynamicAxis: dynamicAxis !== null };
    });
    const own = facts.get(node);
    const learns = dropoutRate !== undefined && own?.needsGradient === true;
    const refusal = node.op.refusesData?.(inputs, { facts: own, learns });
    if (refusal) throw dataError(node, refusal, inputs);
    node.inputs.forEach((input, index) => {
      if (input.op.role !== "input" || facts.get(input)?.storage !== "sparse") return;
      const place = node.op.refusesSparse?.({ node, index, facts: (of) => facts.get(of), dropoutRate });
      if (!place) return;
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

/**
 * Refuses to take minibatches apart where one of their inputs is sparse.
 * @throws CntkError `sparse-pieces` with CNTK's sentence
 */
export function refusePieces(
  order: readonly NetworkNode[],
  facts: ReadonlyMap<NetworkNode, NodeFacts>,
): void {
  const input = order.find((node) => node.op.role === "input" && facts.get(node)?.storage === "sparse");
  if (!input) return;
  throw notImplementedError(
    { function: "Reshape", line: 1864 },
    {
      code: "sparse-pieces",
      message: `Minibatches are not taken apart where '${input.name}' is sparse.`,
      node: input,
      label: `'${input.name}' is sparse`,
      hint: "leave out numSubminibatches and maxSamplesInRAM, or declare the data with Input instead of SparseInput",
    },
  );
}

function dataError(node: NetworkNode, refusal: DataRefusal, inputs: readonly DataInput[]): CntkError {
  const described = inputs.slice(0, 2).map(({ node: { name }, elements, hasDynamicAxis }) => {
    return `'${name}' has ${elements} elements${hasDynamicAxis ? " per sample" : " and no samples"}`;
  });
  return new CntkError({
    ...(typeof refusal === "string"
      ? {
          code: "sample-sizes",
          message: refusal,
          hint: `${node.op.name} takes samples with samples, and stretches none of them`,
        }
      : refusal),
    ...(node.origin && { span: node.origin, label: described.join(", ") }),
    ...(node.calls && { calls: node.calls.map((span) => ({ span })) }),
  });
}

function sentenceOf({ file = "Matrix.cpp", line, function: name }: NotImplemented): string {
  return `Inside File: Source/Math/${file}  Line: ${line}  Function: ${name}  -> Feature Not Implemented.`;
}
