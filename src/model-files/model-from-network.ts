import type {
  Network,
  NetworkNode,
  NodeFacts,
  NodeGroup,
  ParameterValues,
  SampleShape,
  ShapedNetwork,
} from "../network/network.js";
import { type ElementType, inElementType } from "../numerics/values.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import type { FieldValue, ModelFile, ModelMatrix, ModelNode, Whole } from "./model-file.js";
import { currentModelVersion } from "./model-file.js";
import { type Fields, fieldsFromAttributes, type StoredField } from "../network/stored-fields.js";
import { byNameIgnoringCase } from "./upgrade-model.js";

/** State of a random engine: its seed, and how many numbers were drawn. */
export interface EngineState {
  readonly seed: Whole;
  readonly offset: Whole;
}

/**
 * The model file of a network: nodes by name without regard to case, attributes as the shape stage completed them.
 * `values` holds the values of every parameter (and of Mean and InvStdDev nodes). Without `engines`, random nodes get the
 * seeds of a network that was never evaluated: 1, 2, … from the last consumer on.
 */
export function modelFromNetwork(
  shaped: ShapedNetwork,
  values: ReadonlyMap<NetworkNode, ParameterValues>,
  elementType: ElementType,
  engines?: ReadonlyMap<NetworkNode, EngineState>,
): ModelFile {
  const states = engines ?? untouchedEngines(shaped);
  return modelOf(shaped.network, (node) =>
    modelNode(node, shaped.facts.get(node), values, elementType, states.get(node)),
  );
}

/**
 * The model file of a network as it is, without inferring anything: of one that came from a model file and was edited, or that
 * holds operations which cannot be run. Random engines and shapes stay what the attributes say.
 */
export function modelFromUnshapedNetwork(network: Network, elementType: ElementType): ModelFile {
  return modelOf(network, (node) => modelNode(node, undefined, network.values, elementType, undefined));
}

function modelOf(network: Network, describe: (node: NetworkNode) => ModelNode): ModelFile {
  const nodes = network.nodes
    .filter((node) => !node.internal)
    .map(describe)
    .sort(byNameIgnoringCase);
  const names = (group: NodeGroup): string[] => network.groups[group].map((node) => node.name);
  return {
    version: currentModelVersion,
    nodes,
    groups: {
      feature: names("feature"),
      label: names("label"),
      criterion: names("criterion"),
      evaluation: names("evaluation"),
      output: names("output"),
    },
  };
}

function modelNode(
  node: NetworkNode,
  facts: NodeFacts | undefined,
  values: ReadonlyMap<NetworkNode, ParameterValues>,
  elementType: ElementType,
  engine: EngineState | undefined,
): ModelNode {
  const operation = node.op.name;
  if (node.op.internal) throw new Error(`node ${node.name}: no model file holds the operation ${operation}`);
  const fields = fieldsFromAttributes(node.op.stored, facts?.attributes ?? node.attributes);
  if (facts && (node.op.role === "parameter" || node.op.role === "input")) fields["shape"] = facts.shape;
  if (engine) Object.assign(fields, { seed: engine.seed, offset: engine.offset });
  if ("runCount" in fields) fields["runCount"] = runCount(node, values);
  const parameter = values.get(node);
  if (parameter && node.op.role === "parameter" && !facts) requireInitialized(node, fields);
  return {
    precision: elementType,
    operation,
    name: node.name,
    inputs: node.inputs.map((input) => input.name),
    fields,
    ...(parameter
      ? { values: asMatrix(parameter, facts?.shape ?? writtenShape(fields, parameter), elementType) }
      : {}),
  };
}

/** A parameter whose dimensions nothing has told, because validation passes by what no root needs, is never initialized. */
function requireInitialized(node: NetworkNode, { shape }: Fields): void {
  if (!Array.isArray(shape) || !shape.includes(0)) return;
  throw new CntkError({
    code: "parameter-not-initialized",
    message: "LearnableParameter: Cannot Save() before deferred initialization has completed.",
    ...(node.origin && { span: node.origin, label: `the dimensions of '${node.name}' are not known` }),
    ...(node.calls && { calls: node.calls.map((span) => ({ span })) }),
    hint: "it stands in a loop that nothing outside uses: leave the loop out, or make something of it an output node",
  });
}

/** The shape as the node itself knows it; Mean and InvStdDev do not, and are vectors. */
function writtenShape({ shape }: Fields, values: ParameterValues): SampleShape {
  return Array.isArray(shape) ? shape.map(Number) : [values.length];
}

/** CNTK stores tensors as matrices: the first dimension, and the product of the others. */
function asMatrix(values: ParameterValues, shape: readonly number[], elementType: ElementType): ModelMatrix {
  const rows = shape[0] ?? 1;
  const columns = shape.slice(1).reduce((product, dim) => product * dim, 1);
  return { rows, columns, values: inElementType(values, elementType) };
}

/** Batch normalization stores a copy of the number in its last parameter. */
function runCount(node: NetworkNode, values: ReadonlyMap<NetworkNode, ParameterValues>): FieldValue {
  const counter = node.inputs[5];
  return Math.trunc((counter && values.get(counter)?.[0]) ?? 0);
}

/** The random engines of a network that was not trained yet: those of its model file, or new ones. */
export function initialEngines(shaped: ShapedNetwork): ReadonlyMap<NetworkNode, EngineState> {
  const engines = untouchedEngines(shaped);
  for (const node of shaped.order) {
    const { seed, offset } = shaped.facts.get(node)?.attributes ?? node.attributes;
    if (isWhole(seed) && isWhole(offset)) engines.set(node, { seed, offset });
  }
  return engines;
}

function isWhole(value: unknown): value is Whole {
  return typeof value === "number" || typeof value === "bigint";
}

const isSeed = ({ name }: StoredField): boolean => name === "seed";

function untouchedEngines(shaped: ShapedNetwork): Map<NetworkNode, EngineState> {
  // A network of a model file keeps what the file says.
  const isNew = ({ op, attributes }: NetworkNode): boolean =>
    op.stored.fields.some(isSeed) && attributes["seed"] === undefined;
  const random = shaped.order.filter(isNew).reverse();
  return new Map(random.map((node, i) => [node, { seed: i + 1, offset: 0 }]));
}
