import type { Values } from "../numerics/values.js";

/** A sum over the processes that has begun. */
export interface PendingSum {
  /** Waits until every process has given its part; the arrays hold the sums then. */
  finish(): Promise<void>;
}

/**
 * The processes that train one network together (CNTK's MPIWrapper). Every call is made by all of them in the same order.
 * One process alone has the trivial communicator below.
 */
export interface Communicator {
  /** Number of this process, from 0; the first one writes models and checkpoints. */
  readonly rank: number;
  /** Number of processes. */
  readonly size: number;
  /** Do they all run on one machine? */
  readonly singleHost: boolean;
  /** Replaces each array by its sum over all processes, added in the arrays' own element type. */
  sumInPlace(values: readonly Values[]): Promise<void>;
  /**
   * Begins such a sum; nobody touches the arrays before it has finished. Arrays up to `packUpTo` bytes travel together.
   */
  startSum(values: readonly Values[], packUpTo: number): PendingSum;
  /** The numbers of every process by its rank; all give equally many. */
  gather(values: Float64Array): Promise<readonly Float64Array[]>;
  /** Returns when every process has called it. */
  barrier(): Promise<void>;
  /** The last call of a run that has gone well. */
  close(): Promise<void>;
}

const done = (): Promise<void> => Promise.resolve();

/** A process by itself: nothing to add, nobody to wait for. */
export const singleProcess: Communicator = {
  rank: 0,
  size: 1,
  singleHost: true,
  sumInPlace: done,
  startSum: () => ({ finish: done }),
  gather: (values) => Promise.resolve([values]),
  barrier: done,
  close: done,
};

/** The processes that a launcher (`mpiexec`) has started, this one among them. */
export interface ProcessGroup {
  /** How many the launcher says that there are; 0 without a launcher. */
  readonly count: number;
  /** Joins the others. Throws CntkError `mpi-missing` where the library is not there. */
  open(): Communicator;
}
