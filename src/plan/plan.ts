import type { EntryName } from "../network/execution-graph.js";
import type { ElementType } from "../numerics/values.js";
import type { AxisId, BufferId, Instruction, Storage } from "../primitives/instruction.js";

/*
 * A plan is everything a backend is told: buffers, and for each entry (forward, gradients, update) a list of steps on them.
 * An instruction is a kind of primitives/signatures.ts with operands and parameters; a loop runs instructions frame by frame.
 *
 * lower.ts asks every op for its instructions; passes then make less work of them; at last memory is laid out and the key made
 * (plan-graph.ts). To add a pass: a function from entry to entry in a file of its own, and its name in `passes` there. It
 * reads kinds through their signatures (pure? pointwise? whole axis?), not by name, so that a new kind needs no change here;
 * verify.ts looks at the result of every pass.
 */

/** A dynamic axis of a plan: rows (parallel sequences) x steps, known only at run time. */
export interface PlanAxis {
  readonly id: AxisId;
  /** As in the log, and as the minibatch calls it: `*`, `*1`, `t`. */
  readonly name: string;
  /** `minibatch`: its layout comes with the data. `computed`: an instruction opens it while an entry runs. */
  readonly source: "minibatch" | "computed";
}

/**
 * Who a buffer belongs to. `input`: filled from the minibatch before a run. `state`: lives as long as the executable and is
 * read and written from outside by name. `carried`: the last frames of a value, kept for the next minibatch (truncated
 * sequences). `temporary`: lives within a run.
 */
export type Role = "input" | "state" | "carried" | "temporary";

/** A piece of memory of a plan. */
export interface Buffer {
  readonly id: BufferId;
  /** Node name, or a made-up name for scratch memory; for people, and for callers who name inputs and states. */
  readonly name: string;
  /** The node whose value the scratch memory helps to compute, by name: messages speak of it. Absent: `name` is the node's. */
  readonly serves?: string;
  readonly role: Role;
  readonly dims: readonly number[];
  /** `dims` once per column of this axis; null: once. */
  readonly axis: AxisId | null;
  readonly storage: Storage;
  /** State only: the value of all elements before anybody writes it. */
  readonly initial?: number;
}

/** A random engine (64-bit Mersenne Twister): state `[seed, offset]`, offset = number of draws discarded. */
export interface Engine {
  readonly name: string;
}

/**
 * A recurrence: `body` runs once for each frame of an axis, forward or backward in time, on that frame only (all rows).
 * In a frame, an operand with the axis is the contiguous piece `rows` columns long that begins at column step · rows.
 * `shift` reads other frames of what earlier turns have written.
 */
export interface Loop {
  readonly kind: "loop";
  readonly axis: AxisId;
  readonly direction: 1 | -1;
  readonly body: readonly Instruction[];
}

export type Step = Instruction | Loop;

/** After an entry's steps the last frames of `value` are kept in the `carried` buffer `into`. */
export interface Carry {
  readonly value: BufferId;
  readonly into: BufferId;
  readonly frames: number;
}

export interface Entry {
  readonly steps: readonly Step[];
  /** Buffers whose contents the caller gets, by node name. */
  readonly outputs: readonly { readonly name: string; readonly buffer: BufferId }[];
  /** Names of the inputs that this entry reads. */
  readonly inputs: readonly string[];
  readonly carries: readonly Carry[];
}

/** Memory that temporaries use one after another. */
export interface Slot {
  /** Elements: per column of the axis, or in all. */
  readonly size: number;
  readonly axis: AxisId | null;
}

/** Where temporaries live. Two that are alive at the same time never share a slot; entries share all slots. */
export interface MemoryLayout {
  readonly slots: readonly Slot[];
  /** By buffer: its slot; null for inputs, states and carried buffers, which have memory of their own. */
  readonly slotOf: readonly (number | null)[];
}

/**
 * Ordered instructions on buffers: all that a backend gets. Plain data, symbolic in rows and steps of its axes.
 * Every temporary is written by one instruction of an entry, before anything reads it; in a loop a shift may read it before.
 */
export interface Plan {
  readonly elementType: ElementType;
  readonly axes: readonly PlanAxis[];
  readonly buffers: readonly Buffer[];
  readonly engines: readonly Engine[];
  readonly entries: Readonly<Partial<Record<EntryName, Entry>>>;
  readonly memory: MemoryLayout;
}

/** All instructions of some steps, those of loops included. */
export function instructionsOf(steps: readonly Step[]): Instruction[] {
  const instructions: Instruction[] = [];
  for (const step of steps) {
    if (step.kind !== "loop") instructions.push(step);
    else for (const instruction of step.body) instructions.push(instruction);
  }
  return instructions;
}
