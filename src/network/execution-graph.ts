import type { NetworkNode, NodeFacts } from "./network.js";

/** An assignment to a state node (a parameter, a running mean, a momentum buffer) at the end of an entry. */
export interface Assignment {
  readonly state: NetworkNode;
  readonly value: NetworkNode;
}

/** One entry point of an execution graph. */
export interface GraphEntry {
  /**
   * Nodes in the order they are computed, states and leaves included: inputs first, but where delay nodes close a cycle. The
   * planner finds the cycles.
   */
  readonly order: readonly NetworkNode[];
  /** Nodes whose values the caller gets back. */
  readonly outputs: readonly NetworkNode[];
  /** Carried out in order after everything is computed. */
  readonly assignments: readonly Assignment[];
}

/**
 * What an execution graph (and its plan) can be asked to do. `evaluate` computes outputs; `gradients` computes criteria and
 * leaves the parameters' gradients in states; `update` changes the parameters by them. (A sum over machines stands
 * between the last two.)
 */
export type EntryName = "evaluate" | "gradients" | "update";

export const entryNames: readonly EntryName[] = ["evaluate", "gradients", "update"];

/** A network ready to be planned: forward nodes, gradients, state updates, all of them nodes. */
export interface ExecutionGraph {
  readonly mode: "training" | "inference";
  readonly facts: ReadonlyMap<NetworkNode, NodeFacts>;
  /** Internal nodes that belong to a node (dropout mask, batch statistics), in the order its op made them. */
  readonly companions: ReadonlyMap<NetworkNode, readonly NetworkNode[]>;
  readonly entries: Readonly<Partial<Record<EntryName, GraphEntry>>>;
}
