import type { Executable, MinibatchValues, Values } from "../../src/backends/backend.js";
import { referenceBackend } from "../../src/backends/reference/index.js";
import type { ExecutionGraph, ShapedNetwork } from "../../src/network/network.js";
import type { ElementType } from "../../src/numerics/values.js";
import { planGraph } from "../../src/plan/index.js";
import { AxisNames, validateNetwork } from "../../src/shapes/index.js";
import { parameterValues } from "../../src/training/parameters.js";
import { networkFromBrainScript } from "./brainscript-network.js";

/** A network from BrainScript, validated silently. */
export function shapedFromBrainScript(members: string, elementType: ElementType = "double"): ShapedNetwork {
  const { network } = networkFromBrainScript(members, { precision: elementType });
  return validateNetwork(network, { traceLevel: 0, axisNames: new AxisNames(), elementType }).shaped;
}

/** Compiles a graph for the reference backend and puts the parameters' first values in place. */
export async function compileGraph(
  shaped: ShapedNetwork,
  graph: ExecutionGraph,
  elementType: ElementType = "double",
): Promise<Executable> {
  const plan = planGraph(graph, elementType);
  const executable = await referenceBackend.compile(plan);
  const states = new Set(plan.buffers.filter(({ role }) => role === "state").map(({ name }) => name));
  const values = new Map<string, Values>();
  for (const [node, value] of parameterValues(shaped, elementType)) {
    if (states.has(node.name)) values.set(node.name, value);
  }
  await executable.writeState(values);
  return executable;
}

/** A minibatch from one array of samples per input. */
export function minibatch(inputs: Readonly<Record<string, readonly (readonly number[])[]>>): MinibatchValues {
  const entries = Object.entries(inputs).map(
    ([name, samples]) => [name, Float64Array.from(samples.flat())] as const,
  );
  return { samples: Object.values(inputs)[0]?.length ?? 0, inputs: new Map(entries) };
}
