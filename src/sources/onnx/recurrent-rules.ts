import { sliceAttributes, turned } from "./constants.js";
import type {
  ConstantValue,
  DirectionsValue,
  ImportRules,
  NodeValue,
  OperationImport,
  Value,
} from "./graph-import.js";
import { delayNode } from "./shaping-rules.js";

/*
 * ONNX's recurrent layers are loops of CNTK, written out: one product for all gates of what comes in, one for those of the state before.
 */

/** What a layer makes of its gates. */
interface Cell {
  /** Blocks of rows in its weights. */
  readonly gates: number;
  /** Functions that it takes, where the file names none. */
  readonly activations: readonly string[];
  readonly states: number;
  readonly step: (layer: Layer) => readonly NodeValue[];
}

/** One direction of a layer. */
interface Layer {
  readonly operation: OperationImport;
  readonly name: string;
  readonly hidden: number;
  /** Of each gate: what comes in times its weights. */
  readonly input: NodeValue;
  /** The states of the step before: delays whose first inputs are attached later. */
  readonly before: readonly NodeValue[];
  readonly activate: (index: number, x: NodeValue, name: string) => NodeValue;
  /** Rows of a constant of this direction, as [to - from, …]. */
  readonly rows: (index: number, what: string, from: number, to: number) => ConstantValue;
  readonly has: (index: number) => boolean;
}

const activations: Readonly<Record<string, string>> = {
  sigmoid: "Sigmoid",
  tanh: "Tanh",
  relu: "RectifiedLinear",
};

/** Places of the operands. */
const [weightsAt, recurrentAt, biasAt, lengthsAt, initialAt, peepholesAt] = [1, 2, 3, 4, 5, 7];

/** ONNX's recurrent layers. */
export const recurrentRules: ImportRules = {
  LSTM: (operation) =>
    recurrent(operation, { gates: 4, activations: ["Sigmoid", "Tanh", "Tanh"], states: 2, step: lstm }),
  GRU: (operation) =>
    recurrent(operation, { gates: 3, activations: ["Sigmoid", "Tanh"], states: 1, step: gru }),
  RNN: (operation) => recurrent(operation, { gates: 1, activations: ["Tanh"], states: 1, step: plain }),
};

/** The results of all directions: states of all frames, then the last one of each state. */
function recurrent(operation: OperationImport, cell: Cell): readonly (Value | undefined)[] {
  const x = operation.operand(0);
  if (x.leads !== 2 || x.dims.length !== 1)
    throw operation.problem("it goes through something else than sequences of vectors");
  if (operation.number("layout", 0) !== 0) throw operation.problem("time is not its first axis");
  if (operation.has(lengthsAt))
    throw operation.problem("it is told the lengths of its sequences, which CNTK knows from the data");
  if (operation.number("clip", 0) !== 0 || operation.number("input_forget", 0) !== 0)
    throw operation.problem("it clips its gates, or couples them");
  operation.assembly.goThrough(operation, x);
  const directions = directionsOf(operation);
  const layers = directions.map((isBackward, index) =>
    direction(operation, cell, x, { isBackward, index, of: directions.length }),
  );
  const [all, ...lasts] = Array.from({ length: cell.states + 1 }, (_, result) => {
    const parts = layers.map((states, index) => {
      if (result === 0) return states[0];
      // Who does not ask for the last states does not get nodes for them.
      if (!operation.isAskedFor(result)) return undefined;
      return endOf(
        operation,
        states[result - 1] as NodeValue,
        directions[index] ?? false,
        `${operation.name}/${directionName(directions[index])}_last_${result}`,
      );
    });
    const known = parts.filter((part) => part !== undefined);
    return known.length < parts.length ? undefined : sideBySide(operation, known);
  });
  return [all, ...lasts];
}

const directionName = (isBackward: boolean | undefined): string => (isBackward ? "backward" : "forward");

function directionsOf(operation: OperationImport): boolean[] {
  const direction = operation.word("direction", "forward");
  if (direction === "bidirectional") return [false, true];
  return [direction === "reverse"];
}

/** The values of several directions as one vector. */
function sideBySide(operation: OperationImport, parts: readonly NodeValue[]): DirectionsValue {
  const [first] = parts as readonly [NodeValue];
  const size = parts.length * (first.dims[0] ?? 1);
  const of = parts.length === 1 ? first : operation.add("RowStack", parts, [size], { axis: 1 });
  return { kind: "directions", of, count: parts.length };
}

function direction(
  operation: OperationImport,
  cell: Cell,
  x: NodeValue,
  { isBackward, index, of }: { readonly isBackward: boolean; readonly index: number; readonly of: number },
): readonly NodeValue[] {
  const hidden = hiddenSize(operation, cell);
  const name = of > 1 ? `${operation.name}/${directionName(isBackward)}` : operation.name;
  const rows = (at: number, what: string, from: number, to: number): ConstantValue =>
    rowsOf(operation, at, index, `${name}/${what}`, from, to);
  const weights = turned(rows(weightsAt, "W", 0, cell.gates * hidden), [1, 0], `${name}/W`);
  const input = product(operation, weights, x, `${name}/input`);
  const before = Array.from({ length: cell.states }, (_, state) =>
    delayNode(
      operation,
      isBackward ? "FutureValue" : "PastValue",
      undefined,
      initialState(operation, initialAt + state, index, hidden, `${name}/initial_${state + 1}`),
      { timeStep: 1, dims: [hidden] },
      `${name}/before_${state + 1}`,
    ),
  );
  // Inside of the loop a value belongs to frames like any other.
  const states = before.map((state) => ({ ...state, leads: 2 }));
  const layer: Layer = {
    operation,
    name,
    hidden,
    input,
    before: states,
    activate: activation(operation, cell, index, of),
    rows,
    has: (at) => operation.has(at),
  };
  const results = cell.step(layer);
  states.forEach(({ node }, state) => {
    // The first input of a delay is what it delays; it is known only now.
    node.inputs = [(results[state] as NodeValue).node, ...node.inputs];
  });
  return results;
}

function hiddenSize(operation: OperationImport, { gates }: Cell): number {
  const recurrent = operation.value(recurrentAt);
  const [, rows = 0, size = 0] = recurrent.kind === "constant" ? recurrent.dims : [];
  if (size < 1 || rows !== gates * size)
    throw operation.problem("its weights are computed, or have another form");
  return size;
}

/** Rows of one direction of a constant [directions, rows, …]. */
function rowsOf(
  operation: OperationImport,
  at: number,
  direction: number,
  name: string,
  from: number,
  to: number,
): ConstantValue {
  const constant = operation.value(at);
  if (constant.kind !== "constant")
    throw operation.problem(`its input ${at + 1} is computed; only constants will do`);
  const [, rows = 0, ...rest] = constant.dims;
  const size = rest.reduce((total, dim) => total * dim, 1);
  const start = direction * rows * size;
  const values = constant.values.slice(start + from * size, start + to * size);
  if (values.length !== (to - from) * size) throw operation.problem(`its input ${at + 1} has another form`);
  const { multiplier } = constant;
  return {
    kind: "constant",
    name,
    leads: 0,
    dims: [to - from, ...rest],
    values,
    ...(multiplier !== undefined && { multiplier }),
  };
}

/** A matrix [in, out] as a parameter, times vectors. */
function product(operation: OperationImport, matrix: ConstantValue, x: NodeValue, name: string): NodeValue {
  const [inner, outer = 1] = matrix.dims;
  if (x.dims[0] !== inner) throw operation.problem("its weights do not fit to what comes in");
  return operation.add(
    "Times",
    [operation.asNode(matrix), x],
    [outer],
    { outputRank: 1, inferInputRankToMap: -1 },
    name,
  );
}

function activation(
  operation: OperationImport,
  { activations: usual }: Cell,
  direction: number,
  directions: number,
): Layer["activate"] {
  const given = operation.words("activations");
  const names = given.length > 0 ? given.slice((direction * given.length) / directions) : usual;
  return (index, x, name) => {
    const wanted = names[index] ?? usual[index] ?? "";
    const known = activations[wanted.toLowerCase()];
    if (known === undefined)
      throw operation.problem(`it computes with ${wanted}`, "Sigmoid, Tanh and Relu are imported");
    return operation.add(known, [x], x.dims, {}, name);
  };
}

/** A first state: a number, the same for all, or a vector. */
function initialState(
  operation: OperationImport,
  at: number,
  direction: number,
  hidden: number,
  name: string,
): Value {
  const zero: ConstantValue = { kind: "constant", name, leads: 0, dims: [], values: Float32Array.of(0) };
  if (!operation.has(at)) return zero;
  const given = operation.value(at);
  if (given.kind !== "constant") throw operation.problem("its first state is computed");
  const { values, multiplier = 0 } = given;
  const [first = 0] = values;
  if (values.every((value) => value === first)) return { ...zero, values: Float32Array.of(first) };
  const samples = given.dims[1] ?? 1;
  const start = direction * samples * hidden;
  const vector = values.slice(start, start + hidden);
  const isSame = values
    .subarray(start, start + samples * hidden)
    .every((value, place) => value === vector[place % hidden]);
  if (!isSame || vector.length !== hidden)
    throw operation.problem("its first state differs from sample to sample");
  return { ...zero, dims: [hidden], values: vector, multiplier };
}

/** The state at the end that a direction goes to: a sample of its own for each sequence. */
function endOf(operation: OperationImport, states: NodeValue, isBackward: boolean, name: string): NodeValue {
  const sum = operation.add(
    "ReduceElements",
    [states],
    [1],
    { reductionOp: "Sum", axis: 0, keepDimensions: false },
    `${name}/sum`,
  );
  const zero = operation.add(
    "ElementTimes",
    [sum, operation.scalar(0, `${name}/zero`)],
    [1],
    {},
    `${name}/zeros`,
  );
  const attributes = { timeStep: 1, shape: [1], defaultHiddenActivation: 1 };
  // 1 where the delay looks over the end.
  const flags = operation.add(
    isBackward ? "PastValue" : "FutureValue",
    [zero],
    [1],
    attributes,
    `${name}/flags`,
  );
  const frames = operation.add("Where", [flags], [1], {}, `${name}/frames`);
  const places = operation.add("PackedIndex", [states, frames], [1], {}, `${name}/places`);
  return { ...operation.add("GatherPacked", [places, states], states.dims, {}, name), leads: 1 };
}

/** Functions that add nodes of a layer. */
function toolsOf({ operation, name, hidden }: Layer) {
  const add = (kind: string, left: NodeValue, right: NodeValue, what: string): NodeValue =>
    operation.add(kind, [left, right], left.dims, {}, `${name}/${what}`);
  return {
    plus: (left: NodeValue, right: NodeValue, what: string) => add("Plus", left, right, what),
    minus: (left: NodeValue, right: NodeValue, what: string) => add("Minus", left, right, what),
    times: (left: NodeValue, right: NodeValue, what: string) => add("ElementTimes", left, right, what),
    /** The rows of one gate. */
    gate: (gates: NodeValue, index: number, what: string): NodeValue => {
      const size = gates.dims[0] ?? hidden;
      if (size === hidden) return gates;
      const attributes = sliceAttributes(1, index * hidden, (index + 1) * hidden, size);
      return operation.add("Slice", [gates], [hidden], attributes, `${name}/${what}`);
    },
  };
}

/** What comes in and the state before, times their weights, with both biases as one. */
function gatesOf(layer: Layer, gates: number): NodeValue {
  const { operation, name, hidden, input, before, rows, has } = layer;
  const { plus } = toolsOf(layer);
  const recurrent = turned(rows(recurrentAt, "R", 0, gates * hidden), [1, 0], `${name}/R`);
  const state = product(operation, recurrent, before[0] as NodeValue, `${name}/state`);
  const sum = plus(input, state, "sum");
  if (!has(biasAt)) return sum;
  return plus(sum, operation.asNode(biasRows(layer, gates, 0, gates)), "gates");
}

/** Rows of the biases of some gates: those of the input and of the state are added. */
function biasRows({ rows, hidden }: Layer, gates: number, from: number, to: number): ConstantValue {
  const input = rows(biasAt, "b", from * hidden, to * hidden);
  const state = rows(biasAt, "b", (gates + from) * hidden, (gates + to) * hidden);
  return { ...input, values: input.values.map((value, index) => value + (state.values[index] ?? 0)) };
}

/** Gates: input, output, forget, cell (ONNX's LSTM, with peepholes where they are given). */
function lstm(layer: Layer): readonly NodeValue[] {
  const { operation, name, hidden, before, activate, rows, has } = layer;
  const { plus, times, gate } = toolsOf(layer);
  const cellBefore = before[1] as NodeValue;
  const gates = gatesOf(layer, 4);
  /** A gate with what it sees of a cell. */
  const seeing = (index: number, what: string, cell: NodeValue): NodeValue => {
    const own = gate(gates, index, `${what}/rows`);
    if (!has(peepholesAt)) return activate(0, own, `${name}/${what}`);
    const weights = operation.asNode(rows(peepholesAt, `${what}/P`, index * hidden, (index + 1) * hidden));
    return activate(0, plus(own, times(cell, weights, `${what}/peephole`), `${what}/all`), `${name}/${what}`);
  };
  const kept = times(seeing(2, "forget", cellBefore), cellBefore, "kept");
  const candidate = activate(1, gate(gates, 3, "candidate/rows"), `${name}/candidate`);
  const cell = plus(kept, times(seeing(0, "input_gate", cellBefore), candidate, "taken"), "cell");
  const hiddenState = times(seeing(1, "output", cell), activate(2, cell, `${name}/cell/active`), "h");
  return [hiddenState, cell];
}

/** Gates: update, reset, hidden (ONNX's GRU, with the reset before or behind the product). */
function gru(layer: Layer): readonly NodeValue[] {
  const { operation, name, hidden, input, before, activate, rows, has } = layer;
  const { plus, minus, times, gate } = toolsOf(layer);
  const [state] = before as readonly [NodeValue];
  const part = (what: string, from: number, to: number, of: NodeValue): NodeValue =>
    product(
      operation,
      turned(rows(recurrentAt, what, from * hidden, to * hidden), [1, 0], `${name}/${what}`),
      of,
      `${name}/${what}/product`,
    );
  const biased = (x: NodeValue, bias: ConstantValue, what: string): NodeValue =>
    plus(x, operation.asNode(bias), what);
  const inputRows = gate(input, 2, "hidden/rows");
  const firstTwo = operation.add(
    "Slice",
    [input],
    [2 * hidden],
    sliceAttributes(1, 0, 2 * hidden, 3 * hidden),
    `${name}/gates/rows`,
  );
  const sums = plus(firstTwo, part("R", 0, 2, state), "sums");
  const gates = has(biasAt)
    ? biased(sums, { ...biasRows(layer, 3, 0, 2), name: `${name}/b` }, "gates")
    : sums;
  const update = activate(0, gate(gates, 0, "update/rows"), `${name}/update`);
  const reset = activate(0, gate(gates, 1, "reset/rows"), `${name}/reset`);
  const isAfter = operation.number("linear_before_reset", 0) !== 0;
  const bias = (block: number, what: string): ConstantValue =>
    rows(biasAt, what, block * hidden, (block + 1) * hidden);
  const inner = ((): NodeValue => {
    if (!isAfter) {
      const sum = plus(inputRows, part("R_h", 2, 3, times(reset, state, "reset_state")), "hidden/sum");
      return has(biasAt)
        ? biased(sum, { ...biasRows(layer, 3, 2, 3), name: `${name}/b_h` }, "hidden/all")
        : sum;
    }
    const linear = part("R_h", 2, 3, state);
    const shifted = has(biasAt) ? biased(linear, bias(5, "b_r"), "hidden/linear") : linear;
    const sum = plus(inputRows, times(reset, shifted, "hidden/reset"), "hidden/sum");
    return has(biasAt) ? biased(sum, bias(2, "b_h"), "hidden/all") : sum;
  })();
  const candidate = activate(1, inner, `${name}/candidate`);
  // (1 - z) h~ + z h = h~ + z (h - h~)
  return [plus(candidate, times(update, minus(state, candidate, "difference"), "change"), "h")];
}

function plain(layer: Layer): readonly NodeValue[] {
  return [layer.activate(0, gatesOf(layer, 1), `${layer.name}/h`)];
}
