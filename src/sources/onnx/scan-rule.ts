import { type NodeValue, type OperationImport, Scope, type Value } from "./graph-import.js";
import type { OnnxFileGraph } from "./read-onnx.js";
import { delayNode } from "./shaping-rules.js";

/** Adds the operations of a graph in order; handed in, since rules and graphs need one another. */
export type ImportNodes = (graph: OnnxFileGraph, scope: Scope) => void;

/**
 * ONNX's Scan is a loop of CNTK: each state is a delay by one step of what the body makes of it, what is scanned and collected
 * are nodes with a value for each frame.
 */
export function importScan(operation: OperationImport, importNodes: ImportNodes): readonly Value[] {
  const body = operation.graph("body");
  if (!body) throw operation.problem("it has no body");
  const scannedCount = operation.number("num_scan_inputs", 0);
  const stateCount = operation.source.inputs.length - scannedCount;
  const isBackward = directionOf(operation);
  const scope = new Scope(operation.scope);
  scope.addConstants(body);
  const scanned = body.inputs.slice(stateCount).map(({ name }, index) => {
    const outer = operation.operand(stateCount + index);
    if (outer.leads !== 2) throw operation.problem("it scans something else than sequences");
    operation.assembly.goThrough(operation, outer);
    scope.set(name, { ...outer, leads: 1 });
    return outer;
  });
  if (scanned.length === 0) throw operation.problem("nothing comes in from outside the loop");
  const states = body.inputs.slice(0, stateCount).map(({ name, dims }, index) => {
    const own = dims.slice(1).map((dim) => dim ?? 1);
    const attributes = { timeStep: 1, dims: own };
    const kind = isBackward ? "FutureValue" : "PastValue";
    const delay = delayNode(operation, kind, undefined, operation.value(index), attributes, name);
    scope.set(name, { ...delay, leads: 1 });
    return delay;
  });
  importNodes(body, scope);
  const result = (name: string | undefined): NodeValue => {
    const value = scope.get(name ?? "");
    if (value?.kind !== "node") throw operation.problem(`its body does not compute '${name ?? ""}'`);
    return value;
  };
  states.forEach(({ node }, index) => {
    // The first input of a delay is what it delays; it is known only now.
    node.inputs = [result(body.outputs[index]).node, ...node.inputs];
  });
  const collected = body.outputs.slice(stateCount).map((name) => ({ ...result(name), leads: 2 }));
  return [...states, ...collected];
}

function directionOf(operation: OperationImport): boolean {
  const all = [
    ...(operation.numbers("scan_input_directions") ?? []),
    ...(operation.numbers("scan_output_directions") ?? []),
  ];
  const isBackward = all.length > 0 && all.every((direction) => direction === 1);
  if (!isBackward && all.some((direction) => direction !== 0))
    throw operation.problem("it goes through some sequences forwards and through others backwards");
  const axes = [
    ...(operation.numbers("scan_input_axes") ?? []),
    ...(operation.numbers("scan_output_axes") ?? []),
  ];
  if (axes.some((axis) => axis !== 0)) throw operation.problem("time is not the first axis");
  return isBackward;
}
