import type { NetworkNode, ShapedNetwork } from "../../network/network.js";
import type { ElementType } from "../../numerics/values.js";
import { encoded } from "./event-file.js";
import { elementTypes } from "./schema.js";

/** What the graph calls operations whose name is another one there (CNTKv2LibraryDll/PrimitiveOpType.h, BackCompat.cpp). */
const names: Readonly<Record<string, string>> = {
  AveragePooling: "Pooling",
  Cosine: "Cos",
  ExponentialLinearUnit: "ELU",
  InputValue: "Input",
  LearnableParameter: "Parameter",
  MaxPooling: "Pooling",
  MaxUnpooling: "Unpooling",
  NDCG1Eval: "NDCG",
  RectifiedLinear: "ReLU",
  RowStack: "Splice",
  SparseInputValue: "Input",
  SquareError: "SquaredError",
  SumColumnElements: "ReduceElements",
  SumElements: "SumAll",
  TransposeDimensions: "TransposeAxes",
};

/** Operations that take their operands in another order there. */
const swapped = new Set([
  "ClassificationError",
  "CrossEntropyWithSoftmax",
  "LambdaRank",
  "Logistic",
  "NDCG1Eval",
]);

/**
 * The bytes of a GraphDef: all nodes of a network, from what nothing takes to the leaves, with a node above them that combines
 * them. Sizes stand in CNTK's order.
 * Source: CNTKv2LibraryDll/tensorboard/TensorBoardUtils.cpp, CreateTensorBoardGraph.
 */
export function graphDefinition(shaped: ShapedNetwork, elementType: ElementType): Uint8Array {
  const { roots } = shaped;
  const described = (
    name: string,
    op: string,
    inputs: readonly NetworkNode[],
    outputs: readonly NetworkNode[],
  ) => {
    const shapes = outputs.map((node) => shapeMessage(shaped, node));
    return {
      name,
      op,
      input: inputs.map(({ name: input }) => shownName(input)),
      attr: {
        _output_shapes: { list: { shape: shapes } },
        dtype: { type: elementTypes[elementType] },
        shape: { shape: shapes[0] ?? { dim: [] } },
      },
    };
  };
  const node = [described("Combine", "Combine", roots, roots)];
  for (const each of downwards(roots)) {
    node.push(described(shownName(each.name), operationOf(each), operandsOf(each), [each]));
  }
  return encoded("GraphDef", { node });
}

/** TensorBoard shows nothing of a graph in whose names there are dots. */
function shownName(name: string): string {
  return name.replaceAll(".", "-");
}

/** Parameters that are never trained are constants. */
function operationOf({ op, attributes }: NetworkNode): string {
  if (op.name === "LearnableParameter" && attributes["learningRateMultiplier"] === 0) return "Const";
  return names[op.name] ?? op.name;
}

function operandsOf({ op, inputs }: NetworkNode): readonly NetworkNode[] {
  const [first, second, ...others] = inputs;
  return first && second && swapped.has(op.name) ? [second, first, ...others] : inputs;
}

/** A value for the whole minibatch has no axes. */
function shapeMessage({ facts }: ShapedNetwork, node: NetworkNode): { readonly dim: readonly object[] } {
  const { shape = [], dynamicAxis } = facts.get(node) ?? {};
  const isScalar = !dynamicAxis && node.inputs.length > 0 && shape.every((size) => size === 1);
  return { dim: isScalar ? [] : shape.map((size) => ({ size })) };
}

/** Every node once, before its operands, as deep as the network may be. */
function downwards(roots: readonly NetworkNode[]): NetworkNode[] {
  const order = new Set<NetworkNode>();
  const waiting = [...roots].reverse();
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    if (order.has(node)) continue;
    order.add(node);
    waiting.push(...[...operandsOf(node)].reverse());
  }
  return [...order];
}
