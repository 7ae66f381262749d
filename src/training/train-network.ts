import { CntkError } from "../diagnostics/diagnostic.js";
import type { CriterionSum } from "../log/training-lines.js";
import type { NetworkNode, ShapedNetwork } from "../network/network.js";
import { inputsBelow, restrictOrder } from "../network/node-order.js";
import { statisticsToCompute, withStatistics } from "../network/statistics.js";
import type { Reader } from "../readers/reader.js";
import type { Session } from "../session.js";
import { memoryBlock } from "../memory-sharing/index.js";
import { BestModels } from "./best-models.js";
import { modelFileAfter } from "./checkpoints.js";
import { runEpochs } from "./epochs.js";
import { Evaluator } from "./evaluator.js";
import { requireSameTraining } from "./processes.js";
import { checkStreams, inputsOfTraining, requireDimensions } from "./feed.js";
import type { ParallelTraining } from "./parallel-training.js";
import { type ParameterStore, parameterValues } from "./parameters.js";
import type { SgdOptions } from "./sgd-options.js";
import {
  countWithGradient,
  criteriaBlock,
  evaluationsBlock,
  memoryForConvolutions,
  modelLine,
  noCriterionBlock,
  parametersBlock,
} from "./start-lines.js";
import { loadCheckpoint, type Resumed, saveModelFile } from "./state.js";
import { computeStatistics } from "./statistics.js";
import { TrainingCurves } from "./tensorboard.js";
import { Trainer } from "./trainer.js";
import { TrainingFiles } from "./training-files.js";
import { tracedNodes, Tracing } from "./tracing.js";
import { evaluationsBeside, trainingCriteria, type TrainingNodes } from "./training-nodes.js";
import { UnrollWarnings } from "./unroll-warnings.js";

export interface TrainingRequest {
  readonly shaped: ShapedNetwork;
  readonly options: SgdOptions;
  readonly parallel: ParallelTraining;
  readonly reader: Reader;
  /** Validation data, where the command has a cvReader. */
  readonly validation?: Reader;
  /** Finished epochs (0 = only the untrained model was there), or −1 for a new network. */
  readonly startEpoch: number;
  /** The command's: of a new network CNTK's log shows how matrices share memory. */
  readonly traceLevel: number;
  /** The network is a model that was there before, of which CNTK's log tells less. */
  readonly adapts: boolean;
}

export interface TrainingResult {
  /** The criteria on the training data in the last epoch that was run. */
  readonly lastCriteria: readonly CriterionSum[];
}

/** Trains a network from its last checkpoint or from the beginning (SGDLib/SGD.cpp, TrainOrAdaptModel). */
export async function trainNetwork(session: Session, given: TrainingRequest): Promise<TrainingResult> {
  const { shaped, options } = given;
  const { log } = session;
  if (!given.adapts) modelLine(log, shaped.network.nodes.length);
  const traced = tracedNodes(session, shaped, options.traced);
  if (!options.trainCriterionNodeName && shaped.network.groups.criterion.length === 0) noCriterionBlock(log);
  const { criteria, criterion } = trainingCriteria(shaped, options);
  const distributedReading = (given.parallel.distributedReading ?? true) && given.reader.readsParts;
  criteriaBlock(log, criteria);
  announceReading(session, given);
  const evaluations = evaluationsBeside(shaped, options, criteria);
  evaluationsBlock(log, evaluations);
  const nodes = { criteria, criterion, evaluations };
  const watched = [criterion, ...evaluations];
  const inputs = inputsBelow(watched);
  const initial = parameterValues(shaped, session.elementType);
  const tracing = new Tracing(session, shaped, [...evaluations, criterion], traced);
  const compiling = { shaped, criterion, evaluations, options, inputs, values: initial, tracing };
  const trainer = await Trainer.compile(session, compiling);
  let evaluator: Evaluator | undefined;
  let curves: TrainingCurves | undefined;
  try {
    printStart(session, given, nodes, trainer);
    await requireSameTraining(session.communicator, trainer, given.startEpoch);
    const { request, values } = await prepare(session, given, trainer, initial);
    const resumed = request.startEpoch > 0 ? await resume(session, request, trainer) : undefined;
    memoryForConvolutions(log, options, restrictOrder(shaped.order, [criterion]));
    await beginBlockMomentum(request.parallel, trainer, resumed);
    if (request.validation) {
      evaluator = await Evaluator.compile(session, request.shaped, watched, values, tracing);
    }
    const best = bestModels(options, watched, resumed);
    curves = await TrainingCurves.open(session, request.shaped, options);
    const lastCriteria = await runEpochs({
      session,
      trainer,
      options,
      parallel: request.parallel,
      reader: request.reader,
      distributedReading,
      // The network of a checkpoint is compiled at trace level 0.
      unrolled: new UnrollWarnings(shaped, watched, request.startEpoch < 0 ? request.traceLevel : 0),
      startEpoch: Math.max(request.startEpoch, 0),
      resumed,
      curves,
      hooks: new TrainingFiles(session, request, {
        ...{ trainer, evaluator, best, values, distributedReading },
        checkInputs: () => checkInputs(request, trainer.watched),
      }),
    });
    if (session.communicator.rank === 0) {
      best?.copyModels(session.files, options.modelPath, options.maxEpochs, log);
    }
    return { lastCriteria };
  } finally {
    curves?.close();
    await evaluator?.dispose();
    await trainer.dispose();
  }
}

/** Where nobody says whether processes read apart from each other, they do if the reader can. */
function announceReading({ log }: Session, { parallel, options, reader }: TrainingRequest): void {
  if (parallel.distributedReading !== undefined || !reader.readsParts || options.traceLevel <= 0) return;
  log.stamped("\"distributedMBReading\" is not explicitly specified, defaulting to 'true'.\n");
}

function printStart(
  session: Session,
  request: TrainingRequest,
  nodes: TrainingNodes,
  trainer: Trainer,
): void {
  const { shaped, options, parallel, startEpoch } = request;
  const { log } = session;
  const { criterion, evaluations } = nodes;
  if (startEpoch < 0 && request.traceLevel > 0 && !request.adapts) {
    log.write(memoryBlock(shaped, { evaluated: evaluations, criterion }));
  }
  const parameters = trainer.parameters.map(({ node }) => ({
    node,
    shape: shaped.facts.get(node)?.shape ?? [],
  }));
  const order = restrictOrder(shaped.order, [criterion]);
  parametersBlock(log, parameters, countWithGradient(order, shaped.facts), options.traceLevel);
  const { rememberedRates } = options.autoAdjust.search;
  if (rememberedRates > mostRates) {
    throw new CntkError({
      code: "learning-rate-search",
      message: `numPrevLearnRates = ${rememberedRates}: so many learning rates cannot be remembered.`,
      hint: "a search begins above the largest of the last few rates: 5, where nothing is said",
    });
  }
  parallel.announce(log, Math.max(startEpoch, 0), options.traceLevel);
}

const mostRates = 2 ** 27;

/**
 * The pass before the first epoch, where the network has statistics of the data that are not computed yet; then the model as
 * training finds it is saved, if anything of it is new (SGD.cpp, PreCompute).
 */
async function prepare(
  session: Session,
  given: TrainingRequest,
  trainer: Trainer,
  initial: ParameterStore,
): Promise<{ readonly request: TrainingRequest; readonly values: ParameterStore }> {
  const { log, files, elementType, communicator } = session;
  const { shaped, options, reader, startEpoch } = given;
  const statistics = statisticsToCompute(shaped);
  let [request, values] = [given, initial];
  if (statistics.length > 0) {
    log.write("\n");
    log.stamped(`Precomputing --> ${statistics.length} PreCompute nodes found.\n\n`);
    if (options.traceLevel > 0) {
      for (const { name, op } of statistics) log.stamped(`\t${name} = ${op.name}()\n`);
    }
    checkInputs(given, statistics);
    const computed = await computeStatistics(session, { shaped, statistics, reader, options });
    log.write("\n");
    log.stamped("Precomputing --> Completed.\n\n");
    request = { ...given, shaped: withStatistics(shaped, statistics) };
    values = initial.with(computed);
    await trainer.load({ parameters: values });
    trainer.shaped = request.shaped;
  } else if (options.traceLevel > 0) {
    log.stamped("No PreCompute nodes found, or all already computed. Skipping pre-computation step.\n");
  }
  if ((statistics.length > 0 || startEpoch < 0) && communicator.rank === 0) {
    const path = modelFileAfter(options.modelPath, Math.max(startEpoch, 0) - 1, options.maxEpochs);
    saveModelFile(files, path, request.shaped, elementType, values);
  }
  return { request, values };
}

/** Block momentum starts from the parameters as they are, or with what a checkpoint remembers. */
async function beginBlockMomentum(
  { blockMomentum }: ParallelTraining,
  trainer: Trainer,
  resumed: Resumed | undefined,
): Promise<void> {
  await trainer.changeParameters(async (parameters) => blockMomentum?.begin(parameters, resumed?.blocks));
}

function checkInputs({ shaped, reader }: TrainingRequest, roots: readonly NetworkNode[]): void {
  const { all, used } = inputsOfTraining(shaped, roots);
  checkStreams(all, reader);
  // Those that are fed are looked at when there are data.
  const unused = all.filter((node) => !used.includes(node));
  requireDimensions(unused, shaped.facts, new Map(reader.streams.map((stream) => [stream.name, stream])));
}

/** Momentum and counters of the epoch before the first one to run; a missing checkpoint only warns. */
async function resume(
  { files, log }: Session,
  { options, startEpoch }: TrainingRequest,
  trainer: Trainer,
): Promise<Resumed | undefined> {
  const model = modelFileAfter(options.modelPath, startEpoch - 1, options.maxEpochs);
  const resumed = await loadCheckpoint(files, model, trainer);
  if (!resumed) {
    const loss = "Parameter-learning state (such as momentum) will be reset";
    log.stamped(`Warning: Checkpoint file is missing. ${loss}.\n`);
  }
  return resumed;
}

function bestModels(
  options: SgdOptions,
  watched: readonly NetworkNode[],
  resumed: Resumed | undefined,
): BestModels | undefined {
  const count = options.saveBestModelPerCriterion ? watched.length : 0;
  if (resumed?.best && resumed.best.length !== count) {
    throw new CntkError({
      code: "checkpoint-mismatch",
      message: `Criteria size mismatch: checkpoint size ${resumed.best.length} but input size ${count}`,
      hint: "saveBestModelPerCriterion was another one when the checkpoint was written",
    });
  }
  const names = watched.map(({ name }) => name);
  return options.saveBestModelPerCriterion ? new BestModels(names, resumed?.best) : undefined;
}
