import { CntkError } from "../diagnostics/diagnostic.js";
import type { Network, NetworkNode } from "../network/network.js";
import type { OpDefinition } from "../network/op-definition.js";
import { field, type StoredLayout } from "../network/stored-fields.js";
import { defineOp, memoryNone, shapeProblem } from "./define-op.js";
import { operationByName, operations } from "./index.js";

/*
 * Operations of CNTK that cntkts knows by name only: a model with such nodes is read, listed, edited and written back; only
 * running it is refused.
 */

const nothing: StoredLayout = { fields: [] };
const axisName: StoredLayout = { fields: [field("dynamicAxis", "wideText", { otherwise: "" })] };

/** Operations of CNTK's library that its BrainScript cannot name, and what a model file that holds them keeps of each. */
const libraryOperations: Readonly<Record<string, StoredLayout>> = {
  Assign: nothing,
  Cos: nothing,
  CRF: nothing,
  ExponentialLinearUnit: nothing,
  GMMLogLikelihood: nothing,
  Gather: nothing,
  OneHot: nothing,
  OutputMultiplexer: nothing,
  Pow: nothing,
  RandomDistribution: nothing,
  SequenceDecoderNode: nothing,
  StopGradient: nothing,
  ToSequence: axisName,
  ToSequenceLike: axisName,
  UserDefinedV2Function: nothing,
  UnpackSequence: {
    fields: [
      field("paddingValue", "element", { otherwise: 0 }),
      field("suppressMask", "boolean", { otherwise: false }),
    ],
  },
};

/** The node type that a model file calls so, by today's name or an older one; undefined for one that CNTK does not have. */
export function operationOfModelFile(name: string): OpDefinition | undefined {
  const stored = Object.hasOwn(libraryOperations, name) ? libraryOperations[name] : undefined;
  return stored ? unavailableOperation({ name, stored }) : operationByName(name);
}

/** Names, older ones too, of all operations that a model file may hold. */
export function modelFileOperationNames(): string[] {
  const scripted = operations.filter(({ internal }) => !internal);
  return [
    ...scripted.flatMap(({ name, aliases = [] }) => [name, ...aliases]),
    ...Object.keys(libraryOperations),
  ];
}

const made = new Map<string, OpDefinition>();
const standIns = new Set<OpDefinition>();

/**
 * A stand-in for an operation that cannot be run: takes any inputs, and its shape rule refuses by name.
 * @param what says what of it is not available, where other nodes of the operation are
 */
export function unavailableOperation(
  { name, stored }: Pick<OpDefinition, "name" | "stored">,
  what = name,
): OpDefinition {
  const known = made.get(what);
  if (known) return known;
  const op = defineOp({
    name,
    doc: "Not available yet.",
    source: "Source/ComputationNetworkLib/ComputationNetworkBuilder.cpp",
    inputs: [{ name: "x", doc: "Any inputs.", optional: true }],
    variadic: true,
    attributes: {},
    stored,
    differentiable: "error",
    memory: memoryNone,
    shape: ({ node }) => {
      throw notAvailable(node, what);
    },
  });
  made.set(what, op);
  standIns.add(op);
  return op;
}

const builtWithout = "CNTK 2.0 is built without it, too";

/** Why an operation is not there, where that is more than that nobody has written it yet. */
const reasons: Readonly<Record<string, string>> = {
  CRF: builtWithout,
  GMMLogLikelihood: builtWithout,
  SequenceDecoderNode: builtWithout,
  SequenceWithSoftmax:
    "it is computed from lattices and the phone models of a speech recognizer, whose readers are not there",
};

function refusal(name: string): string {
  const reason = Object.hasOwn(reasons, name) ? reasons[name] : undefined;
  return reason ? `${name} is not available: ${reason}` : `${name} is not available yet`;
}

function notAvailable(node: NetworkNode, what: string): CntkError {
  return shapeProblem(node, "not-available", `${refusal(what)} (node '${node.name}')`);
}

/** Names of the operations of a network that cannot be run, sorted. */
export function unavailableOperations({ nodes }: Pick<Network, "nodes">): string[] {
  const names = nodes.filter(({ op }) => op.runnable === false || standIns.has(op)).map(({ op }) => op.name);
  return [...new Set(names)].sort();
}

/** @throws CntkError `operation-unsupported`, naming the operations of the network that cannot be run. */
export function requireRunnable(network: Pick<Network, "nodes">): void {
  const names = unavailableOperations(network);
  if (names.length === 0) return;
  const first = network.nodes.find(({ op }) => op.name === names[0]);
  throw new CntkError({
    code: "operation-unsupported",
    message: `The model has nodes that are not supported yet: ${names.join(", ")}.`,
    hint: `${refusal(names[0] ?? "")} (node '${first?.name}'); print-nodes lists the nodes`,
  });
}
