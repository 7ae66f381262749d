import type { Outputs } from "../backends/backend.js";
import type { Communicator } from "../communication/index.js";
import { elementCount, type NetworkNode, type ShapedNetwork } from "../network/network.js";
import { refuseSparseInputs } from "../network/not-implemented.js";
import { restrictOrder } from "../network/node-order.js";
import { compilePlan, type CompiledPlan, planGraph, trainingGraph } from "../pipeline.js";
import type { ElementType } from "../numerics/values.js";
import type { Values } from "../numerics/values.js";
import type { Minibatch } from "../minibatch/index.js";
import type { Session } from "../session.js";
import {
  sparseGradientError,
  type SparseRefusal,
  type TrainedParameter,
  updateScalars,
  type UpdateOptions,
} from "../updates/index.js";
import { CriterionAccumulator, samplesOf } from "./criteria.js";
import { feedNetwork } from "./feed.js";
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
  readonly options: UpdateOptions;
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
  private hasRun = false;
  /** Values of all parameters as they were put in; those that the plan holds have changed since. */
  private values: ParameterStore;

  private constructor(
    private readonly request: TrainerRequest,
    private readonly compiled: CompiledPlan,
    /** The trained parameters in the order of the log and of the checkpoint. */
    readonly parameters: readonly TrainedParameter[],
    private readonly refusals: readonly SparseRefusal[],
    /** Nodes that draw random numbers, in the criterion's evaluation order. */
    readonly randomNodes: readonly NetworkNode[],
    private readonly elementType: ElementType,
    private readonly communicator: Communicator,
  ) {
    this.values = request.values;
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
    const { elementType, communicator } = session;
    return new Trainer(request, compiled, parameters, refusals, random, elementType, communicator);
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
    await this.writeEngines(
      new Map(this.randomNodes.map((node, i) => [node, { seed: epoch * count + i, offset: 0 }])),
    );
  }

  /**
   * One minibatch: values of criterion and evaluation nodes, before the update, go into `accumulator`; then gradients, summed
   * over all processes, then the update, unless the rate is 0. Returns the samples that the criterion counts (no gaps).
   */
  async step(minibatch: Minibatch, rates: Rates, accumulator: CriterionAccumulator): Promise<number> {
    const { executable } = this.compiled;
    const { shaped, criterion, inputs, options } = this.request;
    const { learningRate, momentumPerSample, dropoutRate } = rates;
    const data = feedNetwork(minibatch, inputs, shaped.facts);
    if (!this.hasRun) this.refuseSparseInputs();
    const values = await executable.run("gradients", data, { dropoutRate });
    const labelled = labelledSamples(minibatch, shaped);
    accumulator.add(values, labelled);
    const value = values.get(criterion.name);
    const samples = value ? samplesOf(value, labelled) : labelled;
    if (learningRate <= 0) return samples;
    await this.shareGradients();
    // A criterion that keeps its samples apart is summed over real ones; else momentum and penalties see the gaps too.
    const counted = shaped.facts.get(criterion)?.dynamicAxis ? samples : paddedSamples(minibatch, shaped);
    const { parameters, elementType } = this;
    const { count } = this;
    this.count = options.rule.countAfter?.(count, counted) ?? count;
    const facts = { learningRate, momentumPerSample, parameters, options, elementType };
    const scalars = updateScalars({ ...facts, samples: counted, count: this.count });
    this.refuse(await executable.run("update", data, scalars));
    return samples;
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

  private async shareGradients(): Promise<void> {
    if (this.communicator.size === 1) return;
    const names = [...new Set(this.parameters.map(({ gradient }) => gradient))];
    const gradients = await this.compiled.executable.readState(names);
    await this.communicator.sumInPlace([...gradients.values()]);
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
