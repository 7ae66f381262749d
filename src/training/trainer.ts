import type { Outputs } from "../backends/backend.js";
import { elementCount, type NetworkNode, type ShapedNetwork } from "../network/network.js";
import { refuseSparseInputs } from "../network/not-implemented.js";
import { restrictOrder } from "../network/node-order.js";
import { compilePlan, type CompiledPlan, planGraph, trainingGraph } from "../pipeline.js";
import type { RunLog } from "../log/run-log.js";
import { initialValues } from "../numerics/initial-values.js";
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
import { CriterionAccumulator, type CriterionPart, sumOverSamples } from "./criteria.js";
import { feedNetwork } from "./feed.js";
import { checkGradients } from "./gradient-check.js";
import type { ParameterStore } from "./parameters.js";
import { labelledSamples, paddedSamples, parallelSequences } from "./samples.js";

/** What a step depends on besides its data; all per sample. */
export interface Rates {
  /** Before a parameter's own multiplier. At 0 nothing is updated. */
  readonly learningRate: number;
  readonly momentumPerSample: number;
  readonly dropoutRate: number;
}

/** State of a random engine: its seed, and how many numbers were drawn. */
export interface EngineState {
  readonly seed: number;
  readonly offset: number;
}

/** All that a training changes, in memory. */
export interface TrainerState {
  /** Values of all parameters of the network, used by the training or not. */
  readonly parameters: ParameterStore;
  /** What the update rule remembers, for each trained parameter its parts behind each other, as a checkpoint keeps them. */
  readonly memory: readonly Values[];
  /** The number that the update rule keeps beside its memory; the same for all parameters, which have seen the same samples. */
  readonly count: number;
  /** Random engines by the node that draws from them. */
  readonly engines: ReadonlyMap<NetworkNode, EngineState>;
}

export interface TrainerRequest {
  readonly shaped: ShapedNetwork;
  readonly criterion: NetworkNode;
  /** Nodes to watch beside the criterion, in the log's order. */
  readonly evaluations: readonly NetworkNode[];
  readonly options: UpdateOptions & {
    /** Of random numbers that are added to the parameters after every update; 0 = none. */
    readonly noiseDeviation?: number;
  };
  /** Fed nodes. */
  readonly inputs: readonly NetworkNode[];
  /** The parameters to start from. */
  readonly values: ParameterStore;
}

/**
 * A compiled training: it makes steps, and gives and takes its state. The only place that runs a training's plan.
 * Source: SGDLib/SGD.cpp, TrainOneEpoch.
 */
export class Trainer {
  private count = 0;
  private noiseSeed = 0;
  private hasRun = false;
  /** Values of all parameters as they were put in; those that the plan holds have changed since. */
  private values: ParameterStore;
  /** The network as it is by now: what is known of some nodes changes while it is trained. */
  shaped: ShapedNetwork;

  private constructor(
    private readonly session: Pick<Session, "backend" | "elementType" | "communicator">,
    private readonly request: TrainerRequest,
    private compiled: CompiledPlan,
    /** The trained parameters in the order of the log and of the checkpoint. */
    readonly parameters: readonly TrainedParameter[],
    private readonly refusals: readonly SparseRefusal[],
    /** Nodes that draw random numbers, in the criterion's evaluation order. */
    readonly randomNodes: readonly NetworkNode[],
  ) {
    this.values = request.values;
    this.shaped = request.shaped;
  }

  private get elementType(): ElementType {
    return this.session.elementType;
  }

  /** Graph, plan and executable of a training, parameters in place. Throws CntkError for nodes without a gradient. */
  static async compile(
    session: Pick<Session, "backend" | "elementType" | "communicator">,
    request: TrainerRequest,
  ): Promise<Trainer> {
    const { shaped, criterion, evaluations, options, values } = request;
    const outputs = [criterion, ...evaluations];
    const { graph, parameters, refusals } = trainingGraph(shaped, { criterion, outputs, options });
    const compiled = await compilePlan(session, planGraph(graph, session.elementType), values);
    const random = restrictOrder(shaped.order, [criterion]).filter(({ name }) => compiled.engines.has(name));
    return new Trainer(session, request, compiled, parameters, refusals, random);
  }

  /** Goes on with other attributes of the network's nodes, which are compiled into the plan; all that was learned stays. */
  async recompile(shaped: ShapedNetwork): Promise<void> {
    const { criterion, evaluations, options } = this.request;
    const { graph } = trainingGraph(shaped, { criterion, outputs: [criterion, ...evaluations], options });
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
    return this.randomNodes.length > 0;
  }

  /** Sequences side by side in a minibatch, on the network's own dynamic axis. */
  parallelSequences(minibatch: Minibatch): number {
    return parallelSequences(minibatch, this.request.shaped);
  }

  /** An empty accumulator for what `step` adds to; evaluations and data-parallel trainings add in double. */
  accumulator(addInDouble: boolean): CriterionAccumulator {
    return new CriterionAccumulator(this.watched, this.elementType, addInDouble);
  }

  /** Every random node begins an epoch with an engine of its own (ComputationNetwork.cpp, SetIRngUserSeed). */
  async beginEpoch(epoch: number): Promise<void> {
    const count = this.randomNodes.length;
    // So many minibatches has no epoch.
    this.noiseSeed = epoch * 2 ** 32;
    await this.writeEngines(
      new Map(this.randomNodes.map((node, i) => [node, { seed: epoch * count + i, offset: 0 }])),
    );
  }

  /**
   * One minibatch: values of criterion and evaluation nodes, before the update, go into `accumulator`; then gradients, summed
   * over all processes, then the update, unless the rate is 0. Returns the samples that the criterion counts (no gaps).
   * With `pieces` the minibatch is computed in so many, one after another, and their gradients are added.
   */
  async step(
    minibatch: Minibatch,
    rates: Rates,
    accumulator: CriterionAccumulator,
    pieces = 1,
  ): Promise<number> {
    const { shaped, criterion } = this.request;
    if (!this.hasRun) this.refuseSparseInputs();
    const updates = rates.learningRate > 0;
    const split = splitMinibatch(minibatch, pieces);
    const summed = updates && split.length > 1 ? new Map<string, Values>() : undefined;
    const parts: CriterionPart[] = [];
    for (const [piece, part] of split.entries()) {
      const values = await this.runGradients(part, rates, piece);
      parts.push(accumulator.part(values, labelledSamples(part, shaped)));
      if (summed) await this.addGradients(summed);
    }
    accumulator.addParts(parts, labelledSamples(minibatch, shaped));
    const samples = parts.reduce((count, part) => count + (part[0]?.count ?? 0), 0);
    if (!updates) return samples;
    if (summed) await this.compiled.executable.writeState(summed);
    await this.shareGradients();
    // A criterion that keeps its samples apart is summed over real ones; else momentum and penalties see the gaps too.
    const counted = shaped.facts.get(criterion)?.dynamicAxis ? samples : paddedSamples(minibatch, shaped);
    await this.update(rates, counted);
    return samples;
  }

  private runGradients(minibatch: Minibatch, { dropoutRate }: Rates, piece: number): Promise<Outputs> {
    const { executable } = this.compiled;
    const { shaped, inputs } = this.request;
    const data = feedNetwork(minibatch, inputs, shaped.facts);
    executable.selectSeries?.(piece);
    return executable.run("gradients", data, { dropoutRate });
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
  async checkGradients(minibatch: Minibatch, rates: Rates, digits: number, log: RunLog): Promise<void> {
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
          const value = (await this.runGradients(minibatch, rates, 0)).get(criterion.name);
          return value ? sumOverSamples(value, this.elementType) : NaN;
        },
      },
      digits,
      log,
    );
    await executable.writeState(before);
  }

  /** Adds random numbers to the trained parameters, the same in every run: a normal distribution around 0. */
  private async addNoise(deviation: number): Promise<void> {
    const { executable } = this.compiled;
    const names = [...new Set(this.parameters.map(({ node }) => node.name))];
    const values = await executable.readState(names);
    for (const parameter of values.values()) {
      const noise = initialValues({
        init: "normal",
        initValueScale: deviation,
        shape: [parameter.length],
        seed: ++this.noiseSeed,
        elementType: this.elementType,
      });
      for (let i = 0; i < parameter.length; i++) parameter[i] = (parameter[i] ?? 0) + (noise[i] ?? 0);
    }
    await executable.writeState(values);
  }

  /** `samples` as momentum and penalties count them. */
  private async update({ learningRate, momentumPerSample }: Rates, samples: number): Promise<void> {
    const { options } = this.request;
    const { parameters, elementType, count } = this;
    this.count = options.rule.countAfter?.(count, samples) ?? count;
    const facts = { learningRate, momentumPerSample, parameters, options, elementType };
    const scalars = updateScalars({ ...facts, samples, count: this.count });
    const nothing = { layouts: new Map(), inputs: new Map() };
    const { noiseDeviation = 0, l1Weight } = options;
    // CNTK adds the noise behind the rule's step and before the L1 penalty, which the plan has in one.
    if (noiseDeviation > 0 && l1Weight > 0) await this.addNoise(noiseDeviation);
    this.refuse(await this.compiled.executable.run("update", nothing, scalars));
    if (noiseDeviation > 0 && !(l1Weight > 0)) await this.addNoise(noiseDeviation);
  }

  /** CNTK computes the evaluation nodes first, then the criterion, and notices then. */
  private refuseSparseInputs(): void {
    const { shaped, criterion, evaluations } = this.request;
    for (const roots of [evaluations, [criterion]]) {
      refuseSparseInputs(restrictOrder(shaped.order, roots), shaped.facts);
    }
    this.hasRun = true;
  }

  /** Ends the training where CNTK would: with the first update that it does not do for sparse gradients. */
  private refuse(conditions: Outputs): void {
    const refusal = this.refusals.find(({ when }) => !when || conditions.get(when.name)?.values[0] !== 0);
    if (!refusal) return;
    throw sparseGradientError(refusal);
  }

  private get gradientNames(): string[] {
    return [...new Set(this.parameters.map(({ gradient }) => gradient))];
  }

  private async shareGradients(): Promise<void> {
    if (this.session.communicator.size === 1) return;
    const gradients = await this.compiled.executable.readState(this.gradientNames);
    await this.session.communicator.sumInPlace([...gradients.values()]);
    await this.compiled.executable.writeState(gradients);
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

function joined(parts: readonly Values[], elementType: ElementType): Values {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const values = elementType === "float" ? new Float32Array(length) : new Float64Array(length);
  let at = 0;
  for (const part of parts) {
    values.set(part, at);
    at += part.length;
  }
  return values;
}
