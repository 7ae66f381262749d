import type { ConfigSection } from "../config/config-section.js";
import { Schedule } from "../config/schedule.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import type { RunLog } from "../log/run-log.js";
import type { Session } from "../session.js";
import { notAvailable } from "./refused-options.js";

/** How the processes of a training share its work. */
export interface ParallelTraining {
  /** Do they share it in this epoch (0-based)? Gradients and criteria are summed then, criteria in double. */
  active(epoch: number): boolean;
  /** Each process reads its own part of the data. */
  readonly distributedReading: boolean;
  /** CNTK has chosen `distributedReading` itself, and says so. */
  readonly readingIsDefault: boolean;
  /** The part of the data that this process reads in an epoch. */
  partOf(epoch: number): { readonly rank: number; readonly workers: number };
  /** CNTK's line before the first epoch, and before one where the number of gradient bits `changed` only. */
  announce(log: RunLog, epoch: number, traceLevel: number, changed?: boolean): void;
  /** What the log adds to `Starting minibatch loop`. */
  loopModifiers(epoch: number): string;
}

const everything = { rank: 0, workers: 1 };

const alone: ParallelTraining = {
  partOf: () => everything,
  active: () => false,
  distributedReading: false,
  readingIsDefault: false,
  announce: () => undefined,
  loopModifiers: () => "",
};

const methods: Readonly<Record<string, string>> = {
  "": "none",
  none: "none",
  dataparallelsgd: "DataParallelSGD",
  modelaveragingsgd: "ModelAveragingSGD",
  blockmomentumsgd: "BlockMomentumSGD",
  dataparallelasgd: "DataParallelASGD",
};

/**
 * Reads the ParallelTrain section of an SGD section. Without `parallelTrain = true` at the top CNTK says that it ignores it.
 * @throws CntkError with CNTK's message for values it refuses, and for methods that cntkts does not have.
 * Source: SGDLib/SGD.cpp, the end of SGDParams::SGDParams.
 */
export function readParallelTraining(
  sgd: ConfigSection,
  session: Pick<Session, "parallelTraining" | "elementType" | "communicator" | "log">,
): ParallelTraining {
  if (!sgd.has("ParallelTrain")) return alone;
  if (!session.parallelTraining) {
    session.log.write("parallelTrain option is not enabled. ParallelTrain config will be ignored.\n");
    return alone;
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
  const startEpoch = section.integer("parallelizationStartEpoch", 1) - 1;
  if (startEpoch < 0) {
    throw new CntkError({
      code: "parallelization-start",
      message: "parallelizationStartEpoch must be greater or equal to 1",
      span: section.keySpan("parallelizationStartEpoch"),
    });
  }
  const readingIsDefault = !section.has("distributedMBReading");
  if (method === "none") return { ...alone, readingIsDefault };
  if (method !== "DataParallelSGD") {
    notAvailable(section, "parallelizationMethod", `parallelizationMethod = ${word}`, "DataParallelSGD is");
  }
  return dataParallel(section, startEpoch, session);
}

function dataParallel(
  section: ConfigSection,
  startEpoch: number,
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
  if (details?.boolean("useBufferedAsyncGradientAggregation", false)) {
    notAvailable(details, "useBufferedAsyncGradientAggregation");
  }
  const distributedReading = section.boolean("distributedMBReading", true);
  return {
    distributedReading,
    readingIsDefault: !section.has("distributedMBReading"),
    active: (epoch) => epoch >= startEpoch,
    partOf: (epoch) =>
      distributedReading && epoch >= startEpoch
        ? { rank: communicator.rank, workers: communicator.size }
        : everything,
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
      epoch < startEpoch
        ? ""
        : `, DataParallelSGD training (myRank = ${communicator.rank}, numNodes = ${communicator.size}, numGradientBits = ${bits.at(epoch)})` +
          (distributedReading ? ", distributed reading is ENABLED" : ""),
  };
}
