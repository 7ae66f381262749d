import type { Executable } from "../backends/backend.js";
import type { RunLog } from "../log/run-log.js";
import { type CriterionSum, evaluationLine } from "../log/training-lines.js";
import type { NetworkNode } from "../network/network.js";
import type { ElementType } from "../numerics/values.js";
import type { Reader } from "../readers/reader.js";
import { CriterionAccumulator } from "./criteria.js";
import { feed, realSamples } from "./feed.js";
import { Interruption } from "./interruption.js";
import type { ProgressListener } from "./progress.js";

export interface EvaluationRun {
  readonly executable: Executable;
  readonly elementType: ElementType;
  readonly inputs: readonly NetworkNode[];
  /** Scalar nodes to average, in the log's order. */
  readonly nodes: readonly NetworkNode[];
  readonly reader: Reader;
  readonly minibatchSize: number;
  /** 0 = all data. */
  readonly epochSize: number;
  readonly log?: RunLog;
  /** Minibatches between lines of the log; 0 = none. */
  readonly minibatchesToShow: number;
  readonly firstMinibatchesToShow: number;
  readonly traceLevel: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: ProgressListener;
}

export interface EvaluationResult {
  readonly criteria: readonly CriterionSum[];
  readonly minibatches: number;
}

/** Averages nodes over a data set and prints CNTK's lines (SGDLib/SimpleEvaluator.h, Evaluate). */
export async function evaluate(run: EvaluationRun): Promise<EvaluationResult> {
  const accumulator = new CriterionAccumulator(run.nodes, run.elementType, true);
  let minibatches = 0;
  let lastShown = 0;
  let samples = 0;
  let shown: CriterionSum[] = [];
  const interruption = new Interruption(run.signal);
  const started = performance.now();
  const show = (): void => {
    if (run.traceLevel > 0) {
      run.log?.stamped(evaluationLine(lastShown + 1, minibatches, accumulator.read(shown), false));
    }
    shown = accumulator.read();
    lastShown = minibatches;
  };
  await run.reader.start({
    epoch: 0,
    minibatchSize: run.minibatchSize,
    epochSize: run.epochSize,
    rank: 0,
    workers: 1,
  });
  for (let minibatch = await run.reader.next(); minibatch; minibatch = await run.reader.next()) {
    const values = await run.executable.run("evaluate", feed(minibatch, run.inputs, run.elementType));
    const count = realSamples(minibatch);
    accumulator.add(values, count);
    minibatches++;
    samples += count;
    run.onProgress?.({
      phase: "test",
      samples,
      totalSamples: run.epochSize || run.reader.sweepSamples,
      seconds: (performance.now() - started) / 1000,
    });
    const due =
      minibatches <= run.firstMinibatchesToShow ||
      (run.minibatchesToShow > 0 && minibatches % run.minibatchesToShow === 0);
    if (due) show();
    await interruption.check();
  }
  if (run.traceLevel > 0 && lastShown < minibatches && run.minibatchesToShow > 0) show();
  const criteria = accumulator.read();
  run.log?.stamped(evaluationLine(1, minibatches, criteria, true));
  return { criteria, minibatches };
}
