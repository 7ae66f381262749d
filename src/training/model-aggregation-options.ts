import type { ConfigSection } from "../config/config-section.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import type { Session } from "../session.js";
import { ModelAggregation, type ModelMerger } from "./model-aggregation.js";
import { BlockMomentum, ModelAveraging, momentumOfTimeConstant } from "./model-mergers.js";
import type { Teamwork, TeamworkRequest } from "./teamwork.js";

/** What a training does whose processes share models. */
export interface ModelAggregationMethod {
  /** As CNTK's log names it. */
  readonly title: string;
  begin(request: TeamworkRequest): Teamwork;
  readonly blockMomentum?: BlockMomentum;
}

/**
 * Reads the section ModelAveragingSGD or BlockMomentumSGD; sizes of blocks count the samples of all processes.
 * @throws CntkError with CNTK's message for values that it refuses.
 * Source: SGDLib/SGD.cpp, SGDParams::SGDParams.
 */
export function readModelAggregation(
  parallel: ConfigSection,
  method: string,
  reportEvery: number,
  session: Pick<Session, "communicator" | "log">,
): ModelAggregationMethod {
  const { communicator } = session;
  const section = parallel.optionalSection(method);
  const isAveraging = method === "ModelAveragingSGD";
  const blockSize = readBlockSize(section, isAveraging, session);
  const options = { blockSize: Math.floor(blockSize / communicator.size), reportEvery };
  const begin =
    (merger: ModelMerger) =>
    (request: TeamworkRequest): Teamwork =>
      new ModelAggregation(request, options, merger);
  if (isAveraging) return { title: "ModelAveraging", begin: begin(new ModelAveraging(communicator)) };
  const blockMomentum = new BlockMomentum(communicator, {
    momentum: readMomentum(section, blockSize, communicator.size),
    learningRate: section?.number("blockLearningRate", 1) ?? 1,
    nesterov: section?.boolean("useNesterovMomentum", true) ?? true,
    resetsMemory: section?.boolean("resetSGDMomentum", true) ?? true,
  });
  return { title: "BlockMomentumSGD", begin: begin(blockMomentum), blockMomentum };
}

/** Old names of blockSizePerWorker. */
const oldNames = ["syncFrequencyInFrames", "syncPeriod"];

function readBlockSize(
  section: ConfigSection | undefined,
  isAveraging: boolean,
  { communicator, log }: Pick<Session, "communicator" | "log">,
): number {
  const { size } = communicator;
  if (!section) return (isAveraging ? 40000 : 120000) * size;
  if (section.has("blockSize") && section.has("blockSizePerWorker")) {
    throw blockSizeError(
      section,
      "It is only allowed to set blockSizePerWorker or blockSize, not both of them",
    );
  }
  for (const old of oldNames) {
    if (!section.has(old) || (!isAveraging && old === "syncFrequencyInFrames")) continue;
    if (section.has("blockSize") || section.has("blockSizePerWorker")) {
      throw blockSizeError(
        section,
        `${old} is a deprecated alias of blockSizePerWorker. It is not allowed to specify both of them`,
      );
    }
    log.write(
      `WARNING: option ${old} in ${isAveraging ? "ModelAveragingSGD" : "BlockMomentumSGD"} is going to be deprecated. Please use blockSizePerWorker instead\n`,
    );
    return section.size(old) * size;
  }
  if (section.has("blockSize")) return section.size("blockSize");
  return section.size("blockSizePerWorker", isAveraging ? 40000 : 120000) * size;
}

function blockSizeError(section: ConfigSection, message: string): CntkError {
  return new CntkError({ code: "block-size", message, span: section.keySpan("blockSizePerWorker") });
}

/** The momentum of a block; by default 1 − 1/processes, with which every block counts the same in the end. */
function readMomentum(section: ConfigSection | undefined, blockSize: number, workers: number): number {
  if (section?.has("blockMomentumPerSync") && section.has("blockMomentumAsTimeConstant")) {
    throw new CntkError({
      code: "block-momentum",
      message:
        "It is only allowed to set either blockMomentumPerSync or blockMomentumAsTimeConstant, not both of them",
      span: section.keySpan("blockMomentumPerSync"),
    });
  }
  const momentum = section?.has("blockMomentumAsTimeConstant")
    ? momentumOfTimeConstant(section.number("blockMomentumAsTimeConstant"), blockSize)
    : (section?.number("blockMomentumPerSync", 1 - 1 / workers) ?? 1 - 1 / workers);
  if (momentum >= 0 && momentum < 1) return momentum;
  throw new CntkError({
    code: "block-momentum",
    message: "blockMomentumPerSync must be in [0, 1).",
    span: section?.keySpan("blockMomentumPerSync"),
  });
}
