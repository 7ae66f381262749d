import type { ConfigSection } from "../config/config-section.js";
import type { ShapedNetwork } from "../network/network.js";
import { statisticsToCompute, withStatistics } from "../network/statistics.js";
import {
  buildShapedNetwork,
  inferenceGraph,
  readDescription,
  requirePlan,
  requireMemory,
  requireTrainable,
  shapeNetwork,
} from "../pipeline.js";
import { readerFromConfig } from "../readers/index.js";
import type { Session } from "../session.js";
import { checkTotal } from "../shapes/index.js";
import { loadModelFile, networkFromModel, requirePrecision } from "../sources/model-file/index.js";
import { leaveUntrained } from "./stored-values.js";
import { determineStartEpoch, modelFileAfter, removeSupersededCheckpoint } from "../training/checkpoints.js";
import { readParallelTraining } from "../training/parallel-training.js";
import { readSgdOptions, type SgdOptions } from "../training/sgd-options.js";
import { valueOfFirst } from "../training/processes.js";
import { inputsOfTraining } from "../training/feed.js";
import { trainingNodes } from "../training/training-nodes.js";
import type { Action, ActionResult, Command } from "./action.js";
import { checkInputs, checkReaderSection } from "./reader-section.js";
import { keysThere } from "./networks.js";

/** An action that trains a network: where no training was begun, one that it makes itself. */
export interface TrainingAction extends Action {
  create(session: Session, section: ConfigSection): Promise<ShapedNetwork>;
  /** What it reads of the network's description where a checkpoint takes its place. */
  describe?: ((session: Session, section: ConfigSection) => Promise<void>) | undefined;
  /** The network is a model that was there before. */
  readonly adapts: boolean;
}

/** Action `train` (ActionsLib/TrainActions.cpp, DoTrain): trains a network, from its last checkpoint if there is one. */
export const trainAction: TrainingAction = {
  create: createNetwork,
  describe: readDescription,
  adapts: false,
  epochs: (section) => section.section("SGD").size("maxEpochs"),
  demand(section) {
    section.section("SGD");
    section.section("reader");
    section.string("modelPath");
    this.epochs?.(section);
  },
  async run(session, { section }): Promise<ActionResult> {
    const { files, log } = session;
    const options = readSgdOptions(section.section("SGD"), session.elementType);
    for (const warning of options.warnings) log.stamped(warning);
    const parallel = readParallelTraining(section.section("SGD"), session);
    const { modelPath, maxEpochs } = options;
    // The first process may be writing already when another one looks.
    const makeMode = section.boolean("makeMode", true);
    const startEpoch = await valueOfFirst(
      session.communicator,
      determineStartEpoch(files, modelPath, maxEpochs, makeMode),
    );
    if (!options.keepCheckpointFiles && session.communicator.rank === 0)
      removeSupersededCheckpoint(files, options, startEpoch);
    if (startEpoch === maxEpochs) {
      log.stamped(`Final model exists: ${modelPath}\n`);
      log.stamped("No further training is necessary.\n");
      return {};
    }
    // Network first, then readers: so CNTK's log shows the network when the data is missing.
    const shaped =
      startEpoch < 0
        ? await this.create(session, section)
        : await resumedNetwork(session, options, startEpoch, () => this.describe?.(session, section));
    requireMemory(shaped);
    const reader = await readerFromConfig(section.section("reader"), session);
    try {
      const validation = section.has("cvReader")
        ? await readerFromConfig(section.section("cvReader"), session)
        : undefined;
      try {
        const traceLevel = section.integer("traceLevel", 0);
        const { trainNetwork } = await import("../training/train-network.js");
        const { lastCriteria } = await trainNetwork(session, {
          shaped,
          options,
          parallel,
          reader,
          validation,
          startEpoch,
          traceLevel,
          adapts: this.adapts,
        });
        return { lastCriteria };
      } finally {
        await validation?.close();
      }
    } finally {
      await reader.close();
    }
  },
  /** Leaves its untrained network for later commands that load the same modelPath. */
  async check(session, command: Command): Promise<void> {
    const { section } = command;
    const there = keysThere(session, command, "reader", "SGD", "modelPath");
    const sgd = there.has("SGD") && there.has("modelPath") ? section.section("SGD") : undefined;
    const options = sgd && readSgdOptions(sgd, session.elementType);
    if (sgd) readParallelTraining(sgd, session);
    const begun = options && section.boolean("makeMode", true) ? epochLeft(session, options) : undefined;
    const shaped =
      options && begun !== undefined
        ? await resumedNetwork(session, options, begun, () => this.describe?.(session, section))
        : await this.create(session, section);
    const streams = there.has("reader")
      ? await checkReaderSection(session, section.section("reader"))
      : undefined;
    if (section.has("cvReader")) await checkReaderSection(session, section.section("cvReader"));
    if (!options) {
      const { criterion, evaluation, output } = shaped.network.groups;
      const computed = withStatistics(shaped, statisticsToCompute(shaped));
      requirePlan(inferenceGraph(computed, [...criterion, ...evaluation, ...output]), session.elementType);
      return;
    }
    const { criterion, evaluations } = trainingNodes(shaped, options);
    const outputs = [criterion, ...evaluations];
    requireTrainable(shaped, { criterion, outputs }, session.elementType);
    options.requireSize(options.minibatchSizes.at(0));
    if (options.maxEpochs > 0) checkInputs(inputsOfTraining(shaped, outputs).all, shaped, streams);
    const model = withStatistics(shaped, statisticsToCompute(shaped));
    const { modelPath, maxEpochs } = options;
    for (let epoch = -1; epoch < Math.min(maxEpochs, mostEpochsLeft); epoch++) {
      leaveUntrained(session, modelFileAfter(modelPath, epoch, maxEpochs), model);
    }
    leaveUntrained(session, modelPath, model);
  },
};

/** The epoch from which an earlier command, such as an edit, lets a training go on; not one that this training would have finished. */
function epochLeft(session: Session, { modelPath, maxEpochs }: SgdOptions): number | undefined {
  const isThere = (path: string): boolean => session.untrained?.has(session.files.resolve(path)) ?? false;
  if (isThere(modelPath)) return undefined;
  for (let epoch = Math.min(maxEpochs, mostEpochsLeft) - 1; epoch >= 0; epoch--) {
    if (isThere(modelFileAfter(modelPath, epoch - 1, maxEpochs))) return epoch;
  }
  return undefined;
}

/** A check leaves the models of no more than so many epochs for later commands. */
const mostEpochsLeft = 1000;

/** A check is there to show the network, whatever a run would tell. */
async function createNetwork(session: Session, section: ConfigSection): Promise<ShapedNetwork> {
  const traceLevel = Math.max(section.integer("traceLevel", 0), session.findings ? 1 : 0);
  if (traceLevel > 0) session.log.stamped("\nCreating virgin network.\n");
  const shaped = await buildShapedNetwork(session, section, traceLevel);
  // The model file holds all parameters, those that nothing uses included.
  checkTotal(shaped, shaped.network.nodes);
  return shaped;
}

/** A resumed network compiles silently, as in CNTK; its description is read before, though nothing comes of it. */
async function resumedNetwork(
  session: Session,
  options: SgdOptions,
  startEpoch: number,
  describe: () => Promise<void> | undefined,
): Promise<ShapedNetwork> {
  const path = modelFileAfter(options.modelPath, startEpoch - 1, options.maxEpochs);
  session.log.stamped(`\nStarting from checkpoint. Loading network from '${path}'.\n`);
  await describe();
  const model = loadModelFile(session, path);
  requirePrecision(session.elementType, model, path);
  return shapeNetwork(session, networkFromModel(model, path), 0).shaped;
}
