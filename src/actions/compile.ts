import type { Executable, Values } from "../backends/backend.js";
import type { NetworkNode, ShapedNetwork } from "../network/network.js";
import type { ModelMatrix } from "../model-files/index.js";
import {
  backendStage,
  evaluationOrder,
  gradientStage,
  inferenceStage,
  planStage,
  trainingStage,
} from "../pipeline.js";
import type { ElementType } from "../numerics/values.js";
import type { ParameterStore } from "../training/parameters.js";
import type { TrainingProgram } from "../training/sgd.js";
import type { SgdOptions } from "../training/sgd-options.js";
import { type TrainedParameter, updateScalars } from "../updates/index.js";
import type { RunContext } from "./run-context.js";

/** Compiles the evaluation of some nodes. */
export async function compileInference(
  run: RunContext,
  shaped: ShapedNetwork,
  outputs: readonly NetworkNode[],
  values: ParameterStore,
): Promise<Executable> {
  return backendStage(run.backend, planStage(inferenceStage(shaped, outputs), run.elementType), values);
}

/** Compiles value and gradients of `root`; the map says which node carries the gradient of each wanted node. */
export async function compileGradients(
  run: RunContext,
  shaped: ShapedNetwork,
  root: NetworkNode,
  wanted: readonly NetworkNode[],
  values: ParameterStore,
): Promise<{ executable: Executable; gradients: ReadonlyMap<NetworkNode, NetworkNode> }> {
  const { graph, gradients } = gradientStage(shaped, root, wanted);
  const executable = await backendStage(run.backend, planStage(graph, run.elementType), values);
  return { executable, gradients };
}

/** A compiled training step with access to what it keeps. */
export interface CompiledTraining {
  readonly executable: Executable;
  readonly program: Omit<TrainingProgram, "inputs">;
  /** The trained parameters in the order of the log and of the checkpoint. */
  readonly parameters: readonly TrainedParameter[];
  readParameters(): Promise<ParameterStore>;
  readSmoothedGradients(): Promise<ModelMatrix[]>;
  /** State of the random engine of each dropout node. */
  readEngines(): Promise<Map<NetworkNode, { seed: number; offset: number }>>;
}

/** Compiles the training step of a criterion; `values` are the parameters to start from. */
export async function compileTraining(
  run: RunContext,
  shaped: ShapedNetwork,
  criterion: NetworkNode,
  evaluations: readonly NetworkNode[],
  values: ParameterStore,
  options: SgdOptions,
): Promise<CompiledTraining> {
  const { graph, parameters } = trainingStage(shaped, criterion, evaluations, options);
  const plan = planStage(graph, run.elementType);
  const executable = await backendStage(run.backend, plan, values);
  const stateNames = new Set(
    plan.buffers.filter((buffer) => buffer.role === "state").map((buffer) => buffer.name),
  );
  const engineNames = new Set(plan.engines.map((engine) => engine.name));
  const randomNodes = evaluationOrder(shaped, [criterion]).filter((node) => engineNames.has(node.name));
  return {
    executable,
    parameters,
    program: {
      executable,
      elementType: run.elementType,
      criterion,
      evaluations,
      criterionHasLayout: shaped.facts.get(criterion)?.dynamicAxis !== null,
      engines: randomNodes.map((node) => node.name),
      updateScalars: (facts) =>
        updateScalars({ ...facts, parameters, options, elementType: run.elementType }),
    },
    async readParameters() {
      const inUse = [...values.keys()].filter((node) => stateNames.has(node.name));
      const read = await executable.readState(inUse.map((node) => node.name));
      return new Map([...values].map(([node, initial]) => [node, read.get(node.name) ?? initial]));
    },
    async readSmoothedGradients() {
      const read = await executable.readState(parameters.flatMap(({ memory }) => memory));
      return parameters.map(({ node, memory }) => {
        const parts = memory.map((name) => read.get(name) ?? new Float64Array());
        const values = concatenated(parts, run.elementType);
        const rows = shaped.facts.get(node)?.shape[0] ?? 1;
        return { rows, columns: values.length / rows, values };
      });
    },
    async readEngines() {
      const read = await executable.readState(randomNodes.map((node) => node.name));
      return new Map(
        randomNodes.map((node) => {
          const [seed = 0, offset = 0] = read.get(node.name) ?? [];
          return [node, { seed, offset }];
        }),
      );
    },
  };
}

/** What an update rule remembers of a parameter, its parts behind each other as a checkpoint keeps them. */
function concatenated(parts: readonly Values[], elementType: ElementType): Values {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const values = elementType === "float" ? new Float32Array(length) : new Float64Array(length);
  let at = 0;
  for (const part of parts) {
    values.set(part, at);
    at += part.length;
  }
  return values;
}
