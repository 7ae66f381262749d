import type { NetworkNode } from "../../network/network.js";
import type { Values } from "../../numerics/values.js";
import type { Emission } from "./emission.js";

/*
 * Which frames a condition chooses, where that can be told before there are data: sequences of a length all choose the same.
 */

/** Operations whose result is a flag where their first input is one. */
const passing = new Set(
  "SumColumnElements Slice Reshape Pass Trace Abs RectifiedLinear ReconcileDynamicAxis".split(" "),
);
const comparing = new Set("Less LessEqual Equal NotEqual Greater GreaterEqual".split(" "));

/**
 * Is a node 0 or 1 by the place of the frame in its sequence alone, whatever the data? So are `BS.Loop.IsFirst`, `IsLast` and what
 * is made of them. `open` are the nodes that are being looked at: a loop is what comes into it.
 */
export function isFlagOfPlace(node: NetworkNode, emission: Emission, open = new Set<NetworkNode>()): boolean {
  if (open.has(node)) return true;
  open.add(node);
  const isFlag = (input: NetworkNode | undefined): boolean =>
    input !== undefined && isFlagOfPlace(input, emission, open);
  const [first, second, third] = node.inputs;
  const { values } = emission;
  if (values.has(node)) return isConstant(values.get(node), 0, 1);
  if (node.op.delay !== undefined) {
    const edge = Number(emission.facts(node).attributes["defaultHiddenActivation"]);
    return isFlag(first) && (second ? isFlag(second) : edge === 0 || edge === 1);
  }
  const { name } = node.op;
  if (comparing.has(name)) return node.inputs.every((input) => isSameForAll(input, emission));
  if (passing.has(name)) return isFlag(first);
  switch (name) {
    case "ElementTimes":
      return node.inputs.some((input) => isConstant(values.get(input), 0)) || node.inputs.every(isFlag);
    case "Minus":
      return isConstant(first && values.get(first), 1) && isFlag(second);
    case "If":
      return node.inputs.every(isFlag);
    case "GatherPacked":
      return isFlag(second);
    case "ScatterPacked":
      return isFlag(third);
    default:
      return false;
  }
}

/** Inputs that decide by their axis alone. */
const layoutInputs: Readonly<Record<string, number>> = {
  ReconcileDynamicAxis: 1,
  PackedIndex: 0,
  ScatterPacked: 0,
};

/** Has a node the same values in all sequences of a length, whatever the data? */
export function isSameForAll(node: NetworkNode, emission: Emission, open = new Set<NetworkNode>()): boolean {
  if (open.has(node) || emission.values.has(node)) return true;
  open.add(node);
  if (node.op.role === "input") return false;
  const isZeroed =
    node.op.name === "ElementTimes" && node.inputs.some((input) => isConstant(emission.values.get(input), 0));
  return (
    isZeroed ||
    node.inputs.every(
      (input, index) => layoutInputs[node.op.name] === index || isSameForAll(input, emission, open),
    )
  );
}

/** Are all of the values, if there are any, among some numbers? */
function isConstant(values: Values | undefined, ...among: readonly number[]): boolean {
  return values !== undefined && values.every((value) => among.includes(value));
}

/** Frames at one end of every sequence. */
export interface FramesAtEnd {
  readonly end: "first" | "last";
  readonly count: number;
}

/** The frames that a delay marks which brings ones into a sequence of zeros, as `BS.Loop.IsFirst` and `IsLast` do. */
export function framesAtEnd(flags: NetworkNode, emission: Emission): FramesAtEnd | undefined {
  const [x, initial] = flags.inputs;
  if (flags.op.delay === undefined || !x || initial || !isZero(x, emission)) return undefined;
  const { timeStep, defaultHiddenActivation } = emission.facts(flags).attributes;
  if (defaultHiddenActivation !== 1) return undefined;
  return { end: flags.op.delay === 1 ? "first" : "last", count: Number(timeStep) };
}

/** Is a node nothing but zeros, by how it is made? */
function isZero(node: NetworkNode, emission: Emission): boolean {
  const { values } = emission;
  if (values.has(node)) return isConstant(values.get(node), 0);
  const [first] = node.inputs;
  if (node.op.name === "ElementTimes") return node.inputs.some((input) => isConstant(values.get(input), 0));
  return passing.has(node.op.name) && first !== undefined && isZero(first, emission);
}
