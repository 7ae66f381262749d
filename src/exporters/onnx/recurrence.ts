import type { RecurrentLoop } from "../../network/loops.js";
import type { NetworkNode } from "../../network/network.js";
import { type Emission, endOfAxis, noCounterpart, reversed } from "./emission.js";
import { integer, integers, type OnnxGraph } from "./graph.js";

/** Adds the operations of a node inside a loop; handed in, since rules and loops need one another. */
export type EmitNode = (node: NetworkNode, emission: Emission) => void;

const stepsOf = (node: NetworkNode, emission: Emission): number =>
  Number(emission.facts(node).attributes["timeStep"]);

/**
 * A loop as ONNX's Scan: one turn for each frame, forwards or backwards. Every delay keeps its last frames as states, the
 * newest first; what the loop reads from outside is scanned, what others read of it is collected.
 */
export function emitLoop(
  loop: RecurrentLoop,
  isUsedOutside: (node: NetworkNode) => boolean,
  emission: Emission,
  emitNode: EmitNode,
): void {
  const members = new Set(loop.nodes);
  const delays = loop.nodes.filter(({ op }) => op.delay);
  const direction = delays[0]?.op.delay === -1 ? 1 : 0;
  const { name } = loop.source;
  const body = emission.graph.inner(`${name}/step`);
  const scanned = scannedNodes(loop, members, emission);
  const first = scanned[0];
  if (!first) throw noCounterpart(loop.source, "where nothing comes in from outside the loop");
  const known = new Map<NetworkNode, string>();
  const states: { readonly delay: NetworkNode; readonly names: string[]; readonly initial: string[] }[] = [];
  for (const delay of delays) {
    const steps = stepsOf(delay, emission);
    const initial = initialStates(delay, first, emission);
    const names = Array.from({ length: steps }, (_, age) => body.take(`${delay.name}/state_${age + 1}`));
    for (const state of names) addInput(body, state, delay, emission);
    states.push({ delay, names, initial });
    known.set(delay, names.at(-1) ?? "");
  }
  for (const node of scanned) {
    const inside = body.take(`${node.name}/frame`);
    addInput(body, inside, node, emission);
    known.set(node, inside);
  }
  const inner = emission.inside(body, 1, known);
  for (const node of loop.nodes) if (!node.op.delay) emitNode(node, inner);
  const nextStates = states.flatMap(({ delay, names }) => {
    const newest = inner.tensor(inner.input(delay, 0));
    return [newest, ...names.slice(0, -1)].map((from, age) =>
      inner.add("Identity", [from], `${delay.name}/next_${age + 1}`),
    );
  });
  const collected = loop.nodes.filter(isUsedOutside);
  const frames = collected.map((node) => inner.add("Identity", [inner.tensor(node)], `${node.name}/each`));
  for (const output of [...nextStates, ...frames])
    body.outputs.push({ name: output, elementType: emission.elementType });
  const lasts = states.flatMap(({ delay, names }) =>
    names.map((_, age) => emission.graph.take(`${delay.name}/last_${age + 1}`)),
  );
  const outputs = collected.map((node) => emission.graph.take(node.name));
  emission.graph.push({
    operation: "Scan",
    inputs: [...states.flatMap(({ initial }) => initial), ...scanned.map((node) => emission.tensor(node))],
    outputs: [...lasts, ...outputs],
    attributes: {
      num_scan_inputs: integer(scanned.length),
      scan_input_directions: integers(scanned.map(() => direction)),
      scan_output_directions: integers(outputs.map(() => direction)),
      body: { kind: "g", value: body },
    },
  });
  collected.forEach((node, index) => emission.define(node, outputs[index] ?? ""));
}

/** Nodes outside the loop with a value for each frame that it reads. */
function scannedNodes(
  loop: RecurrentLoop,
  members: ReadonlySet<NetworkNode>,
  emission: Emission,
): NetworkNode[] {
  const scanned = new Set<NetworkNode>();
  for (const node of loop.nodes) {
    // What a delay reads from outside is its first state.
    if (node.op.delay) continue;
    for (const input of node.inputs) if (!members.has(input) && emission.leads(input) > 0) scanned.add(input);
  }
  return [...scanned];
}

function addInput(body: OnnxGraph, name: string, node: NetworkNode, emission: Emission): void {
  body.inputs.push({
    name,
    elementType: emission.elementType,
    dims: ["N", ...reversed(emission.shape(node))],
  });
}

/**
 * What a delay gives beyond the end of a sequence, the frame next to that end first, as many as it has steps: for N sequences, as
 * many as another tensor has.
 */
function initialStates(delay: NetworkNode, like: NetworkNode, emission: Emission): string[] {
  const { name } = delay;
  const { graph } = emission;
  const steps = Array.from({ length: stepsOf(delay, emission) }, (_, index) => index);
  const shape = emission.add("Shape", [emission.tensor(like)], `${name}/like`);
  const count = emission.add(
    "Slice",
    [shape, graph.numbers(`${name}/from`, [1]), graph.numbers(`${name}/to`, [2])],
    `${name}/count`,
  );
  const own = graph.numbers(`${name}/own`, reversed(emission.shape(delay)));
  const dims = emission.add("Concat", [count, own], `${name}/dims`, { axis: integer(0) });
  const state = delay.inputs[1];
  if (state && emission.leads(state) > 0)
    return steps.map((step) =>
      emission.add(
        "Expand",
        [boundaryFrame(delay, state, step, emission), dims],
        `${name}/initial_${step + 1}`,
      ),
    );
  const initial = emission.add("Expand", [firstValue(delay, emission), dims], `${name}/initial`);
  return steps.map(() => initial);
}

/** A frame of a first state that is a sequence itself: so many steps from its end (or its beginning), or its only one. */
function boundaryFrame(delay: NetworkNode, state: NetworkNode, step: number, emission: Emission): string {
  const { graph } = emission;
  const name = `${delay.name}/frame_${step + 1}`;
  const shape = emission.add("Shape", [emission.tensor(state)], `${name}/of`);
  const bounds = [graph.numbers(`${name}/zero`, [0]), graph.numbers(`${name}/one`, [1])];
  const length = emission.add("Slice", [shape, ...bounds], `${name}/length`);
  const isPast = delay.op.delay === 1;
  const from = isPast ? [length, graph.numbers(`${name}/back`, [step + 1])] : [length, bounds[1] ?? ""];
  const last = emission.add("Sub", from, `${name}/last`);
  const place = isPast
    ? emission.add("Max", [last, bounds[0] ?? ""], `${name}/place`)
    : emission.add("Min", [last, graph.numbers(`${name}/step`, [step])], `${name}/place`);
  const frame = emission.add("Gather", [emission.tensor(state), place], `${name}/gathered`, {
    axis: integer(0),
  });
  return emission.add("Squeeze", [frame, graph.numbers(`${name}/axis`, [0])], name);
}

/** The first state of one sequence: a parameter, or a number. */
function firstValue(delay: NetworkNode, emission: Emission): string {
  const state = delay.inputs[1];
  if (state) return emission.tensor(state);
  return emission.scalar(
    `${delay.name}/first`,
    Number(emission.facts(delay).attributes["defaultHiddenActivation"]),
  );
}

/** A delay outside of loops moves frames along the sequence. */
export function emitDelay(node: NetworkNode, emission: Emission): void {
  const x = emission.input(node, 0);
  const { name } = node;
  const { graph } = emission;
  if (emission.leads(x) !== 2) throw noCounterpart(node, "without sequences");
  const steps = stepsOf(node, emission);
  const tensor = emission.tensor(x);
  const front = graph.numbers(`${name}/front`, [0]);
  const initial = initialStates(node, x, emission);
  // A number for all frames is one tensor.
  const frameOf = new Map(
    [...new Set(initial)].map((state) => [state, emission.add("Unsqueeze", [state, front], `${name}/frame`)]),
  );
  const frames = initial.map((state) => frameOf.get(state) ?? "");
  const isPast = node.op.delay === 1;
  const joined = emission.add(
    "Concat",
    isPast ? [...frames.reverse(), tensor] : [tensor, ...frames],
    `${name}/joined`,
    {
      axis: integer(0),
    },
  );
  const axes = graph.numbers(`${name}/axis`, [0]);
  if (!isPast) {
    const bounds = [graph.numbers(`${name}/begin`, [steps]), graph.numbers(`${name}/end`, [endOfAxis])];
    emission.define(node, emission.add("Slice", [joined, ...bounds, axes], name));
    return;
  }
  const shape = emission.add("Shape", [tensor], `${name}/length_of`);
  const length = emission.add(
    "Slice",
    [shape, graph.numbers(`${name}/zero`, [0]), graph.numbers(`${name}/one`, [1])],
    `${name}/length`,
  );
  const begin = graph.numbers(`${name}/begin`, [0]);
  emission.define(node, emission.add("Slice", [joined, begin, length, axes], name));
}
