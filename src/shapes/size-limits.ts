import { CntkError } from "../diagnostics/diagnostic.js";
import type { NetworkNode, SampleShape, ShapedNetwork } from "../network/network.js";
import { elementCount, formatShape, mostAxes } from "../network/network.js";
import type { ElementType } from "../numerics/values.js";

/*
 * Sizes are looked at before anything is allocated: a damaged model file can ask for more than any machine has.
 */

/** CNTK keeps a dimension in 32 bits. */
const largestDimension = 0xffffffff;

/** Elements of all values for one sample that no machine computes in memory. */
const largestTotal = 2 ** 31;
/** Elements of a dense input's sample that no line of data holds. */
const largestInput = 2 ** 24;
/** Elements of all values for one sample that no network needs, unless its inputs and parameters are large themselves. */
const suspiciousTotal = 2 ** 25;
/** By how much values may outgrow inputs and parameters. */
const largestGrowth = 1000;
/**
 * The same for networks of vectors: values grow where windows slide over a large input, or with the parameters. What is larger
 * than both explain is an outer product of what should have been contracted.
 */
const suspiciousVectors = { total: 2 ** 22, growthOfInputs: 4096, growthOfParameters: 8 };

/** @throws CntkError `shape-too-large` for a shape that no tensor can have. */
export function checkShape(node: NetworkNode, shape: SampleShape): void {
  if (shape.length > mostAxes) {
    throw new CntkError({
      code: "shape-too-large",
      message: `${node.name} ${node.op.name} operation: a tensor of ${shape.length} axes`,
      span: node.origin,
      calls: node.calls?.map((span) => ({ span })),
      hint: `a tensor has ${mostAxes} axes at most`,
    });
  }
  const isBroken = shape.some((dim) => !Number.isInteger(dim) || dim < 0 || dim > largestDimension);
  if (!isBroken && elementCount(shape) <= Number.MAX_SAFE_INTEGER) return;
  throw new CntkError({
    code: "shape-too-large",
    message: `${node.name} ${node.op.name} operation: no tensor can have the shape ${formatShape(shape)}`,
    span: node.origin,
    calls: node.calls?.map((span) => ({ span })),
  });
}

/** Elements that no machine has room for: some hundred GB. */
const absurdTotal = 2 ** 37;

/**
 * Refuses values of which one sample does not fit into memory: that of any machine, or where they are about to be computed
 * (`now`), that of JavaScript's arrays.
 * @throws CntkError `needs-too-much-memory` at the largest of them, saying how many values
 */
export function checkTotal(
  { facts }: Pick<ShapedNetwork, "facts">,
  nodes: Iterable<NetworkNode>,
  when: "ever" | "now" = "ever",
): void {
  const most = when === "now" ? largestTotal : absurdTotal;
  let total = 0;
  let largest: { node: NetworkNode; elements: number } | undefined;
  for (const node of nodes) {
    const { storage, shape } = facts.get(node) ?? {};
    if (!shape || storage === "sparse") continue;
    const elements = elementCount(shape);
    total += elements;
    if (!largest || elements > largest.elements) largest = { node, elements };
  }
  if (!largest || total <= most) return;
  const { node } = largest;
  throw new CntkError({
    code: "needs-too-much-memory",
    message: `The network has ${total} values for one sample`,
    span: node.origin,
    calls: node.calls?.map((span) => ({ span })),
    hint: `at most ${most} can be computed; the largest value is that of ${node.op.name} '${node.name}': ${formatShape(facts.get(node)?.shape ?? [])}`,
  });
}

/**
 * Refuses to compute values of which one sample does not fit into memory, or that a model blows up from next to nothing: `nodes`,
 * and all that they need in `order`.
 * @throws CntkError `needs-too-much-memory`, saying how many GB
 */
export function checkMemory(
  allFacts: ShapedNetwork["facts"],
  order: readonly NetworkNode[],
  nodes: readonly NetworkNode[],
  elementType: ElementType,
): void {
  let total = 0;
  let inputs = 0;
  let parameters = 0;
  let isBlownUp = false;
  let largest: { node: NetworkNode; elements: number } | undefined;
  for (const node of order) {
    const facts = allFacts.get(node);
    if (!facts) continue;
    const elements = facts.storage === "sparse" ? 1 : elementCount(facts.shape);
    total += elements;
    if (node.op.role === "input" && elements > largestInput) isBlownUp = true;
    if (node.op.role === "input") inputs += elements;
    if (node.op.role === "parameter") parameters += elements;
    if (!largest || elements > largest.elements) largest = { node, elements };
  }
  isBlownUp ||= total > suspiciousTotal && total > largestGrowth * (inputs + parameters);
  isBlownUp ||=
    total > suspiciousVectors.total &&
    total > suspiciousVectors.growthOfInputs * inputs &&
    total > suspiciousVectors.growthOfParameters * parameters;
  if (!largest || (total <= largestTotal && !isBlownUp)) return;
  const { node } = largest;
  const gigabytes = ((total * (elementType === "double" ? 8 : 4)) / 2 ** 30).toPrecision(3);
  const shape = formatShape(allFacts.get(node)?.shape ?? []);
  throw new CntkError({
    code: "needs-too-much-memory",
    message: `Computing ${nodes.map(({ name }) => `'${name}'`).join(", ")} needs ${gigabytes} GB`,
    span: node.origin,
    hint: `the largest value is that of ${node.op.name} '${node.name}': ${shape}`,
  });
}
