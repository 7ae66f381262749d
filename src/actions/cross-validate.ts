import type { ConfigSection } from "../config/config-section.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import { average, type CriterionSum } from "../log/training-lines.js";
import { formatGeneral } from "../numerics/number-format.js";
import type { ShapedNetwork } from "../network/network.js";
import { inferenceGraph, requirePlan, shapeNetwork } from "../pipeline.js";
import { type Reader, readerFromConfig } from "../readers/index.js";
import type { Session } from "../session.js";
import {
  inModelFile,
  loadModelFile,
  networkFromModel,
  requirePrecision,
} from "../sources/model-file/index.js";
import { type EvaluationOptions, readEvaluationOptions } from "../training/evaluation-options.js";
import { evaluate, Evaluator } from "../training/evaluator.js";
import { checkStreams } from "../training/feed.js";
import { interrupted } from "../training/interruption.js";
import { parameterValues } from "../training/parameters.js";
import type { Action } from "./action.js";
import { checkReaderSection, readerSection } from "./reader-section.js";
import { evaluationNodesNamed } from "./evaluation-nodes.js";

/** What a `cv` command says. */
interface CrossValidation {
  readonly modelPath: string;
  /** Numbers of the models' epochs. */
  readonly first: number;
  readonly step: number;
  readonly last: number;
  readonly evaluationNodes: readonly string[];
  /** Seconds after each model. */
  readonly pause: number;
  readonly evaluation: EvaluationOptions;
}

function readCrossValidation(section: ConfigSection): CrossValidation {
  const interval = section.integerSchedule("crossValidationInterval");
  // As in every list of CNTK's, the last number stands for those that are not there.
  const [first, step, last] = interval.isEmpty ? [-1, 0, 0] : [0, 1, 2].map((index) => interval.at(index));
  if (first === undefined || step === undefined || last === undefined || step < 1 || first < 0) {
    throw new CntkError({
      code: "validation-interval",
      message:
        "crossValidationInterval is the number of the first model, a step and the number of the last model.",
      span: section.keySpan("crossValidationInterval"),
      hint: "crossValidationInterval = 1:1:10 takes modelPath.1 to modelPath.10",
    });
  }
  return {
    modelPath: section.string("modelPath"),
    first,
    step,
    last,
    evaluationNodes: section.array("evalNodeNames", []),
    pause: section.size("sleepTimeBetweenRuns", 0),
    evaluation: readEvaluationOptions(section),
  };
}

/** The criteria of one model. */
interface Validated {
  readonly model: string;
  readonly criteria: readonly CriterionSum[];
}

/**
 * Action `cv`: evaluates the models of several epochs on the same data and tells which is best (ActionsLib/EvalActions.cpp,
 * DoCrossValidate).
 */
export const crossValidateAction: Action = {
  async run(session, { section }) {
    const { files, log } = session;
    const reader = await readerFromConfig(validationReader(section), session);
    try {
      const options = readCrossValidation(section);
      const validated: Validated[] = [];
      let usedFinalModel = false;
      for (let epoch = options.first; epoch <= options.last; epoch += options.step) {
        let model = `${options.modelPath}.${epoch}`;
        if (!files.exists(model)) {
          log.write(`Model ${model} does not exist.\n`);
          if (usedFinalModel || !files.exists(options.modelPath)) continue;
          model = options.modelPath;
          usedFinalModel = true;
        }
        validated.push({ model, criteria: await validate(session, model, options, reader) });
        await pause(session, options.pause);
      }
      printBest(session, validated);
      return { criteria: validated.at(-1)?.criteria ?? [] };
    } finally {
      await reader.close();
    }
  },
  async check(session, { section }) {
    await checkReaderSection(session, validationReader(section));
    const { modelPath, evaluationNodes } = readCrossValidation(section);
    const { files, untrained } = session;
    if (!files.exists(modelPath) && !untrained?.has(files.resolve(modelPath))) return;
    const shaped = loaded(session, modelPath);
    const nodes = evaluationNodesNamed(session, shaped, evaluationNodes);
    requirePlan(inferenceGraph(shaped, nodes), session.elementType);
  },
};

/** The reader's trace level is the command's. */
function validationReader(section: ConfigSection): ConfigSection {
  return readerSection(section);
}

/** A model compiles silently. */
function loaded(session: Session, path: string): ShapedNetwork {
  const model = loadModelFile(session, path);
  requirePrecision(session.elementType, model, path);
  const network = networkFromModel(model, path);
  session.axisNames.takenByLoading(network);
  return inModelFile(path, () => shapeNetwork(session, network, 0).shaped, "hint");
}

async function validate(
  session: Session,
  model: string,
  { evaluation, evaluationNodes }: CrossValidation,
  reader: Reader,
): Promise<readonly CriterionSum[]> {
  const { log, signal, onProgress } = session;
  const shaped = loaded(session, model);
  // What its compile tells, of convolutions, stands before the model's name.
  log.write(`Model ${model} --> \n`);
  const nodes = evaluationNodesNamed(session, shaped, evaluationNodes);
  const values = parameterValues(shaped, session.elementType);
  const evaluator = await Evaluator.compile(session, shaped, nodes, values);
  try {
    checkStreams(evaluator.inputs, reader);
    const run = {
      reader,
      options: evaluation,
      log,
      ...(signal && { signal }),
      ...(onProgress && { onProgress }),
    };
    return (await evaluate(evaluator, run)).criteria;
  } finally {
    await evaluator.dispose();
  }
}

/** Waits, unless the run is stopped meanwhile. */
async function pause({ signal }: Pick<Session, "signal">, seconds: number): Promise<void> {
  const tick = 0.1;
  for (let waited = 0; waited < seconds; waited += tick) {
    await new Promise((resolve) => setTimeout(resolve, 1000 * Math.min(tick, seconds - waited)));
    if (signal?.aborted) throw interrupted();
  }
}

function printBest({ log }: Pick<Session, "log">, validated: readonly Validated[]): void {
  const [first] = validated;
  if (!first) {
    throw new CntkError({
      code: "no-model",
      message: "No model is evaluated.",
      hint: "crossValidationInterval names models that are not there; look at modelPath",
    });
  }
  log.write("Best models:\n------------\n");
  first.criteria.forEach((criterion, index) => {
    let best = { model: first.model, error: average(criterion) };
    for (const { model, criteria } of validated) {
      const found = criteria[index];
      if (found && average(found) < best.error) best = { model, error: average(found) };
    }
    const error = formatGeneral(best.error, 8);
    log.write(`Based on Err[${index}]: Best model = ${best.model} with min err ${error}\n`);
  });
}
