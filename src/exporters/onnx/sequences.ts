import type { NetworkNode, NodeFacts } from "../../network/network.js";
import { type Emission, endOfAxis, noCounterpart, reversed } from "./emission.js";
import { framesAtEnd, isFlagOfPlace, isSameForAll } from "./frame-flags.js";
import { integer } from "./graph.js";
import type { OperationRules } from "./rules.js";
import { elementTypes } from "./schema.js";

/** Choosing frames by their place in the sequence; all that needs an axis of time besides delays. */
const alongTime = new Set(["Where", "PackedIndex", "ScatterPacked", "OptimizedRNNStack"]);

/** Does a node look along its sequences? Then everything has an axis of time. */
export function looksAlongSequences({ op }: NetworkNode, { attributes }: NodeFacts): boolean {
  if (op.delay !== undefined || alongTime.has(op.name)) return true;
  return attributes["axis"] === -2 || Number(attributes["inferInputRankToMap"]) < -1;
}

/**
 * Operations on dynamic axes. A tensor holds sequences of the same length: frames can be chosen where all sequences choose the same
 * ones, by their place alone.
 */
export const sequenceRules: OperationRules = {
  /** Indices of the frames whose flag is set: as a sequence [K, N, …] of numbers. */
  Where(node, emission) {
    const flags = emission.input(node, 0);
    const { graph } = emission;
    const { name } = node;
    if (!isFlagOfPlace(flags, emission))
      throw noCounterpart(
        node,
        "where frames are chosen by what is in them",
        `--output ${flags.name} gives the flags; the frames are chosen outside`,
      );
    const row = ofOneSequence(emission, emission.tensor(flags), name);
    const set = emission.add("NonZero", [row], `${name}/set`);
    const flat = emission.add("Reshape", [set, graph.numbers(`${name}/list`, [-1])], `${name}/places`);
    const to = integer(elementTypes[emission.elementType]);
    const numbers = emission.add("Cast", [flat], `${name}/numbers`, { to });
    const dims = [-1, 1, ...reversed(emission.shape(node)).map(() => 1)];
    const column = emission.add("Reshape", [numbers, graph.numbers(`${name}/dims`, dims)], `${name}/column`);
    const count = sizes(emission, emission.tensor(flags), 1, 2, `${name}/sequences`);
    const whole = [graph.numbers(`${name}/one`, [1]), count, graph.numbers(`${name}/own`, dims.slice(2))];
    const target = emission.add("Concat", whole, `${name}/whole`, { axis: integer(0) });
    return emission.add("Expand", [column, target], name);
  },
  /** Places stay what they are within a sequence: all sequences have the same length. */
  PackedIndex: (node, emission) =>
    emission.add("Identity", [emission.tensor(emission.input(node, 1))], node.name),
  GatherPacked(node, emission) {
    const [index, source] = [emission.input(node, 0), emission.input(node, 1)];
    const { name } = node;
    const axis = integer(0);
    if (emission.leads(source) > 0) {
      requirePlaces(node, index, emission);
      return (
        sliced(node, index, emission) ??
        emission.add("Gather", [emission.tensor(source), places(emission, index, name)], name, { axis })
      );
    }
    // Of a parameter the index counts the columns: CNTK's last axis is ONNX's first one.
    const whole = { to: integer(elementTypes.int64) };
    const numbers = emission.add("Cast", [emission.tensor(index)], `${name}/index`, whole);
    const columns = emission.reshape(numbers, [], emission.leads(index), `${name}/columns`);
    const found = emission.add("Gather", [emission.tensor(source), columns], `${name}/found`, { axis });
    return emission.reshape(found, reversed(emission.shape(node)), emission.leads(index), name);
  },
  /** Frames at their places in a sequence of zeros. */
  ScatterPacked(node, emission) {
    const [layout, index, source] = [0, 1, 2].map((place) => emission.input(node, place)) as [
      NetworkNode,
      NetworkNode,
      NetworkNode,
    ];
    requirePlaces(node, index, emission);
    const { name } = node;
    const { graph } = emission;
    const length = sizes(emission, emission.tensor(layout), 0, 1, `${name}/length`);
    const rest = sizes(
      emission,
      emission.tensor(source),
      1,
      emission.leading + emission.shape(source).length,
      `${name}/frame`,
    );
    const dims = emission.add("Concat", [length, rest], `${name}/dims`, { axis: integer(0) });
    const zeros = emission.add("Expand", [emission.scalar(`${name}/zero`, 0), dims], `${name}/zeros`);
    const list = graph.numbers(`${name}/list`, [-1, 1]);
    const rows = emission.add("Reshape", [places(emission, index, name), list], `${name}/rows`);
    return emission.add("ScatterND", [zeros, rows, emission.tensor(source)], name);
  },
  /** Data under the axis of another node: as it is, or repeated where it has one frame, or no samples. */
  ReconcileDynamicAxis(node, emission) {
    const [x, like] = [emission.input(node, 0), emission.input(node, 1)];
    const shape = emission.shape(x);
    const isSame = emission.facts(x).dynamicAxis === emission.facts(like).dynamicAxis;
    if (isSame || (emission.leads(x) === 1 && emission.leading === 1))
      return emission.add("Identity", [emission.tensor(x)], node.name);
    return emission.forEachSample(emission.tensor(x), shape, like, node.name);
  },
};

/** The frames at one end of every sequence are a slice. */
function sliced(node: NetworkNode, index: NetworkNode, emission: Emission): string | undefined {
  const where = emission.input(index, 1);
  const flags = where.op.name === "Where" && where.inputs[0];
  const frames = flags && framesAtEnd(flags, emission);
  if (!frames) return undefined;
  const { graph } = emission;
  const { name } = node;
  const [from, to] = frames.end === "first" ? [0, frames.count] : [-frames.count, endOfAxis];
  const bounds = [graph.numbers(`${name}/from`, [from]), graph.numbers(`${name}/to`, [to])];
  const x = emission.tensor(emission.input(node, 1));
  return emission.add("Slice", [x, ...bounds, graph.numbers(`${name}/time`, [0])], name);
}

/** The sizes of a tensor from one axis to another. */
function sizes(emission: Emission, tensor: string, from: number, to: number, name: string): string {
  const { graph } = emission;
  const shape = emission.add("Shape", [tensor], `${name}/of`);
  return emission.add(
    "Slice",
    [shape, graph.numbers(`${name}/from`, [from]), graph.numbers(`${name}/to`, [to])],
    name,
  );
}

/** The numbers of the first of all sequences, as a list. */
function ofOneSequence(emission: Emission, tensor: string, name: string): string {
  const { graph } = emission;
  const bounds = [[0], [1], [1]].map((values, index) =>
    graph.numbers(`${name}/${["first", "next", "axis"][index] ?? ""}`, values),
  );
  const one = emission.add("Slice", [tensor, ...bounds], `${name}/of_one`);
  return emission.add("Reshape", [one, graph.numbers(`${name}/row`, [-1])], `${name}/of_one_row`);
}

/** The places that a PackedIndex names, as whole numbers. */
function places(emission: Emission, index: NetworkNode, name: string): string {
  const row = ofOneSequence(emission, emission.tensor(index), name);
  return emission.add("Cast", [row], `${name}/places`, { to: integer(elementTypes.int64) });
}

function requirePlaces(node: NetworkNode, index: NetworkNode, emission: Emission): void {
  if (index.op.name !== "PackedIndex" || !isSameForAll(emission.input(index, 1), emission))
    throw noCounterpart(node, "with a computed index");
}
