import type { Executable, Output, Scalars } from "../../src/backends/backend.js";
import { javascriptBackend } from "../../src/backends/javascript/index.js";
import {
  type AxisLayout,
  columnCount,
  columnsOf,
  type FedMinibatch,
  packFrames,
  packSequences,
  type StreamData,
} from "../../src/minibatch/index.js";
import type { EntryName, ExecutionGraph } from "../../src/network/execution-graph.js";
import type { ShapedNetwork } from "../../src/network/network.js";
import { type ElementType, newValues, type Values } from "../../src/numerics/values.js";
import { planGraph, verifyPasses } from "../../src/plan/index.js";
import { AxisNames, validateNetwork } from "../../src/shapes/index.js";
import { parameterValues } from "../../src/training/parameters.js";
import { networkFromBrainScript } from "./brainscript-network.js";

verifyPasses(true);

/** Samples of a network with one dynamic axis, each a sequence of one frame. */
export interface Samples {
  readonly samples: number;
  /** By input name, sample after sample. */
  readonly inputs: ReadonlyMap<string, Values>;
}

/** The same as backends take it. */
export function frames({ samples, inputs }: Samples): FedMinibatch {
  const layout = packFrames(new Uint8Array(samples).fill(1));
  return {
    layouts: new Map([["*", layout]]),
    inputs: new Map([...inputs].map(([name, values]) => [name, { storage: "dense", values }])),
  };
}

/** Sequences of the given lengths, packed as CNTK packs them; the numbers come sequence after sequence. */
export function packed(
  lengths: readonly number[],
  inputs: Iterable<readonly [string, Values]>,
): FedMinibatch {
  const layout = packSequences(lengths);
  const samples = lengths.reduce((sum, length) => sum + length, 0);
  const data = Array.from(inputs, ([name, given]): [string, StreamData] => {
    const size = given.length / samples;
    const values = newValues(given instanceof Float32Array ? "float" : "double", size * columnCount(layout));
    columnsInOrder(layout).forEach((column, sample) => {
      values.set(given.subarray(sample * size, (sample + 1) * size), column * size);
    });
    return [name, { storage: "dense", values }];
  });
  return { layouts: new Map([["*", layout]]), inputs: new Map(data) };
}

/** An output's numbers sequence after sequence, gaps left out. */
export function inOrder({ values, layout }: Output): number[] {
  if (!layout) return Array.from(values);
  const size = values.length / columnCount(layout);
  return columnsInOrder(layout).flatMap((column) =>
    Array.from(values.subarray(column * size, (column + 1) * size)),
  );
}

function columnsInOrder(layout: AxisLayout): number[] {
  return layout.sequences.flatMap((placement) => Array.from(columnsOf(layout, placement)));
}

/** An executable that is fed with frames and gives plain values. */
export class FrameRunner {
  constructor(readonly executable: Executable) {}

  async run(entry: EntryName, samples: Samples, scalars?: Scalars): Promise<ReadonlyMap<string, Values>> {
    const outputs = await this.executable.run(entry, frames(samples), scalars);
    return new Map(Array.from(outputs, ([name, { values }]) => [name, values]));
  }

  readState(names: readonly string[]): Promise<ReadonlyMap<string, Values>> {
    return this.executable.readState(names);
  }

  writeState(values: ReadonlyMap<string, Values>): Promise<void> {
    return this.executable.writeState(values);
  }
}

/** A network from BrainScript, validated silently. */
export function shapedFromBrainScript(members: string, elementType: ElementType = "double"): ShapedNetwork {
  const { network } = networkFromBrainScript(members, { precision: elementType });
  return validateNetwork(network, { traceLevel: 0, axisNames: new AxisNames(), elementType }).shaped;
}

/** Compiles a graph for the javascript backend and puts the parameters' first values in place. */
export async function compileGraph(
  shaped: ShapedNetwork,
  graph: ExecutionGraph,
  elementType: ElementType = "double",
): Promise<FrameRunner> {
  const plan = planGraph(graph, elementType);
  const executable = new FrameRunner(await javascriptBackend.compile(plan));
  const states = new Set(plan.buffers.filter(({ role }) => role === "state").map(({ name }) => name));
  const values = new Map<string, Values>();
  for (const [node, value] of parameterValues(shaped, elementType)) {
    if (states.has(node.name)) values.set(node.name, value);
  }
  await executable.writeState(values);
  return executable;
}

/** A minibatch from one array of samples per input. */
export function minibatch(inputs: Readonly<Record<string, readonly (readonly number[])[]>>): Samples {
  const entries = Object.entries(inputs).map(
    ([name, samples]) => [name, Float64Array.from(samples.flat())] as const,
  );
  return { samples: Object.values(inputs)[0]?.length ?? 0, inputs: new Map(entries) };
}
