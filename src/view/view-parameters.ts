import { elementCount } from "../network/network.js";
import { windowDetailsOf } from "../network/window-details.js";
import { valueStatistics } from "./value-statistics.js";
import type { ViewParameter, WeightPicture } from "./view-data.js";
import { type DescribedNode, isLearned } from "./view-nodes.js";
import { imageWeightsPicture, kernelPicture, matrixPicture } from "./weight-picture.js";

/** All pictures of a page together have as many bytes. */
const mostPictureBytes = 6_000_000;

/** Values of parameters and statistics: where they lie, and as pictures; those of the first layers where it would be too many. */
export function viewParameters(nodes: readonly DescribedNode[]): ViewParameter[] {
  const users = new Map<number, DescribedNode[]>();
  for (const node of nodes)
    for (const input of node.inputs) users.set(input, [...(users.get(input) ?? []), node]);
  let left = mostPictureBytes;
  return nodes.flatMap((node, index) => {
    const values = node.stored.values?.values;
    if (!values) return [];
    const picture = left > 0 ? pictureOf(node, users.get(index) ?? [], nodes) : undefined;
    left -= picture?.pixels.length ?? 0;
    return {
      node: index,
      shape: shapeOf(node),
      learned: isLearned(node),
      statistics: valueStatistics(values),
      ...(picture ? { picture } : {}),
    };
  });
}

function shapeOf({ facts, stored: { fields, values } }: DescribedNode): readonly number[] {
  if (facts) return facts.shape;
  const { shape } = fields;
  return Array.isArray(shape) ? shape.map(Number) : [values?.rows ?? 0, values?.columns ?? 0];
}

/** Kernels of a convolution, weights of an image, or a matrix; nothing of vectors. */
function pictureOf(
  node: DescribedNode,
  users: readonly DescribedNode[],
  nodes: readonly DescribedNode[],
): WeightPicture | undefined {
  const values = node.stored.values?.values;
  if (!values || values.length < 2) return undefined;
  const kernels = users.map((user) => kernelShape(node, user, nodes)).find((found) => found !== undefined);
  if (kernels) return kernelPicture(values, kernels, kernels.isColour);
  const [first = 1, ...others] = shapeOf(node);
  const [width = 1, height = 1, ...channels] = others;
  if (width > 2 && height > 2 && channels.every((dim) => dim === 1))
    return imageWeightsPicture(values, first, width, height);
  const columns = elementCount(others);
  return first > 1 && columns > 1 && first * columns === values.length
    ? matrixPicture(values, first, columns)
    : undefined;
}

/** The form of the kernels that a node's values are to one of its users. */
function kernelShape(
  node: DescribedNode,
  { node: user, facts, inputs }: DescribedNode,
  nodes: readonly DescribedNode[],
): { width: number; height: number; channels: number; maps: number; isColour: boolean } | undefined {
  if (user?.op.name !== "Convolution" || !facts || nodes[inputs[0] ?? -1] !== node) return undefined;
  const { geometry, legacyWeights } = windowDetailsOf(facts);
  if (legacyWeights || !geometry.sharing.every(Boolean)) return undefined;
  const { kernel } = geometry;
  const maps = elementCount(geometry.maps);
  const [width = 1, height = 1] = kernel.length > 2 ? kernel : [kernel[0], 1];
  const size = elementCount(kernel);
  const channels = size / (width * height);
  if (size * maps !== node.stored.values?.values.length) return undefined;
  const isColour = nodes[inputs[1] ?? -1]?.op?.role === "input" || channels === 3;
  return { width, height, channels, maps, isColour };
}
