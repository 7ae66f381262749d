import type { NetworkNode, ParameterValues, ShapedNetwork } from "../network/network.js";
import { initialValues } from "../numerics/initial-values.js";
import type { ElementType } from "../numerics/values.js";

/** Parameters of a network by node. */
export type ParameterStore = Map<NetworkNode, ParameterValues>;

/**
 * Values of every learnable parameter of a shaped network: those that came with it (a model file) or freshly
 * initialized ones, in the element type (ComputationNetworkLib/InputAndParamNodes.cpp).
 */
export function parameterValues(shaped: ShapedNetwork, elementType: ElementType): ParameterStore {
  const store: ParameterStore = new Map();
  for (const node of shaped.network.nodes) {
    if (node.op.name !== "LearnableParameter") continue;
    const given = shaped.network.values.get(node);
    store.set(node, given ? converted(given, elementType) : initialized(node, shaped, elementType));
  }
  return store;
}

function converted(values: ParameterValues, elementType: ElementType): ParameterValues {
  if (elementType === "float") return values instanceof Float32Array ? values : Float32Array.from(values);
  return values instanceof Float64Array ? values : Float64Array.from(values);
}

function initialized(node: NetworkNode, shaped: ShapedNetwork, elementType: ElementType): ParameterValues {
  const shape = shaped.facts.get(node)?.shape ?? [];
  const { attributes } = node;
  return initialValues({
    init: String(attributes["init"] ?? "fromValue"),
    shape,
    initValueScale: Number(attributes["initValueScale"] ?? 1),
    filterRank: Number(attributes["initFilterRank"] ?? 0),
    outputRank: Number(attributes["initOutputRank"] ?? 1),
    seed: Number(attributes["seed"] ?? 1),
    value: Number(attributes["initValue"] ?? 0),
    elementType,
  });
}
