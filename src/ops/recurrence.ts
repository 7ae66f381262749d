import type { AttributesOf } from "../network/attributes.js";
import type {
  GradientContext,
  LoweringContext,
  OpDefinition,
  ShapeContext,
  ShapeResult,
} from "../network/op-definition.js";
import type { NetworkNode } from "../network/network.js";
import { field, type StoredLayout } from "../network/stored-fields.js";
import { constant } from "../primitives/expression.js";
import { problem } from "./declared.js";
import { at, defineOp, memoryNone } from "./define-op.js";
import { mapped } from "./lowering.js";
import { binaryZip, unaryMap } from "./shape-rules.js";

/*
 * Delay nodes: the only nodes that may close a cycle, because what they read was computed at another step.
 */

const declarations = {
  // CNTK reads them from the last to the first, which decides what it misses first.
  timeStep: { kind: "integer", natural: true, doc: "Number of steps, at least 1." },
  shape: { kind: "shape", doc: "Dimensions printed until the input is known; [0] in the library." },
  defaultHiddenActivation: {
    kind: "number",
    doc: "The value beyond the end of a sequence when there is no initial state.",
  },
} as const;

type DelayAttributes = AttributesOf<typeof declarations>;

/** Like the input, or like input and initial state broadcast to each other (DelayedValueNodeBase::Validate). */
function delayedShape(context: ShapeContext<DelayAttributes>): ShapeResult {
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
  if (inputs[1]?.dynamicAxis && attributes.defaultHiddenActivation !== 0) {
    throw problem(
      context,
      " requires the scalar initial value to be 0 if the second input (initial state) has a dynamic axis.",
      "say defaultHiddenActivation = 0",
      "initial-state",
    );
  }
  return result;
}

/** The value of `steps` frames ago (ahead, if negative); only the past goes on from minibatch to minibatch. */
function lowerDelay(context: LoweringContext<DelayAttributes>, steps: number): void {
  const { attributes, inputs, output } = context;
  const x = at(inputs, 0);
  const initial = inputs[1] ?? mapped(context, constant(attributes.defaultHiddenActivation), [], [1]);
  // Nothing is kept of the future: a sequence that goes on in the next minibatch is an error there, as in CNTK.
  const operands = steps > 0 ? [x, initial, context.carried(x, steps)] : [x, initial];
  context.emit("shift", operands, output, { steps, carries: true });
}

/** The gradient of a delay is the opposite delay, which brings nothing in at the ends and does not leave the minibatch. */
function gradientOfDelay(
  { inputs, outputGradient, wants, build }: GradientContext<DelayAttributes>,
  steps: number,
): readonly (NetworkNode | null)[] {
  const { shape, dynamicAxis } = build.facts(outputGradient);
  const opposite = (): NetworkNode => {
    const operands = [outputGradient, build.map(constant(0), [])];
    const parameters = { steps: 0 - steps, carries: false };
    return build.primitive("shift", operands, parameters, { shape, dynamicAxis });
  };
  const [, initial] = inputs;
  if (!initial) return [wants(0) ? opposite() : null];
  const ofInitial = (): NetworkNode => {
    const own = build.facts(initial).dynamicAxis;
    const result = { shape, dynamicAxis: own ?? dynamicAxis };
    return build.primitive("shiftInitialGradient", [outputGradient, initial], { steps }, result);
  };
  return [wants(0) ? opposite() : null, wants(1) ? ofInitial() : null];
}

const storedDelay: StoredLayout = {
  fields: [
    field("timeStep", "signed4", { otherwise: 1 }),
    field("rows", "unsigned8", { until: 4 }),
    field("columns", "unsigned8", { until: 4 }),
    field("shape", "shape", { since: 4, otherwise: [] }),
    field("initialState", "element", { since: 2, attribute: "defaultHiddenActivation", otherwise: 0.1 }),
  ],
  upgrade: (old, version) => (version >= 4 ? old : { ...old, shape: [Number(old["rows"])] }),
  downgrade(today, version) {
    if (version >= 4) return today;
    const [rows = 0, ...others] = today["shape"] as readonly number[];
    return { ...today, rows, columns: others.reduce((product, dim) => product * dim, 1) };
  },
};

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
  attributes: declarations,
  stored: storedDelay,
  differentiable: "yes",
  memory: { ...memoryNone, ownMatrix: true },
  shape: delayedShape,
} as const;

const pastValue = defineOp({
  ...delay,
  name: "PastValue",
  aliases: ["Delay"],
  delay: 1,
  doc: "The value of timeStep steps ago; carries on from the last minibatch where sequences are truncated.",
  gradient: (context) => gradientOfDelay(context, context.attributes.timeStep),
  lower: (context) => lowerDelay(context, context.attributes.timeStep),
});

const futureValue = defineOp({
  ...delay,
  name: "FutureValue",
  delay: -1,
  doc: "The value timeStep steps ahead.",
  gradient: (context) => gradientOfDelay(context, 0 - context.attributes.timeStep),
  lower: (context) => lowerDelay(context, 0 - context.attributes.timeStep),
});

export const recurrenceOperations: readonly OpDefinition[] = [pastValue, futureValue];
