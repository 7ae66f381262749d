import type { EntryName } from "../network/network.js";
import type { ElementType } from "../numerics/values.js";
import type { Plan } from "../plan/plan.js";

export type Values = Float32Array | Float64Array;

/** The data of one minibatch: dense, column-major, sample after sample, by input name. */
export interface MinibatchValues {
  /** Number of samples (columns). */
  readonly samples: number;
  readonly inputs: ReadonlyMap<string, Values>;
}

/** A compiled plan with its state. Owns its memory. */
export interface Executable {
  /**
   * Runs one entry and returns the values of its outputs by node name (valid until the next run).
   * `scalars` are doubles; the backend rounds them to the element type.
   */
  run(
    entry: EntryName,
    minibatch: MinibatchValues,
    scalars?: Readonly<Record<string, number>>,
  ): Promise<ReadonlyMap<string, Values>>;
  /** Values of states by name; an engine's state is a Float64Array `[seed, offset]`. */
  readState(names: readonly string[]): Promise<ReadonlyMap<string, Values>>;
  writeState(values: ReadonlyMap<string, Values>): Promise<void>;
  dispose(): Promise<void>;
}

export interface Backend {
  /** As users write it: `--backend reference`. */
  readonly name: string;
  /** As the log's build block shows it: `tfjs wasm`. */
  readonly description: string;
  readonly elementTypes: readonly ElementType[];
  /** Why this one and no better one was started, one sentence each; for the log and `explain`. */
  readonly notes?: readonly string[];
  compile(plan: Plan): Promise<Executable>;
}
