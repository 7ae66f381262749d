import type { ConfigSection } from "../config/config-section.js";
import { type PiecesOptions, readPieces, wholeMinibatches } from "./pieces.js";
import { readTracedNames, type TracedNames } from "./tracing.js";

/** What a test command says about its pass over the data (ActionsLib/EvalActions.cpp, DoEvalBase). */
export interface EvaluationOptions {
  readonly minibatchSize: number;
  /** Samples; 0 = all data. */
  readonly epochSize: number;
  /** Minibatches between lines of the log; 0 = none. */
  readonly minibatchesToShow: number;
  readonly firstMinibatchesToShow: number;
  readonly traceLevel: number;
  readonly pieces: PiecesOptions;
  readonly traced: TracedNames;
}

/** Reads a test or eval command. Throws CntkError for values that make no sense and for what is not available yet. */
export function readEvaluationOptions(section: ConfigSection): EvaluationOptions {
  return {
    minibatchSize: section.integerSchedule("minibatchSize", [40960]).at(0),
    epochSize: section.size("epochSize", 0),
    minibatchesToShow: section.size("numMBsToShowResult", 100),
    firstMinibatchesToShow: section.size("firstMBsToShowResult", 0),
    traceLevel: section.integer("traceLevel", 0),
    pieces: readPieces(section),
    traced: readTracedNames(section),
  };
}

/** Cross validation after an epoch: all data, in minibatches of the training's size, one line at the end. */
export function crossValidationOptions(minibatchSize: number): EvaluationOptions {
  return {
    minibatchSize,
    epochSize: 0,
    minibatchesToShow: 0,
    firstMinibatchesToShow: 0,
    traceLevel: 0,
    pieces: wholeMinibatches,
    traced: [],
  };
}

/** What a write command says about its pass over the data (ActionsLib/EvalActions.cpp, DoWriteOutput). */
export interface WriteOptions {
  readonly minibatchSize: number;
  /** Samples; 0 = all data. */
  readonly epochSize: number;
  readonly traceLevel: number;
  /** Writes gradients of inputs and parameters too. */
  readonly nodeUnitTest: boolean;
  readonly traced: TracedNames;
}

/** Reads a write command. Throws like `readEvaluationOptions`. */
export function readWriteOptions(section: ConfigSection): WriteOptions {
  return {
    minibatchSize: section.integerSchedule("minibatchSize", [2048]).at(0),
    epochSize: section.size("epochSize", 0),
    traceLevel: section.integer("traceLevel", 0),
    nodeUnitTest: section.boolean("nodeUnitTest", false),
    traced: readTracedNames(section),
  };
}
