import type { EntryName } from "../network/network.js";
import type { ElementType } from "../numerics/values.js";
import type { BufferId, Instruction } from "../primitives/instruction.js";

/** A piece of memory of a plan. */
export interface BufferDeclaration {
  readonly id: BufferId;
  /** Node name, or a made-up name for scratch memory; for people. */
  readonly name: string;
  readonly dims: readonly number[];
  /** N times the elements of `dims`, N the number of samples in the minibatch (capacity grows). */
  readonly perSample: boolean;
  /** `input`: fed with each minibatch. `state`: lives as long as the executable. `temporary`: lives within a run. */
  readonly role: "input" | "state" | "temporary";
  /** State only: the value before anybody writes it. */
  readonly initial?: number;
}

/** A random engine (64-bit Mersenne Twister): state `[seed, offset]`, offset = number of draws discarded. */
export interface EngineDeclaration {
  readonly name: string;
}

export interface PlanEntry {
  readonly instructions: readonly Instruction[];
  /** Buffers whose contents the caller gets, by node name. */
  readonly outputs: readonly { readonly name: string; readonly buffer: BufferId }[];
  /** Names of the inputs this entry reads. */
  readonly inputs: readonly string[];
}

/** Ordered instructions on buffers: all that a backend gets. Plain data; symbolic in the number of samples. */
export interface Plan {
  readonly elementType: ElementType;
  readonly buffers: readonly BufferDeclaration[];
  readonly engines: readonly EngineDeclaration[];
  readonly entries: Readonly<Partial<Record<EntryName, PlanEntry>>>;
}
