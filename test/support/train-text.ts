import type { Backend, Executable } from "../../src/backends/backend.js";
import type { NetworkNode } from "../../src/network/network.js";
import { planGraph } from "../../src/plan/index.js";
import type { ElementType, Values } from "../../src/numerics/values.js";
import type { Plan } from "../../src/plan/plan.js";
import { AxisNames, validateNetwork } from "../../src/shapes/index.js";
import { parameterValues } from "../../src/training/parameters.js";
import { trainingGraph, updateScalars, type UpdateOptions } from "../../src/updates/index.js";
import { buildText } from "./build-text.js";
import { frames } from "./run-graph.js";
import { plainOptions } from "./update-options.js";

/** A network in training, from the text of its BrainScriptNetworkBuilder, one minibatch at a time. */
export interface Training {
  readonly criterion: NetworkNode;
  readonly plan: Plan;
  readonly executable: Executable;
  /** Initial values of all parameters, by name. */
  readonly initial: ReadonlyMap<string, Values>;
  /** One training step; returns what the criterion and the evaluation nodes were before it. */
  step(
    samples: number,
    inputs: ReadonlyMap<string, Values>,
    rates: { learningRate: number; momentumPerSample: number; dropoutRate?: number },
  ): Promise<ReadonlyMap<string, Values>>;
}

/** Takes a text all the way to an executable: network, shapes, gradients and updates, plan, backend. */
export async function trainText(
  text: string,
  backend: Backend,
  elementType: ElementType,
  options: UpdateOptions = plainOptions,
): Promise<Training> {
  const { network } = buildText(text, { precision: elementType });
  const { shaped } = validateNetwork(network, { traceLevel: 0, axisNames: new AxisNames(), elementType });
  const criterion = network.groups.criterion[0];
  if (!criterion) throw new Error("the text names no criterion");
  const outputs = [...new Set([criterion, ...network.groups.evaluation])];
  const { graph, parameters } = trainingGraph(shaped, { criterion, outputs, options });
  const plan = planGraph(graph, elementType);
  const executable = await backend.compile(plan);
  const isState = new Set(plan.buffers.filter(({ role }) => role === "state").map(({ name }) => name));
  const initial = new Map(
    [...parameterValues(shaped, elementType)]
      .filter(([node]) => isState.has(node.name))
      .map(([node, values]) => [node.name, values] as const),
  );
  await executable.writeState(initial);
  return {
    criterion,
    plan,
    executable,
    initial,
    step: async (samples, inputs, { learningRate, momentumPerSample, dropoutRate = 0 }) => {
      const results = await executable.run("gradients", frames({ samples, inputs }), { dropoutRate });
      const kept = new Map(Array.from(results, ([name, { values }]) => [name, values.slice()] as const));
      const facts = { learningRate, momentumPerSample, samples, parameters, options, elementType };
      await executable.run("update", frames({ samples, inputs }), updateScalars(facts));
      return kept;
    },
  };
}
