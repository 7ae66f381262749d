import { CntkError } from "../diagnostics/diagnostic.js";
import type { Assignment, ExecutionGraph } from "../network/execution-graph.js";
import type { NetworkNode, ShapedNetwork } from "../network/network.js";
import { restrictOrder } from "../network/node-order.js";
import { forwardGraph, neededNodes } from "./forward.js";

/**
 * The graph of the pass before training: entry `evaluate` takes a minibatch into account, entry `update` gives each of the
 * statistics its value. Source: ComputationNetworkLib/PreComputeNodes.h.
 */
export function statisticsGraph(shaped: ShapedNetwork, statistics: readonly NetworkNode[]): ExecutionGraph {
  const measured = statistics.flatMap(({ inputs }) => inputs);
  const unfinished = restrictOrder(shaped.order, measured).find((node) => statistics.includes(node));
  if (unfinished) throw nested(unfinished);
  const forward = forwardGraph(shaped, measured, "inference");
  const { builder, companions } = forward;
  const accumulated: Assignment[] = [];
  const finished: Assignment[] = [];
  for (const node of statistics) {
    const { attributes, details } = builder.facts(node);
    const context = { node, attributes, details, mode: forward.mode, build: builder };
    const made = builder.within(node, "statistic", () => node.op.statistic?.(context));
    if (!made) throw new Error(`${node.name} cannot be computed before training`);
    accumulated.push(...made.accumulated);
    finished.push({ state: node, value: made.value });
  }
  const order = [...new Set([...forward.fullOrder, ...builder.nodes, ...statistics])];
  const entry = (assignments: readonly Assignment[]) => {
    const roots = assignments.flatMap(({ state, value }) => [state, value]);
    return { order: neededNodes(order, roots, companions), outputs: [], assignments };
  };
  return {
    mode: forward.mode,
    facts: builder.allFacts(),
    companions,
    entries: { evaluate: entry(accumulated), update: entry(finished) },
  };
}

function nested(node: NetworkNode): CntkError {
  return new CntkError({
    code: "not-available",
    message: `Statistics of what '${node.name}' (${node.op.name}) is part of are not available yet`,
    span: node.origin,
    calls: node.calls?.map((span) => ({ span })),
    hint: "take them in two trainings: the second one loads the first one's model",
  });
}
