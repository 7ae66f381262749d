import { type Outputs, outputOf } from "../backends/backend.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import { didYouMean } from "../diagnostics/suggest.js";
import {
  columnCount,
  columnsOf,
  type Minibatch,
  packSequences,
  type StreamData,
  type StreamMinibatch,
} from "../minibatch/index.js";
import type { ModelFile } from "../model-files/index.js";
import { prune } from "../network/edit.js";
import { findNodeBySuffix } from "../network/find-node.js";
import { elementCount, type NetworkNode, type ShapedNetwork } from "../network/network.js";
import { inputsBelow, restrictOrder } from "../network/node-order.js";
import { type ElementType, newValues, type Values } from "../numerics/values.js";
import { requireRunnable } from "../ops/unavailable.js";
import { AxisNames, checkMemory, validateNetwork } from "../shapes/index.js";
import { inModelFile, networkFromModel } from "../sources/model-file/index.js";

/** One value per sample (or one in all, for a node without a dynamic axis). */
export interface EvaluatedNode {
  /** Full name. */
  readonly name: string;
  /** Shape of a sample, first axis contiguous. */
  readonly shape: readonly number[];
  /** One array per sample, column-major; of sequences frame after frame, sequence after sequence. */
  readonly samples: readonly Values[];
}

/**
 * Numbers for an input, column-major: samples one behind the other, each a sequence of its own; or a list with the numbers of
 * each sequence, its frames one behind the other.
 */
export type InputValues = ArrayLike<number> | readonly ArrayLike<number>[];

/** A model that was read: its network, and how data goes in and values come out. It computes nothing itself. */
export class OpenedModel {
  readonly elementType: ElementType;
  private validated: ShapedNetwork | undefined;

  constructor(
    readonly model: ModelFile,
    /** Path of the model's file, for messages. */
    protected readonly path = "",
  ) {
    this.elementType = model.nodes.some((node) => node.precision === "double") ? "double" : "float";
  }

  /**
   * The network with its shapes, made when first asked for.
   * @throws CntkError when it does not validate, or holds operations of which cntkts knows the name only.
   */
  get shaped(): ShapedNetwork {
    this.validated ??= inModelFile(this.path, () => this.validate());
    return this.validated;
  }

  private validate(): ShapedNetwork {
    const network = networkFromModel(this.model, this.path);
    const axisNames = new AxisNames();
    return validateNetwork(network, { traceLevel: 0, axisNames, elementType: this.elementType }).shaped;
  }

  /** Names of all nodes in the order of the file. */
  get nodeNames(): string[] {
    return this.model.nodes.map((node) => node.name);
  }

  /** A node by full name or by an unambiguous suffix. */
  node(name: string): NetworkNode {
    return findNodeBySuffix(this.shaped.network.nodes, name);
  }

  /** Input nodes that some nodes need. */
  inputsOf(nodes: readonly NetworkNode[]): NetworkNode[] {
    return inputsBelow(nodes);
  }

  /** The nodes of these names: what they need can be run, and at least one sample fits into memory. */
  computableNodes(names: readonly string[]): NetworkNode[] {
    const nodes = names.map((name) => this.node(name));
    inModelFile(this.path, () => {
      requireRunnable(prune(this.shaped.network, nodes));
      checkMemory(this.shaped.facts, restrictOrder(this.shaped.order, nodes), nodes, this.elementType);
    });
    return nodes;
  }

  /** Elements of a sample. */
  protected sizeOf(node: NetworkNode): number {
    return elementCount(this.shaped.facts.get(node)?.shape ?? []);
  }

  /**
   * A minibatch of numbers by input name.
   * @throws CntkError `input-missing`, `input-dimension` where they are no whole samples.
   */
  protected minibatchOf(
    fed: readonly NetworkNode[],
    inputs: Readonly<Record<string, InputValues>>,
  ): Minibatch {
    const streams = new Map(
      fed.map((node): [string, StreamMinibatch] => {
        const given = inputs[node.name];
        if (given === undefined) throw inputMissing(node.name, Object.keys(inputs));
        return [node.name, this.streamOf(node, given)];
      }),
    );
    const columns = Math.max(1, ...Array.from(streams.values(), ({ layout }) => columnCount(layout)));
    return { streams, columns };
  }

  private streamOf(node: NetworkNode, given: InputValues): StreamMinibatch {
    const size = this.sizeOf(node);
    const sequences = isList(given) ? given : undefined;
    const parts = sequences ?? [given as ArrayLike<number>];
    for (const { length } of parts)
      if (length === 0 || length % size !== 0) throw noSamples(node, length, size);
    if (parts.length === 0) throw noSamples(node, 0, size);
    const lengths = parts.map(({ length }) => length / size);
    const layout = packSequences(sequences ? lengths : new Uint8Array(lengths[0] as number).fill(1));
    const values = newValues(this.elementType, size * columnCount(layout));
    if (!sequences) values.set(given as ArrayLike<number>);
    for (const placement of sequences ? layout.sequences : []) {
      const part = parts[placement.sequence] as ArrayLike<number>;
      columnsOf(layout, placement).forEach((column, frame) => {
        for (let row = 0; row < size; row++) values[column * size + row] = part[frame * size + row] as number;
      });
    }
    const isSparse = this.shaped.facts.get(node)?.storage === "sparse";
    const data: StreamData = isSparse ? sparseColumns(values, size) : { storage: "dense", values };
    return { dimension: size, layout, data };
  }

  protected described(node: NetworkNode, samples: readonly Values[]): EvaluatedNode {
    return { name: node.name, shape: this.shaped.facts.get(node)?.shape ?? [], samples };
  }

  /** A node's value in the results of a run, copied. */
  protected collect(node: NetworkNode, results: Outputs): EvaluatedNode {
    const { values, layout } = outputOf(results, node.name);
    if (!layout) return this.described(node, [values.slice()]);
    const size = this.sizeOf(node);
    const parts = layout.sequences.flatMap((placement) =>
      Array.from(columnsOf(layout, placement), (column) => values.slice(column * size, (column + 1) * size)),
    );
    return this.described(node, parts);
  }
}

const isList = (given: InputValues): given is readonly ArrayLike<number>[] => typeof given[0] === "object";

/** The columns of a dense matrix with what is not zero. */
function sparseColumns(dense: Values, height: number): StreamData {
  const rows: number[] = [];
  const values: number[] = [];
  const columnStarts = [0];
  dense.forEach((value, place) => {
    if (value !== 0) {
      rows.push(place % height);
      values.push(value);
    }
    if (place % height === height - 1) columnStarts.push(rows.length);
  });
  const kept = newValues(dense instanceof Float32Array ? "float" : "double", values.length);
  kept.set(values);
  return {
    storage: "sparse",
    values: kept,
    rows: Int32Array.from(rows),
    columnStarts: Int32Array.from(columnStarts),
  };
}

function inputMissing(name: string, given: readonly string[]): CntkError {
  return new CntkError({
    code: "input-missing",
    message: `Input '${name}' is needed and was not given.`,
    hint: didYouMean(name, given),
  });
}

function noSamples({ name }: NetworkNode, count: number, size: number): CntkError {
  return new CntkError({
    code: "input-dimension",
    message: `Input '${name}' needs ${size} values for each sample, got ${count}.`,
  });
}
