import {
  elementCount,
  type NetworkNode,
  type ParameterValues,
  type ShapedNetwork,
} from "../network/network.js";
import { isComputed } from "../network/statistics.js";
import { initialValues } from "../numerics/initial-values.js";
import { parameterAttributes } from "../ops/inputs.js";
import { type ElementType, inElementType, newValues } from "../numerics/values.js";

/**
 * Values of a network's parameters by node, each made when somebody first asks for it: a network with 140 million
 * parameters that is only looked at costs nothing.
 */
export class ParameterStore implements ReadonlyMap<NetworkNode, ParameterValues> {
  private readonly made = new Map<NetworkNode, ParameterValues>();

  constructor(private readonly makers: ReadonlyMap<NetworkNode, () => ParameterValues>) {}

  get size(): number {
    return this.makers.size;
  }

  has(node: NetworkNode): boolean {
    return this.makers.has(node);
  }

  get(node: NetworkNode): ParameterValues | undefined {
    const known = this.made.get(node);
    if (known) return known;
    const values = this.makers.get(node)?.();
    if (values) this.made.set(node, values);
    return values;
  }

  keys(): MapIterator<NetworkNode> {
    return this.makers.keys();
  }

  *entries(): MapIterator<[NetworkNode, ParameterValues]> {
    for (const [node, make] of this.makers) yield [node, this.get(node) ?? make()];
  }

  *values(): MapIterator<ParameterValues> {
    for (const [, values] of this.entries()) yield values;
  }

  [Symbol.iterator](): MapIterator<[NetworkNode, ParameterValues]> {
    return this.entries();
  }

  forEach(
    callback: (
      values: ParameterValues,
      node: NetworkNode,
      map: ReadonlyMap<NetworkNode, ParameterValues>,
    ) => void,
  ): void {
    for (const [node, values] of this.entries()) callback(values, node, this);
  }

  /** The same parameters, some of them with other values. */
  with(changed: ReadonlyMap<NetworkNode, ParameterValues>): ParameterStore {
    return new ParameterStore(
      new Map(
        Array.from(this.makers.keys(), (node) => [
          node,
          () => changed.get(node) ?? this.get(node) ?? new Float64Array(),
        ]),
      ),
    );
  }
}

/**
 * Values of every learnable parameter of a shaped network, and of its statistics of the training set (0 until they are
 * computed): those that came with it (a model file) or freshly
 * initialized ones, in the element type (ComputationNetworkLib/InputAndParamNodes.cpp).
 */
export function parameterValues(shaped: ShapedNetwork, elementType: ElementType): ParameterStore {
  const makers = new Map<NetworkNode, () => ParameterValues>();
  for (const node of shaped.network.nodes) {
    const { role } = node.op;
    if (role !== "parameter" && role !== "precompute") continue;
    const given =
      role === "precompute" && !isComputed(node, shaped) ? undefined : shaped.network.values.get(node);
    makers.set(node, () =>
      given ? inElementType(given, elementType) : initialized(node, shaped, elementType),
    );
  }
  return new ParameterStore(makers);
}

function initialized(node: NetworkNode, shaped: ShapedNetwork, elementType: ElementType): ParameterValues {
  const inferred = shaped.facts.get(node)?.shape;
  if (node.op.role === "precompute") return newValues(elementType, elementCount(inferred ?? []));
  const attributes = parameterAttributes(node);
  // Validation passes by what no root needs, such as a loop that nothing outside uses.
  const shape = inferred ?? attributes.shape;
  const { init, initValueScale, initFilterRank, initOutputRank, seed, initValue } = attributes;
  return initialValues({
    init,
    shape,
    initValueScale,
    filterRank: initFilterRank,
    outputRank: initOutputRank,
    seed,
    value: initValue,
    elementType,
  });
}
