import type { Communicator } from "../communication/index.js";
import type { Values } from "../numerics/values.js";
import type { ModelMerger } from "./model-aggregation.js";

/** ModelAveragingSGD: the mean of all models, weighted by the samples that each has seen (MASGD.h, BasicModelAveragingSGD). */
export class ModelAveraging implements ModelMerger {
  readonly resetsMemory = false;

  constructor(private readonly communicator: Communicator) {}

  async merge(parameters: readonly Values[], share: number): Promise<void> {
    for (const values of parameters) {
      for (let i = 0; i < values.length; i++) values[i] = (values[i] ?? 0) * share;
    }
    await this.communicator.sumInPlace(parameters);
  }
}

export interface BlockMomentumOptions {
  /** η: what a block's change keeps of the one before. */
  readonly momentum: number;
  /** ζ: how far the mean of the models pulls. */
  readonly learningRate: number;
  /** Processes go on from where the momentum would carry the model. */
  readonly nesterov: boolean;
  readonly resetsMemory: boolean;
}

/** What block momentum remembers of each parameter. */
export interface BlockMemory {
  /** The global model, W. */
  readonly model: Values;
  /** The change of the last block, Δ. */
  readonly change: Values;
}

/**
 * Blockwise model-update filtering: with A the mean of the processes' models and V where they started from,
 * Δ ← η Δ + ζ (A − V), W ← W + Δ, and the next block starts from V = W, or with Nesterov momentum from V = W + η Δ.
 * Source: K. Chen, Q. Huo, Scalable training of deep learning machines by incremental block training with intra-block parallel
 * optimization and blockwise model-update filtering, ICASSP 2016.
 */
export class BlockMomentum implements ModelMerger {
  readonly resetsMemory: boolean;
  private memories: readonly (BlockMemory & { readonly start: Values })[] | undefined;
  private readonly averaging: ModelAveraging;

  constructor(
    communicator: Communicator,
    private readonly options: BlockMomentumOptions,
  ) {
    this.averaging = new ModelAveraging(communicator);
    this.resetsMemory = options.resetsMemory;
  }

  /** The model that all processes start from, with what a checkpoint remembers of it; another number of blocks is ignored. */
  begin(parameters: readonly Values[], resumed: readonly BlockMemory[] = []): void {
    const fits = parameters.every((values, i) => resumed[i]?.model.length === values.length);
    this.memories = parameters.map((values, i) => ({
      model: (fits && resumed[i]?.model.slice()) || values.slice(),
      change: (fits && resumed[i]?.change.slice()) || values.slice().fill(0),
      start: values.slice(),
    }));
  }

  /** What a checkpoint keeps. */
  get memory(): readonly BlockMemory[] {
    return this.memories ?? [];
  }

  async merge(parameters: readonly Values[], share: number): Promise<void> {
    await this.averaging.merge(parameters, share);
    const { momentum, learningRate, nesterov } = this.options;
    parameters.forEach((values, at) => {
      const memory = this.memories?.[at];
      if (!memory) return;
      const { model, change, start } = memory;
      for (let i = 0; i < values.length; i++) {
        change[i] = momentum * (change[i] ?? 0) + learningRate * ((values[i] ?? 0) - (start[i] ?? 0));
        model[i] = (model[i] ?? 0) + (change[i] ?? 0);
        values[i] = (model[i] ?? 0) + (nesterov ? momentum * (change[i] ?? 0) : 0);
      }
      start.set(values);
    });
  }
}

/** The momentum of a block, by the samples after which a change has faded to 1/e. */
export function momentumOfTimeConstant(timeConstant: number, blockSize: number): number {
  return timeConstant > 0 ? Math.exp(-blockSize / timeConstant) : 0;
}
