import type { NetworkNode } from "../network/network.js";
import type { ElementType, Values } from "../numerics/values.js";
import type { ParameterStore } from "./parameters.js";

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

/** Arrays behind each other in one. */
export function joined(parts: readonly Values[], elementType: ElementType): Values {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const values = elementType === "float" ? new Float32Array(length) : new Float64Array(length);
  let at = 0;
  for (const part of parts) {
    values.set(part, at);
    at += part.length;
  }
  return values;
}
