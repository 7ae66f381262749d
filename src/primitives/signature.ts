import type { Kind, Operand } from "./instruction.js";
import type { Parameters } from "./parameters.js";

/** What holds for every instruction of a kind: all that printing, checking and rewriting a plan need to know. */
export interface Signature<K extends Kind> {
  /** The meaning: what `writes` holds afterwards. The reference backend says the same in loops. */
  readonly doc: string;
  /** Names of the operands read, for people; one that ends in `?` may be absent, in `…` may come any number of times. */
  readonly reads: readonly string[];
  /** The same operands give the same result; false for random draws, which must not be shared or left out. */
  readonly pure: boolean;
  /** Element i of the result depends on element i of equally shaped operands only, so that they may be the same memory. */
  readonly pointwise?: boolean;
  /** Needs the whole axis at once and cannot run frame by frame inside a loop. */
  readonly wholeAxis?: boolean;
  /** Gives the dynamic axis of its result its rows, steps and sequences, which are not known before it ran. */
  readonly opensAxis?: boolean;
  /** Operands may run along dynamic axes of their own; those of all other kinds share one (or have none). */
  readonly mixesAxes?: boolean;
  /** Operands may be sparse or touched; all other kinds take dense ones only. */
  readonly takesSparse?: boolean;
  /** What is wrong with these operands, if anything: the verifier's rule. */
  problem(reads: readonly Operand[], writes: Operand, parameters: Parameters[K]): string | undefined;
  /** Multiplications (or the like) for one column; absent: one for each element of the largest operand. */
  work?(reads: readonly Operand[], writes: Operand, parameters: Parameters[K]): number;
  /** The parameters as text, empty if there is nothing to say. `names` are those of the operands read. */
  text(parameters: Parameters[K], names: readonly string[]): string;
}
