import type { Backend } from "../backends/backend.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import type { FileAccess } from "../files/file-access.js";
import type { ModelFile } from "../model-files/index.js";
import type { NetworkNode } from "../network/network.js";
import type { ElementType, Values } from "../numerics/values.js";
import type { Reader } from "../readers/reader.js";
import type { Evaluator } from "../training/evaluator.js";
import { checkStreams } from "../training/feed.js";
import { Interruption } from "../training/interruption.js";
import { parameterValues } from "../training/parameters.js";
import { type EvaluatedNode, type InputValues, OpenedModel } from "./opened-model.js";

export type { EvaluatedNode, InputValues } from "./opened-model.js";

function dataMissing(nodes: readonly NetworkNode[], fed: readonly NetworkNode[]): CntkError {
  const list = (some: readonly NetworkNode[]): string => some.map(({ name }) => `'${name}'`).join(", ");
  return new CntkError({
    code: "data-missing",
    message: `Computing ${list(nodes)} needs data for ${list(fed)}.`,
    hint: "--data FILE names a file in CNTK's text format, configFile=FILE a configuration with data to test; parameters alone need none",
  });
}

/** A loaded model: its nodes, and their values for given data. */
export class ModelSession extends OpenedModel {
  constructor(
    model: ModelFile,
    private readonly backendFor: (elementType: ElementType) => Promise<Backend>,
    path = "",
  ) {
    super(model, path);
  }

  /**
   * Values of nodes for numbers by input name: samples one behind the other, or a list of sequences. `samples` says how many
   * there are, for who wants that checked.
   * @throws CntkError `input-missing`, `input-dimension` where the numbers are not those of so many samples.
   */
  async evaluate(
    names: readonly string[],
    inputs: Readonly<Record<string, InputValues>>,
    samples?: number,
  ): Promise<EvaluatedNode[]> {
    const nodes = this.computableNodes(names);
    const fed = this.inputsOf(nodes);
    if (samples !== undefined) for (const input of fed) this.checkCount(input, inputs, samples);
    const minibatch = this.minibatchOf(fed, inputs);
    return this.withEvaluator(nodes, async (evaluator) => {
      const results = await evaluator.values(minibatch);
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
          dimension: this.sizeOf(input),
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

  private checkCount(
    node: NetworkNode,
    inputs: Readonly<Record<string, InputValues>>,
    samples: number,
  ): void {
    const given = inputs[node.name];
    const wanted = this.sizeOf(node) * samples;
    if (!given || given.length === wanted || typeof given[0] === "object") return;
    throw new CntkError({
      code: "input-dimension",
      message: `Input '${node.name}' needs ${wanted} values for ${samples} samples, got ${given.length}.`,
    });
  }
}
