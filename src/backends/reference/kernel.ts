import type { Instruction, InstructionKind } from "../../primitives/instruction.js";
import type { ElementType } from "../../numerics/values.js";
import type { Values } from "../backend.js";
import type { RandomEngine } from "./random-engine.js";

/** What a kernel sees of a run. */
export interface KernelRun {
  /** The plan's buffers; an array may be longer than this minibatch needs. */
  readonly memory: readonly Values[];
  /** Samples of the minibatch. */
  readonly samples: number;
  /** Run-time numbers, rounded to the element type. */
  readonly scalars: Readonly<Record<string, number>>;
  /** The same numbers as given, in double. */
  readonly doubles: Readonly<Record<string, number>>;
  readonly engines: ReadonlyMap<string, RandomEngine>;
}

/** An instruction made ready: everything that does not change from run to run has been worked out. */
export type Kernel = (run: KernelRun) => void;

/** Makes one kind of instruction ready for one element type. */
export type KernelCompiler<K extends InstructionKind> = (
  instruction: Extract<Instruction, { kind: K }>,
  elementType: ElementType,
) => Kernel;

/** The buffer's memory; a missing one is a mistake of the plan. */
export function memoryOf(run: KernelRun, buffer: number): Values {
  const values = run.memory[buffer];
  if (!values) throw new Error(`buffer ${buffer} has no memory`);
  return values;
}

/** How many tensors of `operand.dims` its buffer holds in this run: one per sample, or just one. */
export function repetitions(operand: { readonly perSample: boolean }, run: KernelRun): number {
  return operand.perSample ? run.samples : 1;
}
