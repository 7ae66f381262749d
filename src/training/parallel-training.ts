import type { ConfigSection } from "../config/config-section.js";
import { Schedule } from "../config/schedule.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import type { RunLog } from "../log/run-log.js";
import type { Session } from "../session.js";
import { BufferedAggregation, GradientAggregation } from "./gradient-aggregation.js";
import { readModelAggregation } from "./model-aggregation-options.js";
import type { BlockMomentum } from "./model-mergers.js";
import { notAvailable } from "./refused-options.js";
import { alone, type Teamwork, type TeamworkRequest } from "./teamwork.js";

/** How the processes of a training share its work. */
export interface ParallelTraining {
  /** Do they share it in this epoch (0-based)? */
  active(epoch: number): boolean;
  /** Criteria of the epoch are summed in double. */
  sumsInDouble(epoch: number): boolean;
  /** Each process reads its own part of the data; undefined = as the reader can. */
  readonly distributedReading: boolean | undefined;
  /** The part of the data that this process reads in an epoch, if it can read apart from the others. */
  partOf(epoch: number): { readonly rank: number; readonly workers: number };
  /** CNTK's line before the first epoch, and before one where the number of gradient bits `changed` only. */
  announce(log: RunLog, epoch: number, traceLevel: number, changed?: boolean): void;
  /** What the log adds to `Starting minibatch loop` before it speaks of reading. */
  loopModifiers(epoch: number): string;
  /** What the processes do together in an epoch. */
  teamwork(epoch: number, request: Omit<TeamworkRequest, "communicator">): Teamwork;
  /** What block momentum remembers, which checkpoints keep. */
  readonly blockMomentum?: BlockMomentum;
}

const everything = { rank: 0, workers: 1 };

const notParallel: ParallelTraining = {
  partOf: () => everything,
  active: () => false,
  sumsInDouble: () => false,
  distributedReading: false,
  announce: () => undefined,
  loopModifiers: () => "",
  teamwork: (_, { nothing }) => alone(nothing),
};

const methods: Readonly<Record<string, string>> = {
  "": "none",
  none: "none",
  dataparallelsgd: "DataParallelSGD",
  modelaveragingsgd: "ModelAveragingSGD",
  blockmomentumsgd: "BlockMomentumSGD",
  dataparallelasgd: "DataParallelASGD",
};

type Surroundings = Pick<Session, "parallelTraining" | "elementType" | "communicator" | "log">;

/**
 * Reads the ParallelTrain section of an SGD section. Without `parallelTrain = true` at the top CNTK says that it ignores it.
 * @throws CntkError with CNTK's message for values it refuses, and for methods that cntkts does not have.
 * Source: SGDLib/SGD.cpp, the end of SGDParams::SGDParams.
 */
export function readParallelTraining(sgd: ConfigSection, session: Surroundings): ParallelTraining {
  if (!sgd.has("ParallelTrain")) return notParallel;
  if (!session.parallelTraining) {
    session.log.write("parallelTrain option is not enabled. ParallelTrain config will be ignored.\n");
    return notParallel;
  }
  const section = sgd.section("ParallelTrain");
  const word = section.string("parallelizationMethod", "none");
  const method = methods[word.toLowerCase()];
  if (method === undefined) {
    throw new CntkError({
      code: "parallelization-method",
      message:
        "ParseParallelizationMethod: Invalid Parallelization Method. Valid values are (none | DataParallelSGD | ModelAveragingSGD | BlockMomentumSGD | dataParallelASGD)",
      span: section.keySpan("parallelizationMethod"),
    });
  }
  const common = readCommon(sgd, section, session);
  if (method === "none") return { ...notParallel, distributedReading: common.distributedReading };
  if (method === "DataParallelSGD") return dataParallel(section, common, session);
  if (method === "DataParallelASGD") {
    notAvailable(section, "parallelizationMethod", `parallelizationMethod = ${word}`, "DataParallelSGD is");
  }
  return modelParallel(section, method, common, session);
}

/** What every method reads. */
interface CommonOptions extends Pick<ParallelTraining, "active" | "distributedReading" | "partOf"> {
  readonly packUpTo: number;
  readonly reportEvery: number;
}

function readCommon(
  sgd: ConfigSection,
  section: ConfigSection,
  { communicator }: Pick<Session, "communicator">,
): CommonOptions {
  const startEpoch = section.integer("parallelizationStartEpoch", 1) - 1;
  if (startEpoch < 0) {
    throw new CntkError({
      code: "parallelization-start",
      message: "parallelizationStartEpoch must be greater or equal to 1",
      span: section.keySpan("parallelizationStartEpoch"),
    });
  }
  const distributedReading = section.has("distributedMBReading")
    ? section.boolean("distributedMBReading")
    : undefined;
  const active = (epoch: number): boolean => epoch >= startEpoch;
  return {
    active,
    distributedReading,
    partOf: (epoch) => (active(epoch) ? { rank: communicator.rank, workers: communicator.size } : everything),
    packUpTo: sgd.size("packThresholdSizeInKB", 32) * 1024,
    reportEvery: Math.max(0, section.integer("syncPerfStats", 0)),
  };
}

function dataParallel(
  section: ConfigSection,
  common: CommonOptions,
  { elementType, communicator }: Pick<Session, "elementType" | "communicator">,
): ParallelTraining {
  const fullBits = elementType === "float" ? 32 : 64;
  const details = section.optionalSection("DataParallelSGD");
  const bits = details?.integerSchedule("gradientBits", [fullBits]) ?? new Schedule([fullBits]);
  if (bits.values.some((count) => count < 1 || count > fullBits)) {
    throw new CntkError({
      code: "gradient-bits",
      message:
        "gradientBits values must be in the range [1, 32] when using precision=float and in range [1, 64] when using precision=double.",
      span: details?.keySpan("gradientBits"),
    });
  }
  const buffered = details?.boolean("useBufferedAsyncGradientAggregation", false) ?? false;
  const { active, packUpTo, reportEvery } = common;
  return {
    ...common,
    sumsInDouble: active,
    announce(log, epoch, traceLevel, changed = false) {
      const count = bits.at(epoch);
      if (changed && bits.at(epoch - 1) === count) return;
      const how = count === fullBits ? `with FP${count} aggregation` : `for ${count}-bit quantization`;
      if (traceLevel > 0) log.write(`Initializing dataParallelSGD ${how}.\n`);
      if (count === fullBits) return;
      throw new CntkError({
        code: "gradient-bits",
        message:
          "Gradient quantization is unsupported in CNTK binaries built without quantized gradient aggregation support!",
        span: details?.keySpan("gradientBits"),
      });
    },
    loopModifiers: (epoch) =>
      active(epoch)
        ? `, DataParallelSGD training (myRank = ${communicator.rank}, numNodes = ${communicator.size}, numGradientBits = ${bits.at(epoch)})` +
          (buffered ? ", BufferedAsyncGradientAggregation is ENABLED" : "")
        : "",
    teamwork(epoch, request) {
      if (!active(epoch)) return alone(request.nothing);
      const Aggregation = buffered ? BufferedAggregation : GradientAggregation;
      return new Aggregation({ ...request, communicator }, { packUpTo, reportEvery });
    },
  };
}

function modelParallel(
  section: ConfigSection,
  method: string,
  common: CommonOptions,
  session: Surroundings,
): ParallelTraining {
  const { communicator } = session;
  const { active } = common;
  const aggregation = readModelAggregation(section, method, common.reportEvery, session);
  return {
    ...common,
    sumsInDouble: () => false,
    announce(log, _epoch, _traceLevel, changed = false) {
      if (!changed)
        log.write(`Parallel training (${communicator.size} workers) using ${aggregation.title}\n`);
    },
    loopModifiers: () => "",
    teamwork: (epoch, request) =>
      active(epoch) ? aggregation.begin({ ...request, communicator }) : alone(request.nothing),
    ...(aggregation.blockMomentum && { blockMomentum: aggregation.blockMomentum }),
  };
}
