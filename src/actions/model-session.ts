import { type Backend, outputOf, type Outputs } from "../backends/backend.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import type { FileAccess } from "../files/file-access.js";
import type { ModelFile } from "../model-files/index.js";
import { inModelFile, networkFromModel } from "../sources/model-file/index.js";
import type { NetworkNode, ShapedNetwork } from "../network/network.js";
import { prune } from "../network/edit.js";
import { elementCount } from "../network/network.js";
import { requireRunnable } from "../ops/unavailable.js";
import { findNodeBySuffix } from "../network/find-node.js";
import { inputsBelow, restrictOrder } from "../network/node-order.js";
import { columnsOf, packFrames, type StreamMinibatch } from "../minibatch/index.js";
import type { ElementType, Values } from "../numerics/values.js";
import type { Reader } from "../readers/reader.js";
import { AxisNames, checkMemory, validateNetwork } from "../shapes/index.js";
import type { Evaluator } from "../training/evaluator.js";
import { checkStreams } from "../training/feed.js";
import { Interruption } from "../training/interruption.js";
import { parameterValues } from "../training/parameters.js";

/** One value per sample (or one in all, for a node without a dynamic axis). */
export interface EvaluatedNode {
  /** Full name. */
  readonly name: string;
  /** Shape of a sample, first axis contiguous. */
  readonly shape: readonly number[];
  /** One array per sample, column-major. */
  readonly samples: readonly Values[];
}

function dataMissing(nodes: readonly NetworkNode[], fed: readonly NetworkNode[]): CntkError {
  const list = (some: readonly NetworkNode[]): string => some.map(({ name }) => `'${name}'`).join(", ");
  return new CntkError({
    code: "data-missing",
    message: `Computing ${list(nodes)} needs data for ${list(fed)}.`,
    hint: "--data FILE names a file in CNTK's text format, configFile=FILE a configuration with data to test; parameters alone need none",
  });
}

/** A loaded model: its nodes, and their values for given data. */
export class ModelSession {
  readonly elementType: ElementType;
  private validated: ShapedNetwork | undefined;

  constructor(
    readonly model: ModelFile,
    private readonly backendFor: (elementType: ElementType) => Promise<Backend>,
    /** Path of the model's file, for messages. */
    private readonly path = "",
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

  /**
   * Values of nodes for `samples` samples given as typed arrays by input name (column-major, sample after sample).
   * @throws CntkError when an input is missing or has the wrong number of elements.
   */
  async evaluate(
    names: readonly string[],
    inputs: Readonly<Record<string, Values>>,
    samples: number,
  ): Promise<EvaluatedNode[]> {
    const nodes = this.computableNodes(names);
    const fed = this.inputsOf(nodes);
    const layout = packFrames(new Uint8Array(samples).fill(1));
    const streams = new Map(
      fed.map((input): [string, StreamMinibatch] => {
        const values = this.checkedInput(input, inputs, samples);
        return [
          input.name,
          { dimension: values.length / samples, layout, data: { storage: "dense", values } },
        ];
      }),
    );
    return this.withEvaluator(nodes, async (evaluator) => {
      const results = await evaluator.values({ streams, columns: samples });
      return nodes.map((node) => this.collect(node, results));
    });
  }

  /**
   * Values of nodes for the first `count` samples (default: all) of a file in CNTK's text format, in file order; fewer
   * where the file has fewer. Nodes that need no input need no file.
   * @throws CntkError when the file is missing or wrong; `interrupted` after an abort.
   */
  async evaluateFile(
    names: readonly string[],
    files: FileAccess,
    path: string | undefined,
    count?: number,
    signal?: AbortSignal,
  ): Promise<EvaluatedNode[]> {
    const nodes = this.computableNodes(names);
    const fed = this.inputsOf(nodes);
    // Parameters and what is made of them need no data.
    if (fed.length === 0) return this.evaluate(names, {}, 1);
    if (path === undefined) throw dataMissing(nodes, fed);
    const { createTextFormatReader } = await import("../readers/text-format/text-format-reader.js");
    const reader = await createTextFormatReader(
      {
        file: path,
        elementType: this.elementType,
        randomize: false,
        inputs: fed.map((input) => ({
          name: input.name,
          alias: input.name,
          dimension: elementCount(this.shaped.facts.get(input)?.shape ?? []),
          storage: this.shaped.facts.get(input)?.storage === "sparse" ? "sparse" : "dense",
        })),
      },
      { files, log: { write: () => undefined } },
    );
    try {
      return await this.evaluateReader(nodes, reader, count, signal);
    } finally {
      await reader.close();
    }
  }

  /**
   * The same for the samples that a reader delivers, in its order; the reader stays open.
   */
  async evaluateReader(
    nodes: readonly NetworkNode[],
    reader: Reader,
    count?: number,
    signal?: AbortSignal,
  ): Promise<EvaluatedNode[]> {
    checkStreams(this.inputsOf(nodes), reader);
    // An epoch of `count` samples would begin the data again where there are fewer.
    await reader.start({
      epoch: 0,
      minibatchSize: Math.min(count ?? 256, 256),
      epochSize: 0,
      rank: 0,
      workers: 1,
    });
    // Data that does not fit is refused before any work is done for the network.
    const first = await reader.next();
    return this.withEvaluator(nodes, async (evaluator) => {
      const collected = nodes.map((node): Values[] => (void node, []));
      const interruption = new Interruption(signal);
      const enough = (): boolean => count !== undefined && (collected[0]?.length ?? 0) >= count;
      for (let minibatch = first; minibatch; minibatch = enough() ? undefined : await reader.next()) {
        const results = await evaluator.values(minibatch);
        nodes.forEach((node, index) => {
          for (const sample of this.collect(node, results).samples) collected[index]?.push(sample);
        });
        await interruption.check();
      }
      return nodes.map((node, index) => this.described(node, (collected[index] ?? []).slice(0, count)));
    });
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

  private async withEvaluator<T>(
    nodes: readonly NetworkNode[],
    work: (evaluator: Evaluator) => Promise<T>,
  ): Promise<T> {
    const { shaped, elementType } = this;
    const { Evaluator } = await import("../training/evaluator.js");
    const session = { backend: await this.backendFor(elementType), elementType };
    const values = parameterValues(shaped, elementType);
    const evaluator = await Evaluator.compile(session, shaped, nodes, values);
    try {
      return await work(evaluator);
    } finally {
      await evaluator.dispose();
    }
  }

  private checkedInput(node: NetworkNode, inputs: Readonly<Record<string, Values>>, samples: number): Values {
    const given = inputs[node.name];
    const wanted = elementCount(this.shaped.facts.get(node)?.shape ?? []) * samples;
    if (given?.length === wanted) return given;
    throw new CntkError({
      code: given ? "input-dimension" : "input-missing",
      message: given
        ? `Input '${node.name}' needs ${wanted} values for ${samples} samples, got ${given.length}.`
        : `Input '${node.name}' is needed and was not given.`,
    });
  }

  private described(node: NetworkNode, samples: readonly Values[]): EvaluatedNode {
    return { name: node.name, shape: this.shaped.facts.get(node)?.shape ?? [], samples };
  }

  private collect(node: NetworkNode, results: Outputs): EvaluatedNode {
    const { values, layout } = outputOf(results, node.name);
    if (!layout) return this.described(node, [values.slice()]);
    const size = elementCount(this.shaped.facts.get(node)?.shape ?? []);
    const parts = layout.sequences.flatMap((placement) =>
      Array.from(columnsOf(layout, placement), (column) => values.slice(column * size, (column + 1) * size)),
    );
    return this.described(node, parts);
  }
}
