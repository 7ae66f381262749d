import type { OpDefinition, ShapeContext, ShapeResult } from "../network/op-definition.js";
import { notRunnable, problem } from "./declared.js";
import { at, defineOp, memoryNone, numberAttribute } from "./define-op.js";
import { binaryZip, unaryMap } from "./shape-rules.js";

/*
 * Delay nodes: the only nodes that may close a cycle, because what they read was computed at another step.
 */

/** Like the input, or like input and initial state broadcast to each other (DelayedValueNodeBase::Validate). */
function delayedShape(context: ShapeContext): ShapeResult {
  const { attributes, inputs, isFinalPass } = context;
  const found = inputs.length === 1 ? unaryMap(context) : binaryZip(context);
  // A model file keeps the dimensions found, not those written.
  const result = { ...found, attributes: { ...attributes, shape: found.shape } };
  if (!isFinalPass) return result;
  if (!at(inputs, 0).dynamicAxis) {
    throw problem(
      context,
      " requires the main (first) input to have a dynamic axis.",
      `'${at(inputs, 0).node.name}' has no samples, so there is no earlier or later one`,
      "no-minibatch-data",
    );
  }
  if (inputs[1]?.dynamicAxis && numberAttribute(attributes, "defaultHiddenActivation") !== 0) {
    throw problem(
      context,
      " requires the scalar initial value to be 0 if the second input (initial state) has a dynamic axis.",
      "say defaultHiddenActivation = 0",
      "initial-state",
    );
  }
  return result;
}

const delay = {
  source: "Source/ComputationNetworkLib/RecurrentNodes.cpp",
  inputs: [
    { name: "x", doc: "The sequence; may depend on the node itself." },
    {
      name: "initialState",
      doc:
        "Values beyond the end of a sequence: a tensor for all, or a sequence whose frames next to that end are taken (or " +
        "its only one).",
      optional: true,
    },
  ],
  attributes: {
    // CNTK reads them from the last to the first, which decides what it misses first.
    timeStep: { kind: "integer", doc: "Number of steps, at least 1." },
    shape: { kind: "shape", doc: "Dimensions printed until the input is known; [0] in the library." },
    defaultHiddenActivation: {
      kind: "number",
      doc: "The value beyond the end of a sequence when there is no initial state.",
    },
  },
  delay: true,
  differentiable: "yes",
  memory: { ...memoryNone, ownMatrix: true },
  shape: delayedShape,
  ...notRunnable,
} as const;

const pastValue = defineOp({
  ...delay,
  name: "PastValue",
  aliases: ["Delay"],
  doc: "The value of timeStep steps ago; carries on from the last minibatch where sequences are truncated.",
});

const futureValue = defineOp({
  ...delay,
  name: "FutureValue",
  doc: "The value timeStep steps ahead.",
});

export const recurrenceOperations: readonly OpDefinition[] = [pastValue, futureValue];
