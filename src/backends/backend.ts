import type { AxisLayout, FedMinibatch } from "../minibatch/minibatch.js";
import type { EntryName } from "../network/execution-graph.js";
import type { ElementType, Values } from "../numerics/values.js";
import type { Plan } from "../plan/plan.js";

/** The value of a node after a run. */
export interface Output {
  /** Column-major: a sample's elements, first axis fastest, column after column. Valid until the next run. */
  readonly values: Values;
  /** Where the columns' sequences lie; null for a value without a dynamic axis. Gaps hold numbers that mean nothing. */
  readonly layout: AxisLayout | null;
}

/** Results of a run by node name. */
export type Outputs = ReadonlyMap<string, Output>;

/** The result of that name, which the run was asked for. */
export function outputOf(outputs: Outputs, name: string): Output {
  const output = outputs.get(name);
  if (!output) throw new Error(`the backend gave no value for ${name}`);
  return output;
}

/** Run-time numbers by name (learning rate, momentum, …): doubles, which the backend rounds to the element type. */
export type Scalars = Readonly<Record<string, number>>;

/** A compiled plan with its state. Owns its memory, and grows it to the largest minibatch met. */
export interface Executable {
  /**
   * Runs one entry of the plan. The minibatch must bring every input that the entry reads and the layout of every axis that
   * comes with the data; a wrong one is a mistake of the caller (Error).
   */
  run(entry: EntryName, minibatch: FedMinibatch, scalars?: Scalars): Promise<Outputs>;
  /** Copies of states by name; an engine's state is a Float64Array `[seed, offset]`. */
  readState(names: readonly string[]): Promise<ReadonlyMap<string, Values>>;
  /** Sets states; sizes must fit. */
  writeState(values: ReadonlyMap<string, Values>): Promise<void>;
  /**
   * Views of dense states' own memory, where the backend can show it: a sum over machines works in place. The views are valid
   * until the next run.
   */
  stateViews?(names: readonly string[]): ReadonlyMap<string, Values>;
  /**
   * Which of several interleaved series of minibatches the next run belongs to, from 0: each keeps the last frames that it
   * carries over for itself.
   */
  selectSeries?(series: number): void;
  dispose(): Promise<void>;
}

/**
 * Something that runs plans. To add one: a folder here that implements `compile`, a name in `select.ts`, a line in
 * test/support/backends.ts, and the conformance suite runs on it. A backend on arrays in memory takes `HostExecutable` (host/)
 * and a table of kernels, kind by kind as `primitives/signatures.ts` lists them; kinds without a kernel of its own it may take
 * from `reference`, which says what each kind means. Memory is laid out already (`plan.memory`), and `plan.key` names the plan
 * for whoever wants to keep compiled code. A backend knows no op and no network.
 */
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
