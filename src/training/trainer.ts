import type { Outputs } from "../backends/backend.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import { elementCount, type NetworkNode, type ShapedNetwork } from "../network/network.js";
import { refuseData, refusePieces } from "../network/not-implemented.js";
import { restrictOrder } from "../network/node-order.js";
import { compilePlan, type CompiledPlan, planGraph, trainingGraph } from "../computing.js";
import type { RunLog } from "../log/run-log.js";
import type { ElementType, Values } from "../numerics/values.js";
import { type Minibatch, splitMinibatch } from "../minibatch/index.js";
import type { Session } from "../session.js";
import {
  sparseGradientError,
  type SparseRefusal,
  type TrainedParameter,
  updateScalars,
  type UpdateOptions,
} from "../updates/index.js";
import { emptyAccumulators } from "./accumulated-results.js";
import {
  CriterionAccumulator,
  joinedSums,
  type MinibatchSums,
  minibatchSums,
  noSums,
  sumOverSamples,
} from "./criteria.js";
import { feedNetwork } from "./feed.js";
import { located } from "./located-failures.js";
import { checkGradients } from "./gradient-check.js";
import { type MixedGradients, mixedGradients } from "./mixed-gradients.js";
import { Noise } from "./noise.js";
import type { ParameterStore } from "./parameters.js";
import { type EngineState, joined, type TrainerState } from "./trainer-state.js";
import { labelledSamples, paddedSamples, parallelSequences } from "./samples.js";
import type { Tracing } from "./tracing.js";

/** What a step depends on besides its data; all per sample. */
export interface Rates {
  /** Before a parameter's own multiplier. At 0 nothing is updated. */
  readonly learningRate: number;
  readonly momentumPerSample: number;
  readonly dropoutRate: number;
}

export interface TrainerRequest {
  readonly shaped: ShapedNetwork;
  readonly criterion: NetworkNode;
  /** Nodes to watch beside the criterion, in the log's order. */
  readonly evaluations: readonly NetworkNode[];
  readonly options: UpdateOptions;
  /** Fed nodes. */
  readonly inputs: readonly NetworkNode[];
  /** The parameters to start from. */
  readonly values: ParameterStore;
  /** What is shown of every minibatch. */
  readonly tracing?: Tracing;
}

/**
 * A compiled training: it makes steps, and gives and takes its state. The only place that runs a training's plan.
 * Source: SGDLib/SGD.cpp, TrainOneEpoch.
 */
export class Trainer {
  private count = 0;
  private readonly noise: Noise;
  private hasRun = false;
  private mixed: MixedGradients | undefined;
  /** Those that the criterion uses and all others: CNTK reads them all in a training. */
  private readonly allInputs: readonly NetworkNode[];
  /** Values of all parameters as they were put in; those that the plan holds have changed since. */
  private values: ParameterStore;
  /** The network as it is by now: what is known of some nodes changes while it is trained. */
  shaped: ShapedNetwork;

  private constructor(
    private readonly session: Pick<Session, "backend" | "elementType">,
    private readonly request: TrainerRequest,
    private compiled: CompiledPlan,
    /** The trained parameters in the order of the log and of the checkpoint. */
    readonly parameters: readonly TrainedParameter[],
    private readonly refusals: readonly SparseRefusal[],
    /** Nodes that draw random numbers, in the criterion's evaluation order. */
    readonly randomNodes: readonly NetworkNode[],
    /** A parameter whose gradient holds some columns only. */
    private readonly sparseGradient: string | undefined,
    private readonly gradientsBelow: ReadonlyMap<NetworkNode, string>,
    /** Why nothing can be trained: told when it is tried. */
    private readonly noGradients: CntkError | undefined,
  ) {
    this.values = request.values;
    this.shaped = request.shaped;
    this.allInputs = request.shaped.network.nodes.filter(({ op }) => op.role === "input");
    this.noise = new Noise(session.elementType);
  }

  private get elementType(): ElementType {
    return this.session.elementType;
  }

  /** Graph, plan and executable of a training, parameters in place. */
  static async compile(
    session: Pick<Session, "backend" | "elementType">,
    request: TrainerRequest,
  ): Promise<Trainer> {
    const { shaped, criterion, options, values } = request;
    const outputs = outputsOf(request);
    const { graph, parameters, refusals, gradientsBelow, noGradients } = trainingGraph(shaped, {
      ...{ criterion, outputs, options },
      gradientsBelow: request.tracing?.gradientsBelow,
    });
    const compiled = await compilePlan(session, planGraph(graph, session.elementType), values);
    const random = restrictOrder(shaped.order, [criterion]).filter(({ name }) => compiled.engines.has(name));
    const touched = graph.entries.gradients?.assignments.find(
      ({ state }) => graph.facts.get(state)?.storage === "touched",
    );
    const sparse = parameters.find(({ gradient }) => gradient === touched?.state.name)?.node.name;
    const found = [refusals, random, sparse, gradientsBelow, noGradients] as const;
    return new Trainer(session, request, compiled, parameters, ...found);
  }

  /** Goes on with other attributes of the network's nodes, which are compiled into the plan; all that was learned stays. */
  async recompile(shaped: ShapedNetwork): Promise<void> {
    const { criterion, options } = this.request;
    const outputs = outputsOf(this.request);
    const gradientsBelow = this.request.tracing?.gradientsBelow;
    const { graph } = trainingGraph(shaped, { criterion, outputs, options, gradientsBelow });
    const former = this.compiled;
    const compiled = await compilePlan(this.session, planGraph(graph, this.elementType), new Map());
    const kept = [...compiled.states, ...compiled.engines].filter(
      (name) => former.states.has(name) || former.engines.has(name),
    );
    await compiled.executable.writeState(await former.executable.readState(kept));
    this.compiled = compiled;
    this.shaped = shaped;
    await former.executable.dispose();
  }

  /** Criterion first, then the evaluation nodes. */
  get watched(): readonly NetworkNode[] {
    return [this.request.criterion, ...this.request.evaluations];
  }

  /** Has the network random nodes whose rate `dropoutRate` sets? */
  get drawsRandomNumbers(): boolean {
    return this.randomNodes.some(({ op }) => op.name === "Dropout");
  }

  /** Sequences side by side in a minibatch, on the network's own dynamic axis. */
  parallelSequences(minibatch: Minibatch): number {
    return parallelSequences(minibatch, this.request.shaped);
  }

  /** An empty accumulator for what `step` adds to; evaluations and data-parallel trainings add in double. */
  accumulator(addInDouble: boolean): CriterionAccumulator {
    return new CriterionAccumulator(this.watched, this.elementType, addInDouble);
  }

  /**
   * Every random node begins an epoch with an engine of its own; processes that share the work draw other numbers than each
   * other: `engines` is `epoch` + rank · maxEpochs (SGD.cpp, TrainOrAdaptModel; ComputationNetwork.cpp, SetIRngUserSeed).
   */
  async beginEpoch(epoch: number, engines = epoch): Promise<void> {
    const count = this.randomNodes.length;
    this.noise.beginEpoch(epoch);
    await this.writeEngines(
      new Map(this.randomNodes.map((node, i) => [node, { seed: engines * count + i, offset: 0 }])),
    );
  }

  /** A pass over data begins: results that nodes accumulate begin anew. */
  async beginPass(): Promise<void> {
    const { executable, states } = this.compiled;
    this.request.tracing?.beginPass();
    await executable.writeState(emptyAccumulators(this.watched, this.shaped, states));
  }

  /**
   * Values of criterion and evaluation nodes on a minibatch, summed over its samples, and the gradients behind them, which
   * stay in the trainer for `update`. A minibatch without columns gives nothing. With `pieces` it is computed in so many, one
   * after another, and their gradients are added.
   */
  async gradients(minibatch: Minibatch, dropoutRate: number, pieces = 1): Promise<MinibatchSums> {
    const { shaped } = this.request;
    if (minibatch.columns === 0) return noSums(this.watched);
    if (this.hasRun) this.refuseMixedGradients("later");
    else this.refuseData(minibatch, dropoutRate);
    const split = splitMinibatch(minibatch, pieces);
    if (split.length > 1) refusePieces(shaped.order, shaped.facts);
    const summed = split.length > 1 ? new Map<string, Values>() : undefined;
    const parts: MinibatchSums[] = [];
    for (const [piece, part] of split.entries()) {
      const values = await this.runGradients(part, dropoutRate, piece);
      this.request.tracing?.show(values, this.gradientsBelow);
      const labelled = labelledSamples(part, shaped);
      parts.push(minibatchSums(this.watched, values, labelled, labelled, this.elementType));
      if (summed) await this.addGradients(summed);
    }
    if (summed) await this.compiled.executable.writeState(summed);
    return joinedSums(parts, paddedSamples(minibatch, shaped, this.allInputs), this.elementType);
  }

  private runGradients(minibatch: Minibatch, dropoutRate: number, piece: number): Promise<Outputs> {
    const { executable } = this.compiled;
    const { shaped, inputs } = this.request;
    const data = feedNetwork(minibatch, inputs, shaped.facts);
    executable.selectSeries?.(piece);
    return located(shaped, () => executable.run("gradients", data, { dropoutRate }));
  }

  private get gradientNames(): string[] {
    if (this.noGradients) return [];
    return [...new Set(this.parameters.map(({ gradient }) => gradient))];
  }

  /** Adds the gradients of a piece to those of the pieces before, in the element type. */
  private async addGradients(sums: Map<string, Values>): Promise<void> {
    for (const [name, values] of await this.compiled.executable.readState(this.gradientNames)) {
      const sum = sums.get(name);
      if (!sum) sums.set(name, values);
      else for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + (values[i] ?? 0);
    }
  }

  /** Compares the gradients of a minibatch with differences; nothing is changed by it. */
  async checkGradients(
    minibatch: Minibatch,
    { dropoutRate }: Rates,
    digits: number,
    log: RunLog,
  ): Promise<void> {
    if (this.noGradients) throw this.noGradients;
    const { criterion } = this.request;
    const { executable, states, engines } = this.compiled;
    const names = [...states, ...engines];
    const before = await executable.readState(names);
    // Running statistics and random numbers are the same every time.
    const unmoved = new Map(
      [...before].filter(([name]) => !this.parameters.some(({ node }) => node.name === name)),
    );
    await checkGradients(
      {
        parameters: this.parameters.map(({ node, gradient }) => ({ name: node.name, gradient })),
        read: (wanted) => executable.readState(wanted),
        write: (values) => executable.writeState(values),
        criterion: async () => {
          await executable.writeState(unmoved);
          const value = (await this.runGradients(minibatch, dropoutRate, 0)).get(criterion.name);
          return value ? sumOverSamples(value, this.elementType) : NaN;
        },
      },
      digits,
      log,
    );
    await executable.writeState(before);
  }

  private async addNoise(deviation: number): Promise<void> {
    const { executable } = this.compiled;
    const values = await executable.readState([...new Set(this.parameters.map(({ node }) => node.name))]);
    this.noise.addTo(values.values(), deviation);
    await executable.writeState(values);
  }

  /**
   * Changes the parameters by the gradients of a minibatch with these sums.
   * @throws CntkError for a node without a gradient.
   */
  async update(rates: Rates, { samples, criteria }: MinibatchSums): Promise<void> {
    if (this.noGradients) throw this.noGradients;
    const { shaped, criterion, options } = this.request;
    const { learningRate, momentumPerSample } = rates;
    // A criterion that keeps its samples apart is summed over real ones; else momentum and penalties see the gaps too.
    const real = criteria[0]?.count ?? 0;
    const counted = shaped.facts.get(criterion)?.dynamicAxis ? real : samples;
    const { parameters, elementType } = this;
    const { count } = this;
    this.count = options.rule.countAfter?.(count, counted) ?? count;
    const facts = { learningRate, momentumPerSample, parameters, options, elementType };
    const scalars = updateScalars({ ...facts, samples: counted, count: this.count });
    const nothing = { layouts: new Map(), inputs: new Map() };
    const { noiseDeviation = 0, l1Weight } = options;
    // CNTK adds the noise behind the rule's step and before the L1 penalty, which the plan has in one.
    if (noiseDeviation > 0 && l1Weight > 0) await this.addNoise(noiseDeviation);
    this.refuse(await this.compiled.executable.run("update", nothing, scalars));
    if (noiseDeviation > 0 && !(l1Weight > 0)) await this.addNoise(noiseDeviation);
  }

  /**
   * Lets somebody change the gradients of the last minibatch, in the order of the checkpoint, each array once.
   * @throws CntkError `sparse-aggregation` for gradients of some columns only, which CNTK does not share (SimpleDistGradAggregator.h).
   */
  async changeGradients(change: (gradients: readonly Values[]) => Promise<void>): Promise<void> {
    if (this.noGradients) throw this.noGradients;
    if (this.sparseGradient) {
      throw new CntkError({
        code: "sparse-aggregation",
        message: "Gradient aggregation for sparse gradient matrices is currently unsupported!",
        hint: `the gradient of '${this.sparseGradient}' is sparse, since its input is; ModelAveragingSGD shares models instead`,
      });
    }
    await this.changeStates(this.gradientNames, change);
  }

  /** Lets somebody change the trained parameters, in the same order, each once. */
  async changeParameters(change: (parameters: readonly Values[]) => Promise<void>): Promise<void> {
    await this.changeStates([...new Set(this.parameters.map(({ node }) => node.name))], change);
  }

  /** Forgets what the update rule remembers. */
  async resetMemory(): Promise<void> {
    const names = this.parameters.flatMap(({ memory }) => memory);
    await this.changeStates(names, async (arrays) => arrays.forEach((values) => void values.fill(0)));
  }

  private async changeStates(
    names: readonly string[],
    change: (values: readonly Values[]) => Promise<void>,
  ): Promise<void> {
    const { executable } = this.compiled;
    const views = executable.stateViews?.(names);
    if (views) return change([...views.values()]);
    const copies = await executable.readState(names);
    await change([...copies.values()]);
    await executable.writeState(copies);
  }

  private refuseData(minibatch: Minibatch, dropoutRate: number): void {
    const { shaped, inputs } = this.request;
    // Inputs that do not take the data at all come first, as data do.
    feedNetwork(minibatch, inputs, shaped.facts);
    refuseData(restrictOrder(shaped.order, this.watched), shaped.facts, dropoutRate);
    this.refuseMixedGradients("atOnce");
    this.hasRun = true;
  }

  private refuseMixedGradients(when: keyof MixedGradients): void {
    const { shaped, criterion } = this.request;
    this.mixed ??= this.noGradients
      ? {}
      : mixedGradients(restrictOrder(shaped.order, [criterion]), shaped.facts);
    const error = this.mixed[when];
    if (error) throw error;
  }

  /** Ends the training where CNTK would: with the first update that it does not do for sparse gradients. */
  private refuse(conditions: Outputs): void {
    const refusal = this.refusals.find(({ when }) => !when || conditions.get(when.name)?.values[0] !== 0);
    if (!refusal) return;
    throw sparseGradientError(refusal);
  }

  /** Everything that the steps so far have changed. */
  async save(): Promise<TrainerState> {
    const { executable, states } = this.compiled;
    const held = [...this.values.keys()].filter(({ name }) => states.has(name));
    const memories = this.parameters.flatMap(({ memory }) => memory);
    const engines = this.randomNodes.map(({ name }) => name);
    const read = await executable.readState([...held.map(({ name }) => name), ...memories, ...engines]);
    const values = (name: string): Values => read.get(name) ?? new Float64Array();
    return {
      parameters: this.values.with(new Map(held.map((node) => [node, values(node.name)]))),
      memory: this.parameters.map(({ memory }) => joined(memory.map(values), this.elementType)),
      count: this.count,
      engines: new Map(
        this.randomNodes.map((node) => {
          const [seed = 0, offset = 0] = values(node.name);
          return [node, { seed, offset }];
        }),
      ),
    };
  }

  /** Goes on from a state of the same training; what is left out stays as it is. */
  async load(state: Partial<TrainerState>): Promise<void> {
    const { executable, states } = this.compiled;
    const written = new Map<string, Values>();
    this.values = state.parameters ?? this.values;
    for (const [node, values] of state.parameters ?? [])
      if (states.has(node.name)) written.set(node.name, values);
    this.parameters.forEach(({ node, memory }, index) => {
      const values = state.memory?.[index];
      const part = this.elementsOf(node);
      memory.forEach((name, at) => {
        if (values) written.set(name, values.subarray(at * part, (at + 1) * part));
      });
    });
    this.count = state.count ?? this.count;
    await executable.writeState(written);
    if (state.engines) await this.writeEngines(state.engines);
  }

  /** Elements of a parameter. */
  elementsOf(node: NetworkNode): number {
    return elementCount(this.request.shaped.facts.get(node)?.shape ?? []);
  }

  dispose(): Promise<void> {
    return this.compiled.executable.dispose();
  }

  private async writeEngines(engines: ReadonlyMap<NetworkNode, EngineState>): Promise<void> {
    if (engines.size === 0) return;
    const states = Array.from(
      engines,
      ([node, { seed, offset }]) => [node.name, Float64Array.of(seed, offset)] as const,
    );
    await this.compiled.executable.writeState(new Map(states));
  }
}

/** What a step computes beside gradients. */
function outputsOf({ criterion, evaluations, tracing }: TrainerRequest): NetworkNode[] {
  return [...new Set([criterion, ...evaluations, ...(tracing?.nodes ?? [])])];
}
