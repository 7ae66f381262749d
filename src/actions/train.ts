import type { Executable, Values } from "../backends/backend.js";
import { countWithGradient, criteriaBlock, parametersBlock } from "../training/start-lines.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import { writeWhole } from "../files/file-access.js";
import { elementCount, type NetworkNode, type ShapedNetwork } from "../network/network.js";
import {
  type Checkpoint,
  modelFromNetwork,
  readCheckpoint,
  readModel,
  writeCheckpoint,
  writeModel,
} from "../model-files/index.js";
import { buildFromText, evaluationOrder, inputsBelow, networkText, shapeNetwork } from "../pipeline.js";
import type { Reader } from "../readers/reader.js";
import { readerFromConfig } from "../readers/index.js";
import { networkFromModel } from "../sources/model-file/index.js";
import { memoryBlock } from "../shapes/index.js";
import {
  checkpointFile,
  determineStartEpoch,
  modelFileAfter,
  removeSupersededCheckpoint,
} from "../training/checkpoints.js";
import { evaluate } from "../training/evaluate.js";
import { average, criteriaText } from "../log/training-lines.js";
import { checkStreams } from "../training/feed.js";
import { parameterValues, type ParameterStore } from "../training/parameters.js";
import { type EpochState, train } from "../training/sgd.js";
import { readSgdOptions, type SgdOptions } from "../training/sgd-options.js";
import { compileInference, compileTraining, type CompiledTraining } from "./compile.js";
import type { CommandContext } from "./run-context.js";
import { trainingNodes, type TrainingNodes } from "./training-nodes.js";

/** Action `train` (ActionsLib/TrainActions.cpp, SGDLib/SGD.cpp): trains a network, from its last checkpoint if there is one. */
export async function trainAction(command: CommandContext): Promise<void> {
  const options = readSgdOptions(command.section.section("SGD"));
  const makeMode = command.section.boolean("makeMode", true);
  const startEpoch = determineStartEpoch(command.files, options.modelPath, options.maxEpochs, makeMode);
  if (!options.keepCheckpointFiles) {
    removeSupersededCheckpoint(command.files, options.modelPath, startEpoch, options.maxEpochs);
  }
  if (startEpoch === options.maxEpochs) {
    command.log.stamped(`Final model exists: ${options.modelPath}\n`);
    command.log.stamped("No further training is necessary.\n");
    return;
  }
  await new Training(command, options, startEpoch).run();
}

class Training {
  constructor(
    private readonly command: CommandContext,
    private readonly options: SgdOptions,
    private readonly startEpoch: number,
  ) {}

  /** Network first, then readers: so CNTK's log shows the network when the data is missing. */
  async run(): Promise<void> {
    const { section } = this.command;
    const shaped = this.startEpoch < 0 ? this.createNetwork() : this.loadNetwork();
    const reader = await readerFromConfig(section.section("reader"), this.command);
    try {
      const validation = section.has("cvReader")
        ? await readerFromConfig(section.section("cvReader"), this.command)
        : undefined;
      try {
        await this.trainNetwork(shaped, reader, validation);
      } finally {
        await validation?.close();
      }
    } finally {
      await reader.close();
    }
  }

  private async trainNetwork(
    shaped: ShapedNetwork,
    reader: Reader,
    validation: Reader | undefined,
  ): Promise<void> {
    const { command, options, startEpoch } = this;
    const nodes = trainingNodes(shaped, options);
    const [criterion] = nodes.criteria;
    if (!criterion) return;
    const evaluated = [criterion, ...nodes.evaluations];
    criteriaBlock(command.log, shaped.network.nodes.length, nodes.criteria, nodes.evaluations);
    const inputs = inputsBelow(evaluated);
    const values = parameterValues(shaped, command.elementType);
    const compiled = await compileTraining(command, shaped, criterion, nodes.evaluations, values, options);
    try {
      this.printStart(shaped, nodes, criterion, compiled);
      if (startEpoch < 0)
        await this.saveModel(shaped, values, modelFileAfter(options.modelPath, -1, options.maxEpochs));
      const resumed = startEpoch > 0 ? await this.resume(shaped, compiled) : undefined;
      await train({
        program: { ...compiled.program, inputs },
        options,
        reader,
        log: command.log,
        startEpoch: Math.max(startEpoch, 0),
        totalSamplesSeen: resumed?.totalSamplesSeen ?? 0,
        signal: command.signal,
        onProgress: command.onProgress,
        hooks: {
          // CNTK asks the reader for all feature and label nodes, used or not.
          checkInputs: () => {
            const { feature, label } = shaped.network.groups;
            checkStreams(
              [...new Set([...inputs, ...inputsBelow([...feature, ...label])])],
              shaped.facts,
              reader,
            );
          },
          saveEpoch: (state) => this.saveEpoch(shaped, compiled, state),
          validate:
            validation &&
            ((epoch, size) =>
              this.crossValidate(shaped, validation, compiled.executable, evaluated, epoch, size)),
        },
      });
    } finally {
      await compiled.executable.dispose();
    }
  }

  private createNetwork(): ShapedNetwork {
    const { command } = this;
    const traceLevel = command.section.integer("traceLevel", 0);
    if (traceLevel > 0) command.log.stamped("\nCreating virgin network.\n");
    const { network } = buildFromText(command, networkText(command.section), traceLevel, command.log);
    return shapeNetwork(command, network, traceLevel, command.log).shaped;
  }

  /** A resumed network compiles silently, as in CNTK. */
  private loadNetwork(): ShapedNetwork {
    const { command, options, startEpoch } = this;
    const path = modelFileAfter(options.modelPath, startEpoch - 1, options.maxEpochs);
    command.log.stamped(`\nStarting from checkpoint. Loading network from '${path}'.\n`);
    const network = networkFromModel(readModel(command.files.readBytes(path), path));
    return shapeNetwork(command, network, 0, command.log).shaped;
  }

  private printStart(
    shaped: ShapedNetwork,
    nodes: TrainingNodes,
    criterion: NetworkNode,
    compiled: CompiledTraining,
  ): void {
    const { command, options, startEpoch } = this;
    const networkTrace = startEpoch < 0 ? command.section.integer("traceLevel", 0) : 0;
    if (networkTrace > 0) command.log.write(memoryBlock(shaped, { evaluated: nodes.evaluations, criterion }));
    const order = evaluationOrder(shaped, [criterion]);
    const parameters = compiled.parameters.map(({ node }) => ({
      node,
      shape: shaped.facts.get(node)?.shape ?? [],
    }));
    parametersBlock(command.log, parameters, countWithGradient(order, shaped.facts), options.traceLevel);
    if (options.traceLevel > 0) {
      command.log.stamped(
        "No PreCompute nodes found, or all already computed. Skipping pre-computation step.\n",
      );
    }
  }

  /** Momentum and counters of the epoch before the first one to run; a missing checkpoint only warns. */
  private async resume(shaped: ShapedNetwork, compiled: CompiledTraining): Promise<Checkpoint | undefined> {
    const { command, options, startEpoch } = this;
    const path = checkpointFile(modelFileAfter(options.modelPath, startEpoch - 1, options.maxEpochs));
    if (!command.files.exists(path)) {
      command.log.stamped("Warning: Checkpoint file is missing. Parameter-learning state (such as momentum) will be reset.\n"); // prettier-ignore
      return undefined;
    }
    const checkpoint = readCheckpoint(command.files.readBytes(path), path, compiled.parameters.length);
    const states = new Map<string, Values>();
    compiled.parameters.forEach((parameter, index) => {
      const gradient = checkpoint.gradients[index];
      const part = elementCount(shaped.facts.get(parameter.node)?.shape ?? []);
      if (gradient && gradient.values.length !== part * parameter.memory.length) {
        throw new CntkError({
          code: "checkpoint-mismatch",
          message: `The checkpoint '${path}' does not fit: for '${parameter.node.name}' it holds ${gradient.values.length} values, the training needs ${part * parameter.memory.length}.`,
          hint: "it comes from another gradUpdateType or network; makeMode=false begins anew, without the file momentum begins at 0",
        });
      }
      parameter.memory.forEach((name, at) => {
        if (gradient) states.set(name, gradient.values.subarray(at * part, (at + 1) * part));
      });
      parameter.counter.value = checkpoint.counts?.[index] ?? 0;
    });
    await compiled.executable.writeState(states);
    return checkpoint;
  }

  private async saveEpoch(
    shaped: ShapedNetwork,
    compiled: CompiledTraining,
    state: EpochState,
  ): Promise<void> {
    const { command, options } = this;
    const path = modelFileAfter(options.modelPath, state.epoch, options.maxEpochs);
    const gradients = await compiled.readSmoothedGradients();
    const checkpoint = writeCheckpoint({
      totalSamplesSeen: state.totalSamplesSeen,
      learningRatePerSample: state.learningRatePerSample,
      previousCriterion: state.criterion,
      minibatchSize: state.minibatchSize,
      gradients,
      counts: compiled.parameters.map(({ counter }) => counter.value),
    });
    this.writeFile(checkpointFile(path), checkpoint);
    if (options.traceLevel > 0) command.log.stamped(`SGD: Saving checkpoint model '${path}'\n`);
    await this.saveModel(shaped, await compiled.readParameters(), path, await compiled.readEngines());
    if (!options.keepCheckpointFiles && state.epoch > 0) {
      command.files.remove(
        checkpointFile(modelFileAfter(options.modelPath, state.epoch - 1, options.maxEpochs)),
      );
    }
  }

  private async saveModel(
    shaped: ShapedNetwork,
    values: ParameterStore,
    path: string,
    engines?: ReadonlyMap<NetworkNode, { seed: number; offset: number }>,
  ): Promise<void> {
    const model = modelFromNetwork(shaped, values, this.command.elementType, engines);
    this.writeFile(path, writeModel(model));
  }

  private writeFile(path: string, bytes: Uint8Array): void {
    writeWhole(this.command.files, path, (file) => file.write(bytes));
  }

  private async crossValidate(
    shaped: ShapedNetwork,
    validation: Reader,
    training: Executable,
    nodes: readonly NetworkNode[],
    epoch: number,
    minibatchSize: number,
  ): Promise<number | undefined> {
    const { command, options } = this;
    const executable = await compileInference(
      command,
      shaped,
      nodes,
      parameterValues(shaped, command.elementType),
    );
    try {
      const names = shaped.network.nodes
        .filter((node) => node.op.name === "LearnableParameter")
        .map((node) => node.name);
      await executable.writeState(await training.readState(names));
      const { criteria } = await evaluate({
        executable,
        elementType: command.elementType,
        inputs: inputsBelow(nodes),
        nodes,
        reader: validation,
        minibatchSize,
        epochSize: 0,
        minibatchesToShow: 0,
        firstMinibatchesToShow: 0,
        traceLevel: 0,
        log: command.log,
        signal: command.signal,
      });
      command.log.stamped(
        `Finished Epoch[${String(epoch + 1).padStart(2)} of ${options.maxEpochs}]: [Validate] ${criteriaText(criteria, false)}\n`,
      );
      return criteria[0] && average(criteria[0]);
    } finally {
      await executable.dispose();
    }
  }
}
