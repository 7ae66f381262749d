import type { Output } from "../backends/backend.js";
import type { NodeValues, SequenceColumns } from "../log/node-values.js";
import { type AxisLayout, columnsOf } from "../minibatch/index.js";
import type { NetworkNode, SampleShape } from "../network/network.js";
import { elementCount } from "../network/network.js";
import type { Values } from "../numerics/values.js";

/** A node's value as texts show it: sequence after sequence, gaps left out; `keys` by number of a sequence. */
export function shownValues(
  node: NetworkNode,
  shape: SampleShape,
  { values, layout }: Output,
  keys?: readonly string[],
): NodeValues {
  if (!layout) return { name: node.name, shape, values, ...oneSequence(shape, values) };
  return { name: node.name, shape, values, rows: elementCount(shape), sequences: sequencesOf(layout, keys) };
}

/** A node without a dynamic axis is a matrix: first dimension by the rest; its columns are one sequence. */
function oneSequence(
  shape: readonly number[],
  values: Values,
): { rows: number; sequences: SequenceColumns[] } {
  const rows = shape[0] ?? 1;
  const columns = Array.from({ length: values.length / rows }, (_, column) => column);
  return { rows, sequences: [{ id: 0, columns, length: columns.length }] };
}

/** Where the frames of each sequence lie; `keys` by number of a sequence. */
function sequencesOf(layout: AxisLayout, keys: readonly string[] | undefined): SequenceColumns[] {
  return layout.sequences.map((placement) => ({
    id: placement.sequence,
    key: keys?.[placement.sequence],
    length: placement.length,
    columns: Array.from(columnsOf(layout, placement)),
  }));
}
