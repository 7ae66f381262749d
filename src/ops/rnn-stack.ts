import { elementCount } from "../network/network.js";
import type { Attributes } from "../network/network.js";
import type { OpDefinition } from "../network/op-definition.js";
import { notRunnable } from "./declared.js";
import {
  at,
  booleanAttribute,
  defineOp,
  describe,
  formatDims,
  numberAttribute,
  shapeProblem,
  stringAttribute,
} from "./define-op.js";
import { inferDynamicAxis } from "./shape-rules.js";

/** Networks inside one cell. */
const networksOfCell: Readonly<Record<string, number>> = { lstm: 4, gru: 3, rnnReLU: 1, rnnTanh: 1 };

/**
 * Rows and columns of the matrix that holds all parameters of the stack, for an input of that many elements; every
 * network has two biases, as cuDNN wants it (RNNCommon.h, GetNumParameters).
 */
export function stackParameters(attributes: Attributes, inputDimension: number): readonly [number, number] {
  const hidden = numberAttribute(attributes, "hiddenDims");
  const directions = booleanAttribute(attributes, "bidirectional") ? 2 : 1;
  const networks = networksOfCell[stringAttribute(attributes, "recurrentOp")] ?? 1;
  let total = 0;
  let input = inputDimension;
  for (let layer = 0; layer < numberAttribute(attributes, "numLayers"); layer++) {
    total += networks * hidden * (input + hidden + 2) * directions;
    input = directions * hidden;
  }
  return [hidden, Math.trunc(total / hidden)];
}

const optimizedRnnStack = defineOp({
  name: "OptimizedRNNStack",
  aliases: ["RNN"],
  doc: "A stack of recurrent layers computed by the engine of the graphics card; CNTK has it there only.",
  source: "Source/ComputationNetworkLib/RNNNodes.cpp",
  inputs: [
    { name: "W", doc: "All parameters in one matrix; its size is inferred." },
    { name: "x", doc: "A vector per frame; for axis = 2 a matrix." },
  ],
  attributes: {
    axis: { kind: "integer", doc: "−1: recurrence along the sequence; 2: along the second axis." },
    recurrentOp: { kind: "string", doc: "lstm, gru, rnnReLU or rnnTanh." },
    hiddenDims: { kind: "integer", doc: "Cells of a layer." },
    numLayers: { kind: "integer", doc: "Layers." },
    bidirectional: { kind: "boolean", doc: "Both directions, one above the other." },
  },
  differentiable: "yes",
  memory: { usesOutput: false, usesInputs: "first", forwardTemporaries: 5, backwardTemporaries: 2 },
  shape(context) {
    const { node, attributes, isFinalPass } = context;
    const dynamicAxis = inferDynamicAxis(context);
    const [weights, data] = [at(context.inputs, 0), at(context.inputs, 1)];
    const cell = stringAttribute(attributes, "recurrentOp");
    if (!Object.hasOwn(networksOfCell, cell)) {
      throw shapeProblem(
        node,
        "unknown-cell",
        `Unknown cell type '${cell}'. Supported values are 'lstm', 'gru', 'rnnReLU', 'rnnTanh'.`,
      );
    }
    const axis = numberAttribute(attributes, "axis");
    if (axis !== -1 && axis !== 2) {
      throw shapeProblem(
        node,
        "no-such-axis",
        `OptimizedRNNStack: invalid 'axis' parameter ${axis}, currently supported values are -1 and 2.`,
      );
    }
    if (isFinalPass && data.shape.length !== (axis >= 0 ? 2 : 1)) {
      throw shapeProblem(
        node,
        "shape-mismatch",
        `${describe(node)}: Input [${formatDims(data.shape)}] must have rank 1 for axis=-1 and rank 2 for axis=2.`,
      );
    }
    if (isFinalPass && !dynamicAxis) {
      throw shapeProblem(
        node,
        "no-minibatch-data",
        `${describe(node)}: Input [${formatDims(data.shape)}] must operate on minibatches.`,
      );
    }
    if (weights.shape.length === 0 || data.shape.length === 0)
      return { shape: [], dynamicAxis, storage: "dense" };
    if (weights.shape.length === 2) {
      context.inferParameter(0, stackParameters(attributes, elementCount(data.shape)));
    }
    const directions = booleanAttribute(attributes, "bidirectional") ? 2 : 1;
    const first = directions * numberAttribute(attributes, "hiddenDims");
    return { shape: [first, ...data.shape.slice(1)], dynamicAxis, storage: "dense" };
  },
  ...notRunnable,
});

export const rnnStackOperations: readonly OpDefinition[] = [optimizedRnnStack];
