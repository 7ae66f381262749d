import type { Values } from "../numerics/values.js";

/**
 * The processes that train one network together (CNTK's MPIWrapper). Every call is made by all of them in the same order.
 * One process alone has the trivial communicator below.
 */
export interface Communicator {
  /** Number of this process, from 0; the first one writes models and checkpoints. */
  readonly rank: number;
  /** Number of processes. */
  readonly size: number;
  /** Replaces each array by its sum over all processes, added in the arrays' own element type. */
  sumInPlace(values: readonly Values[]): Promise<void>;
  /** Returns when every process has called it. */
  barrier(): Promise<void>;
}

/** A process by itself: nothing to add, nobody to wait for. */
export const singleProcess: Communicator = {
  rank: 0,
  size: 1,
  sumInPlace: () => Promise.resolve(),
  barrier: () => Promise.resolve(),
};
