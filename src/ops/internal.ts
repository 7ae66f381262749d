import type { OpDefinition, InternalResult, Views } from "../network/op-definition.js";
import type { NetworkNode } from "../network/network.js";
import type { Kind } from "../primitives/instruction.js";
import type { Parameters } from "../primitives/parameters.js";
import { signatures } from "../primitives/signatures.js";
import { at, defineOp, memoryNone } from "./define-op.js";
import { withDims } from "./lowering.js";

/*
 * Operations that only cntkts makes: the vocabulary that gradients, updates and companions are written in. They are not
 * differentiated again, they do not appear in logs, and no script or model file can ask for them.
 */

const internal = {
  source: "cntkts: gradients and updates are networks too (docs/architecture.md)",
  internal: true,
  differentiable: "none",
  memory: memoryNone,
} as const;

/** What a node made of one instruction carries as its attributes. */
export interface PrimitiveAttributes<K extends Kind = Kind> {
  readonly parameters: Parameters[K];
  readonly result: InternalResult;
  readonly views?: Views | undefined;
}

/** The op whose nodes are single instructions of a kind; its name is the kind's. */
function primitiveOp(kind: Kind): OpDefinition {
  const { doc, reads } = signatures[kind];
  return defineOp({
    ...internal,
    name: kind,
    doc,
    inputs: reads.map((name) => ({ name, doc: "An operand.", optional: true })),
    variadic: true,
    attributes: {},
    sparseInputs: signatures[kind].takesSparse ? [0, 1, 2] : [],
    shape: ({ node }) => primitiveAttributes(node).result,
    lower({ node, inputs, output, emit }) {
      const { parameters, views } = primitiveAttributes(node);
      const seen = inputs.map((operand, index) => withDims(operand, views?.reads?.[index] ?? operand.dims));
      emit(kind, seen, withDims(output, views?.writes ?? output.dims), parameters);
    },
  });
}

/** The attributes of a node whose op is a primitive. */
export function primitiveAttributes(node: NetworkNode): PrimitiveAttributes {
  return node.attributes as unknown as PrimitiveAttributes;
}

const primitiveOps = new Map(
  (Object.keys(signatures) as Kind[]).map((kind): [Kind, OpDefinition] => [kind, primitiveOp(kind)]),
);

/** The internal op of a kind of instruction. */
export function operationOfPrimitive(kind: Kind): OpDefinition {
  const op = primitiveOps.get(kind);
  if (!op) throw new Error(`there is no primitive ${kind}`);
  return op;
}

/** A value that outlives a run: gradient accumulators, momentum. Attributes: `shape`, `initial` (all elements), `storage`. */
export const stateOp = defineOp({
  ...internal,
  name: "State",
  doc: "A value that lives as long as the executable; only assignments change it.",
  role: "state",
  inputs: [],
  attributes: {
    shape: { kind: "shape", doc: "Dimensions." },
    initial: { kind: "number", doc: "Value of all elements before anybody writes it.", default: 0 },
    touched: {
      kind: "boolean",
      doc: "Only some columns are other than zero, and which is kept.",
      default: false,
    },
  },
  shape: ({ attributes }) => ({
    shape: attributes.shape,
    dynamicAxis: null,
    storage: attributes.touched ? "touched" : "dense",
  }),
});

/** The value of its input, which may be supplied after the node was made: so a cycle can be closed. */
export const laterOp = defineOp({
  ...internal,
  name: "Later",
  doc: "The value of its input.",
  inputs: [{ name: "x", doc: "Attached once it exists.", optional: true }],
  attributes: { shape: { kind: "shape", doc: "Dimensions." } },
  differentiable: "yes",
  shape: ({ attributes }) => ({ shape: attributes.shape, dynamicAxis: null }),
  gradient: ({ outputGradient }) => [outputGradient],
  lower: ({ inputs, output, emit }) => emit("copy", [at(inputs, 0)], output, {}),
});

export const internalOperations: readonly OpDefinition[] = [...primitiveOps.values(), stateOp, laterOp];
