import type { Values } from "../numerics/values.js";
import type { RunLog } from "../log/run-log.js";
import { type CriterionSum, evaluationLine } from "../log/training-lines.js";
import type { Outputs } from "../backends/backend.js";
import { initialEngines } from "../model-files/index.js";
import type { EntryName } from "../network/execution-graph.js";
import type { NetworkNode, ParameterValues, ShapedNetwork } from "../network/network.js";
import { refuseData, refusePieces } from "../network/not-implemented.js";
import { inputsBelow, restrictOrder } from "../network/node-order.js";
import {
  compilePlan,
  type CompiledPlan,
  gradientGraph,
  inferenceGraph,
  planGraph,
  requireMemory,
} from "../computing.js";
import type { ElementType } from "../numerics/values.js";
import { type Minibatch, shareOfMinibatch, splitMinibatch } from "../minibatch/index.js";
import type { Reader } from "../readers/reader.js";
import type { ProgressListener, Session } from "../session.js";
import { emptyAccumulators } from "./accumulated-results.js";
import { CriterionAccumulator, joinedSums, type MinibatchSums, minibatchSums, noSums } from "./criteria.js";
import type { EvaluationOptions } from "./evaluation-options.js";
import { feedNetwork } from "./feed.js";
import { located } from "./located-failures.js";
import { Interruption } from "./interruption.js";
import type { ParameterStore } from "./parameters.js";
import { type EvaluationTeam, refuseSharedResults } from "./processes.js";
import { labelledSamples } from "./samples.js";
import { addSums, type SharedMinibatch } from "./teamwork.js";
import type { Tracing } from "./tracing.js";
import type { UnrollWarnings } from "./unroll-warnings.js";

type Tools = Pick<Session, "backend" | "elementType">;

/** Compiled nodes whose values can be asked for. The only place that runs a plan without training. */
export class Evaluator {
  private hasRun = false;

  private constructor(
    readonly shaped: ShapedNetwork,
    /** The nodes that are computed. */
    readonly nodes: readonly NetworkNode[],
    /** Fed nodes. */
    readonly inputs: readonly NetworkNode[],
    readonly elementType: ElementType,
    private readonly compiled: CompiledPlan,
    private readonly entry: EntryName,
    /** The node that carries each wanted gradient; its values come with those of the nodes. */
    readonly gradients: ReadonlyMap<NetworkNode, NetworkNode> = new Map(),
    private readonly tracing?: Tracing,
  ) {}

  /** Nodes in inference mode; what `tracing` asks for is shown with every minibatch. */
  static async compile(
    session: Tools,
    shaped: ShapedNetwork,
    nodes: readonly NetworkNode[],
    values: ParameterStore,
    tracing?: Tracing,
  ): Promise<Evaluator> {
    const computed = [...new Set([...nodes, ...(tracing?.nodes ?? [])])];
    const plan = planGraph(inferenceGraph(shaped, computed), session.elementType);
    requireMemory(shaped);
    const compiled = await compilePlan(session, plan, values);
    await setEngines(compiled, shaped);
    const inputs = inputsBelow(nodes);
    return new Evaluator(
      ...([shaped, nodes, inputs, session.elementType, compiled, "evaluate", undefined, tracing] as const),
    );
  }

  /** One node in training mode, and its gradients with respect to others. */
  static async compileGradients(
    session: Tools,
    shaped: ShapedNetwork,
    root: NetworkNode,
    wanted: readonly NetworkNode[],
    values: ParameterStore,
    tracing?: Tracing,
  ): Promise<Evaluator> {
    const outputs = [...new Set([root, ...(tracing?.nodes ?? [])])];
    const { graph, gradients } = gradientGraph(shaped, { root, wanted, outputs });
    const compiled = await compilePlan(session, planGraph(graph, session.elementType), values);
    await setEngines(compiled, shaped);
    const inputs = inputsBelow([root]);
    return new Evaluator(
      ...([shaped, [root], inputs, session.elementType, compiled, "gradients", gradients, tracing] as const),
    );
  }

  /** Values by node name; valid until the next call. `piece` is the number of one of several interleaved series of minibatches. */
  async values(minibatch: Minibatch, piece = 0): Promise<Outputs> {
    const data = feedNetwork(minibatch, this.inputs, this.shaped.facts);
    if (!this.hasRun) refuseData(restrictOrder(this.shaped.order, this.nodes), this.shaped.facts);
    this.hasRun = true;
    this.compiled.executable.selectSeries?.(piece);
    const { executable } = this.compiled;
    const outputs = await located(this.shaped, () => executable.run(this.entry, data, { dropoutRate: 0 }));
    this.tracing?.show(outputs);
    return outputs;
  }

  /** Results that nodes accumulate begin anew. */
  async beginPass(): Promise<void> {
    const { executable, states } = this.compiled;
    this.tracing?.beginPass();
    await executable.writeState(emptyAccumulators(this.nodes, this.shaped, states));
  }

  /** Makes the next run a first one: random engines begin where the network says, accumulated results anew. */
  async restart(): Promise<void> {
    await setEngines(this.compiled, this.shaped);
    await this.beginPass();
  }

  /** Takes other parameters; those that the nodes do not need are left aside. */
  async load(parameters: ReadonlyMap<NetworkNode, ParameterValues>): Promise<void> {
    const { executable, states } = this.compiled;
    const written = new Map<string, Values>();
    for (const node of parameters.keys()) {
      const values = states.has(node.name) ? parameters.get(node) : undefined;
      if (values) written.set(node.name, values);
    }
    await executable.writeState(written);
  }

  dispose(): Promise<void> {
    return this.compiled.executable.dispose();
  }
}

/** Random engines begin where the network says. */
async function setEngines({ executable, engines }: CompiledPlan, shaped: ShapedNetwork): Promise<void> {
  const states = Array.from(
    initialEngines(shaped),
    ([node, { seed, offset }]) => [node.name, Float64Array.of(Number(seed), Number(offset))] as const,
  );
  await executable.writeState(new Map(states.filter(([name]) => engines.has(name))));
}

export interface EvaluationRun {
  readonly reader: Reader;
  readonly options: EvaluationOptions;
  readonly log: RunLog;
  readonly unrolled?: UnrollWarnings;
  readonly signal?: AbortSignal;
  readonly onProgress?: ProgressListener;
  /** The processes that share the pass; absent = this one alone. */
  readonly team?: EvaluationTeam | undefined;
}

export interface EvaluationResult {
  readonly criteria: readonly CriterionSum[];
  readonly minibatches: number;
}

/** The criteria of a minibatch, or of the parts of it that several processes have; `samples` are real ones. */
async function evaluateMinibatch(
  evaluator: Evaluator,
  { team, unrolled, log }: EvaluationRun,
  read: Minibatch | undefined,
  pieces: number,
): Promise<SharedMinibatch> {
  const { nodes, shaped, elementType } = evaluator;
  const nothing = noSums(nodes);
  const divides = team && !team.readsApart;
  const minibatch =
    read && divides ? shareOfMinibatch(read, team.communicator.rank, team.communicator.size) : read;
  if (minibatch && unrolled) log.write(unrolled.lines(minibatch));
  let own = minibatch && nothing;
  if (minibatch && minibatch.columns > 0) {
    const parts: MinibatchSums[] = [];
    const split = splitMinibatch(minibatch, pieces);
    if (split.length > 1) refusePieces(shaped.order, shaped.facts);
    for (const [piece, part] of split.entries()) {
      const count = labelledSamples(part, shaped);
      parts.push(minibatchSums(nodes, await evaluator.values(part, piece), count, count, elementType));
    }
    own = joinedSums(parts, labelledSamples(minibatch, shaped), elementType);
  }
  if (team) return addSums(team.communicator, own, nothing);
  return { sums: own ?? nothing, anyData: own !== undefined };
}

/** Averages an evaluator's nodes over a data set and prints CNTK's lines (SGDLib/SimpleEvaluator.h, Evaluate). */
export async function evaluate(evaluator: Evaluator, run: EvaluationRun): Promise<EvaluationResult> {
  const { options, reader, log } = run;
  if (run.team) refuseSharedResults(run.team.communicator, evaluator.nodes);
  await evaluator.beginPass();
  const accumulator = new CriterionAccumulator(evaluator.nodes, evaluator.elementType, true);
  let minibatches = 0;
  let lastShown = 0;
  let samples = 0;
  let shown: CriterionSum[] = [];
  const interruption = new Interruption(run.signal);
  const started = performance.now();
  const show = (): void => {
    if (options.traceLevel > 0) {
      log.stamped(evaluationLine(lastShown + 1, minibatches, accumulator.read(shown), false));
    }
    shown = accumulator.read();
    lastShown = minibatches;
  };
  const { minibatchSize, epochSize } = options;
  const { rank, size: workers } = run.team?.readsApart ? run.team.communicator : { rank: 0, size: 1 };
  await reader.start({ epoch: 0, minibatchSize, epochSize, rank, workers });
  const pieces = options.pieces.needed(minibatchSize, reader.firstParallelSequences ?? 1);
  for (let goesOn = true; ;) {
    const read = await reader.next();
    // Processes that read apart from each other go on until all of them are done.
    if (!read && !(run.team?.readsApart && goesOn)) break;
    const { sums, anyData } = await evaluateMinibatch(evaluator, run, read, pieces);
    goesOn = anyData;
    accumulator.addSums(sums);
    minibatches++;
    samples += sums.samples;
    run.onProgress?.({
      phase: "test",
      samples,
      totalSamples: epochSize || reader.sweepSamples,
      seconds: (performance.now() - started) / 1000,
    });
    const due =
      minibatches <= options.firstMinibatchesToShow ||
      (options.minibatchesToShow > 0 && minibatches % options.minibatchesToShow === 0);
    if (due) show();
    await interruption.check();
  }
  if (options.traceLevel > 0 && lastShown < minibatches) show();
  const criteria = accumulator.read();
  log.stamped(evaluationLine(1, minibatches, criteria, true));
  return { criteria, minibatches };
}
