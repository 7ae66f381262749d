import { CntkError } from "../diagnostics/diagnostic.js";
import { ByteReader } from "./byte-reader.js";
import { joinPieces } from "../files/join-pieces.js";
import { ByteWriter } from "./byte-writer.js";
import type { ModelMatrix } from "./model-file.js";

/** The lowest value of a criterion so far, and the 0-based epoch that had it. */
export interface BestCriterion {
  readonly minimum: number;
  readonly epoch: number;
}

/** What a training needs to go on besides the model. */
export interface Checkpoint {
  readonly totalSamplesSeen: number;
  /** Per sample, after the adjustment at the end of the epoch. */
  readonly learningRatePerSample: number;
  /** Value of the criterion that controls the learning rate. */
  readonly previousCriterion: number;
  /** Absent in some old files. */
  readonly minibatchSize?: number;
  /** Smoothed gradients: one matrix for each trained parameter, sorted by name (ordinal), one for each of its users. */
  readonly gradients: readonly ModelMatrix[];
  /** One number for each of them; 0 for update rules without a count. Absent in some old files. */
  readonly counts?: readonly number[];
  /** Only with saveBestModelPerCriterion; sorted by the names of criteria. */
  readonly criteria?: readonly BestCriterion[];
  /**
   * Only with block momentum: for each trained parameter the global model and its last change. cntkts writes them behind
   * everything else, where a CNTK without block momentum does not look.
   */
  readonly blocks?: readonly ModelMatrix[];
}

/** CNTK writes this number and ignores it on reading. */
const checkpointVersion = 2;

/**
 * Reads a checkpoint file. `parameterCount` is the number of gradients, which the file does not tell; without it as many are
 * read as there are. Throws CntkError `model-file-broken` with the byte offset.
 * Source: Source/SGDLib/SGD.cpp, LoadCheckPointInfo.
 */
export function readCheckpoint(bytes: Uint8Array, fileName: string, parameterCount?: number): Checkpoint {
  const reader = new ByteReader(bytes, fileName);
  if (reader.tryMarker("BVersion")) {
    reader.unsigned8("version");
    reader.marker("EVersion");
  } else if (reader.tryMarker("BCN")) {
    throw new CntkError({
      code: "model-file-foreign",
      message: `The file '${fileName}' is a model, not a checkpoint of a training.`,
    });
  }
  reader.marker("BCKP");
  reader.marker("BLearnRate");
  const totalSamplesSeen = Number(reader.unsigned8("number of samples seen"));
  const learningRatePerSample = reader.float8("learning rate");
  const previousCriterion = reader.float8("criterion");
  reader.marker("ELearnRate");
  let minibatchSize: number | undefined;
  if (reader.tryMarker("BMinibatchSize")) {
    minibatchSize = Number(reader.unsigned8("minibatch size"));
    reader.marker("EMinibatchSize");
  }
  reader.marker("BGradient");
  const gradients: ModelMatrix[] = [];
  if (parameterCount === undefined) {
    while (!reader.tryMarker("EGradient")) gradients.push(reader.matrix("smoothed gradient"));
  } else {
    for (let i = 0; i < parameterCount; i++) gradients.push(reader.matrix("smoothed gradient"));
    reader.marker("EGradient");
  }
  let counts: number[] | undefined;
  if (reader.tryMarker("BCount")) {
    counts = gradients.map(() => reader.float8("count"));
    reader.marker("ECount");
  }
  let criteria: BestCriterion[] | undefined;
  if (reader.tryMarker("BCriteria")) {
    const count = reader.signed4("number of criteria");
    criteria = Array.from({ length: Math.max(count, 0) }, () => ({
      minimum: reader.float8("criterion"),
      epoch: reader.signed4("epoch"),
    }));
    reader.marker("ECriteria");
  }
  reader.marker("ECKP");
  const blocks: ModelMatrix[] = [];
  if (reader.tryMarker("BBlockMomentum")) {
    while (!reader.tryMarker("EBlockMomentum")) blocks.push(reader.matrix("block momentum"));
  }
  return {
    totalSamplesSeen,
    learningRatePerSample,
    previousCriterion,
    ...(minibatchSize === undefined ? {} : { minibatchSize }),
    gradients,
    ...(counts === undefined ? {} : { counts }),
    ...(criteria === undefined ? {} : { criteria }),
    ...(blocks.length > 0 ? { blocks } : {}),
  };
}

/**
 * A checkpoint file, byte for byte as CNTK 2.0 writes it.
 * Source: Source/SGDLib/SGD.cpp, SaveCheckPointInfo.
 */
export function writeCheckpoint(checkpoint: Checkpoint): Uint8Array {
  const pieces: Uint8Array[] = [];
  const writer = new ByteWriter((piece) => void pieces.push(piece));
  const section = (name: string, write: () => void): void => {
    writer.wideText(`B${name}`);
    write();
    writer.wideText(`E${name}`);
  };
  section("Version", () => writer.unsigned8(checkpointVersion));
  section("CKP", () => {
    section("LearnRate", () => {
      writer.unsigned8(checkpoint.totalSamplesSeen);
      writer.float8(checkpoint.learningRatePerSample);
      writer.float8(checkpoint.previousCriterion);
    });
    const { minibatchSize, criteria } = checkpoint;
    if (minibatchSize !== undefined) section("MinibatchSize", () => writer.unsigned8(minibatchSize));
    section("Gradient", () => checkpoint.gradients.forEach((gradient) => writer.matrix(gradient)));
    section("Count", () => {
      checkpoint.gradients.forEach((_, i) => writer.float8(checkpoint.counts?.[i] ?? 0));
    });
    if (criteria !== undefined) {
      section("Criteria", () => {
        writer.signed4(criteria.length);
        for (const { minimum, epoch } of criteria) {
          writer.float8(minimum);
          writer.signed4(epoch);
        }
      });
    }
  });
  const { blocks } = checkpoint;
  if (blocks) section("BlockMomentum", () => blocks.forEach((matrix) => writer.matrix(matrix)));
  writer.finish();
  return joinPieces(pieces);
}
