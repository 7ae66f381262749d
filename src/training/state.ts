import { CntkError } from "../diagnostics/diagnostic.js";
import type { FileAccess } from "../files/file-access.js";
import {
  type BestCriterion,
  type ModelFile,
  type ModelMatrix,
  modelFromNetwork,
  readCheckpoint,
  openModel,
  writeCheckpoint,
  saveModel,
  writeRenamed,
} from "../model-files/index.js";
import {
  formatShape,
  type NetworkNode,
  type ParameterValues,
  type ShapedNetwork,
} from "../network/network.js";
import type { ElementType, Values } from "../numerics/values.js";
import { checkpointFile } from "./checkpoints.js";
import type { BlockMemory } from "./model-mergers.js";
import type { ParameterStore } from "./parameters.js";
import type { RateState } from "./rate-control.js";
import type { EngineState, TrainerState } from "./trainer-state.js";
import type { Trainer } from "./trainer.js";

/** What a training knows at the end of an epoch besides what its trainer holds. */
export interface EpochState {
  readonly totalSamplesSeen: number;
  readonly learningRatePerSample: number;
  readonly minibatchSize: number;
  /** What the control of the learning rate compares the next epochs with. */
  readonly previousCriterion: number;
  /** With saveBestModelPerCriterion: the best epochs so far, sorted by the names of criteria. */
  readonly best?: readonly BestCriterion[] | undefined;
  /** With BlockMomentumSGD: what it remembers of each trained parameter. */
  readonly blocks?: readonly BlockMemory[] | undefined;
}

/** A model file: the network with its parameters and, after an epoch, the state of its random engines. */
export function saveModelFile(
  files: FileAccess,
  path: string,
  shaped: ShapedNetwork,
  elementType: ElementType,
  parameters: ParameterStore,
  engines?: TrainerState["engines"],
): void {
  const model = modelFromNetwork(shaped, parameters, elementType, engines);
  saveModel(model, files, path);
}

/**
 * The checkpoint beside a model file: what a training needs to go on besides the model. Per trained parameter one matrix
 * with all that its update rule remembers, and one number (SGDLib/SGD.cpp, SaveCheckPointInfo).
 */
export function saveCheckpoint(
  files: FileAccess,
  model: string,
  shaped: ShapedNetwork,
  trainer: Trainer,
  state: TrainerState,
  epoch: EpochState,
): void {
  const gradients = trainer.parameters.map(({ node }, index) => {
    const values = state.memory[index] ?? new Float64Array();
    const rows = shaped.facts.get(node)?.shape[0] ?? 1;
    return { rows, columns: values.length / rows, values };
  });
  const checkpoint = writeCheckpoint({
    totalSamplesSeen: epoch.totalSamplesSeen,
    learningRatePerSample: epoch.learningRatePerSample,
    previousCriterion: epoch.previousCriterion,
    minibatchSize: epoch.minibatchSize,
    gradients,
    counts: trainer.parameters.map(() => state.count),
    ...(epoch.best ? { criteria: epoch.best } : {}),
    ...(epoch.blocks
      ? { blocks: epoch.blocks.flatMap(({ model, change }) => [asColumn(model), asColumn(change)]) }
      : {}),
  });
  writeRenamed(files, checkpointFile(model), (file) => file.write(checkpoint));
}

const asColumn = (values: Values): ModelMatrix => ({ rows: values.length, columns: 1, values });

/** What a checkpoint leaves to the epochs that follow. */
export interface Resumed extends RateState {
  readonly totalSamplesSeen: number;
  /** Absent in checkpoints of the first versions. */
  readonly minibatchSize?: number | undefined;
  readonly best?: readonly BestCriterion[];
  readonly blocks?: readonly BlockMemory[];
}

/**
 * Puts the parameters of a model file of the same network into a trainer, and the state of its random engines
 * (ComputationNetwork.h, RereadPersistableParameters). Returns what the log says about it.
 */
export async function reloadModel(
  files: FileAccess,
  path: string,
  trainer: Trainer,
  parameters: ParameterStore,
): Promise<string> {
  const saved = openModel(files, path);
  const byName = new Map(saved.nodes.map((node) => [node.name, node]));
  const found = new Map<NetworkNode, ParameterValues>();
  for (const node of parameters.keys()) {
    const values = byName.get(node.name)?.values?.values;
    if (values) found.set(node, values);
  }
  const engines = new Map<NetworkNode, EngineState>();
  for (const node of trainer.randomNodes) {
    const { seed, offset } = byName.get(node.name)?.fields ?? {};
    if (seed !== undefined && offset !== undefined) {
      engines.set(node, { seed: Number(seed), offset: Number(offset) });
    }
  }
  await trainer.load({ parameters: parameters.with(found), engines });
  return statisticsReshaped(saved, trainer.shaped);
}

/**
 * Statistics of the data come out of a file as matrices; validating them gives them their input's shape again, which the log
 * tells of, without ending the line (ComputationNetwork.cpp, ReadPersistableParameters).
 */
function statisticsReshaped({ nodes }: ModelFile, { facts, order }: ShapedNetwork): string {
  const statistics = new Map(
    order.filter(({ op }) => op.role === "precompute").map((node) => [node.name, node]),
  );
  let text = "";
  for (const { name, values } of nodes) {
    const node = statistics.get(name);
    if (!node || !values) continue;
    const read = formatShape([values.rows, values.columns]);
    const shape = formatShape(facts.get(node)?.shape ?? []);
    if (read === shape) continue;
    text += `ValidateSubNetwork: ${name} ${node.op.name} operation changed, from ${read} to ${shape}.`;
  }
  return text;
}

/**
 * Puts a checkpoint's memories and counters into a trainer. Returns undefined where there is no checkpoint.
 * @throws CntkError `checkpoint-mismatch` when it belongs to another network or update rule (SGD.cpp, LoadCheckPointInfo).
 */
export async function loadCheckpoint(
  files: FileAccess,
  model: string,
  trainer: Trainer,
): Promise<Resumed | undefined> {
  const path = checkpointFile(model);
  if (!files.exists(path)) return undefined;
  const checkpoint = readCheckpoint(files.readBytes(path), path, trainer.parameters.length);
  const memory = trainer.parameters.map((parameter, index) => {
    const found = checkpoint.gradients[index]?.values ?? new Float64Array();
    const needed = trainer.elementsOf(parameter.node) * parameter.memory.length;
    if (found.length === needed) return found;
    throw new CntkError({
      code: "checkpoint-mismatch",
      message: `The checkpoint '${path}' does not fit: for '${parameter.node.name}' it holds ${found.length} values, the training needs ${needed}.`,
      hint: "it comes from another gradUpdateType or network; makeMode=false begins anew, without the file momentum begins at 0",
    });
  });
  await trainer.load({ memory, count: checkpoint.counts?.[0] ?? 0 });
  const { criteria, blocks = [] } = checkpoint;
  const { totalSamplesSeen, minibatchSize, learningRatePerSample, previousCriterion } = checkpoint;
  const memories = blocks.flatMap(({ values }, i) => {
    const change = i % 2 === 0 ? blocks[i + 1] : undefined;
    return change ? [{ model: values, change: change.values }] : [];
  });
  return {
    ...{ totalSamplesSeen, minibatchSize, learningRatePerSample, previousCriterion, best: criteria },
    ...(memories.length > 0 ? { blocks: memories } : {}),
  };
}
