/**
 * cntkts in a web page: a trained model is read, compiled to WebAssembly and run where it is shown. What stands here needs no Node;
 * the build makes one module of it (dist/browser/index.js).
 */
import { type EvaluatedNode, type InputValues, OpenedModel } from "./actions/opened-model.js";
import type { Backend } from "./backends/backend.js";
import { javascriptBackend } from "./backends/javascript/index.js";
import { missingForWasm } from "./backends/wasm/emit/engine.js";
import { createWasmBackend } from "./backends/wasm/index.js";
import { readModel } from "./model-files/read-model.js";
import { elementCount, type NetworkNode } from "./network/network.js";
import { Evaluator } from "./training/evaluator.js";
import { parameterValues } from "./training/parameters.js";

export { CntkError, type Diagnostic } from "./diagnostics/diagnostic.js";
export type { EvaluatedNode, InputValues } from "./actions/opened-model.js";

/** What a page may want to know of a node. */
export interface DescribedNode {
  /** Full name. */
  readonly name: string;
  /** CNTK's name of its operation: `Convolution`, `InputValue`, … */
  readonly operation: string;
  /** Axes of a sample, the first one contiguous. */
  readonly shape: readonly number[];
  /** Numbers of a sample. */
  readonly size: number;
  /** Is there a value for each sample? Otherwise there is one in all, as of a parameter. */
  readonly perSample: boolean;
  /** Names of what it is computed from. */
  readonly inputs: readonly string[];
}

/** Sets of nodes that stay compiled; who asks for the same again waits for no compiler. */
const mostCompiled = 8;

/** A trained model that computes on the page's own thread. */
export class BrowserSession extends OpenedModel {
  private readonly compiled = new Map<string, Promise<Evaluator>>();
  private last: Promise<unknown> = Promise.resolve();

  /** The model's output nodes; where it names none, the nodes that no other one needs. */
  get outputs(): DescribedNode[] {
    return this.outputNodes.map((node) => this.description(node));
  }

  /** The inputs that the outputs need. */
  get inputs(): DescribedNode[] {
    return this.inputsOf(this.outputNodes).map((node) => this.description(node));
  }

  /** All nodes in the order of the file. */
  get nodes(): DescribedNode[] {
    return this.shaped.network.nodes.map((node) => this.description(node));
  }

  /**
   * Values of nodes, by full name or unambiguous ending, for numbers by input name: samples one behind the other, or a list of
   * sequences. The same numbers give the same values every time, those that Node gives.
   * @throws CntkError `node-unknown`, `input-missing`, `input-dimension` where the numbers are no whole samples, `layouts-differ`
   * where sequences of inputs on one axis are of different lengths, `out-of-memory`, and what is wrong with the model.
   */
  evaluate(name: string, inputs?: Readonly<Record<string, InputValues>>): Promise<EvaluatedNode>;
  evaluate(
    names: readonly string[],
    inputs?: Readonly<Record<string, InputValues>>,
  ): Promise<EvaluatedNode[]>;
  async evaluate(
    asked: string | readonly string[],
    inputs: Readonly<Record<string, InputValues>> = {},
  ): Promise<EvaluatedNode | EvaluatedNode[]> {
    const nodes = this.computableNodes([asked].flat());
    const minibatch = this.minibatchOf(this.inputsOf(nodes), inputs);
    // One after the other: values stand where the next run puts its own.
    const values = this.last
      .catch(() => undefined)
      .then(async () => {
        const evaluator = await this.evaluatorOf(nodes);
        await evaluator.restart();
        const results = await evaluator.values(minibatch);
        return nodes.map((node) => this.collect(node, results));
      });
    this.last = values;
    const evaluated = await values;
    return typeof asked === "string" ? (evaluated[0] as EvaluatedNode) : evaluated;
  }

  /** Gives the memory of compiled nodes back; who evaluates again compiles again. */
  async dispose(): Promise<void> {
    const evaluators = [...this.compiled.values()];
    this.compiled.clear();
    await this.last.catch(() => undefined);
    for (const evaluator of evaluators) await (await evaluator).dispose();
  }

  private get outputNodes(): readonly NetworkNode[] {
    const { groups } = this.shaped.network;
    return groups.output.length > 0 ? groups.output : this.shaped.roots;
  }

  private description(node: NetworkNode): DescribedNode {
    const facts = this.shaped.facts.get(node);
    const shape = facts?.shape ?? [];
    return {
      name: node.name,
      operation: node.op.name,
      shape,
      size: elementCount(shape),
      perSample: facts?.dynamicAxis != null,
      inputs: node.inputs.map(({ name }) => name),
    };
  }

  private evaluatorOf(nodes: readonly NetworkNode[]): Promise<Evaluator> {
    const key = JSON.stringify(nodes.map(({ name }) => name));
    const known = this.compiled.get(key);
    if (known) return known;
    const { shaped, elementType } = this;
    const values = parameterValues(shaped, elementType);
    const evaluator = Evaluator.compile({ backend: backend(), elementType }, shaped, nodes, values);
    this.compiled.set(key, evaluator);
    evaluator.catch(() => this.compiled.delete(key));
    const [oldest] = this.compiled.keys();
    if (oldest !== undefined && this.compiled.size > mostCompiled) {
      const former = this.compiled.get(oldest);
      this.compiled.delete(oldest);
      void former?.then((unused) => unused.dispose());
    }
    return evaluator;
  }
}

/** The compiled backend, on this thread alone; where the engine has no SIMD, generated loops. */
function backend(): Backend {
  return missingForWasm() === undefined ? createWasmBackend(undefined, undefined, true) : javascriptBackend;
}

/**
 * Reads a model file of CNTK (of the `cntk` program or of its library) from bytes, which must not change any more. `name` is what
 * messages call it.
 * @throws CntkError `model-file-broken` with the byte offset, `model-file-foreign`, `model-file-too-new`, `operation-unknown`;
 * and what validation finds wrong with the network.
 */
export function loadModel(
  bytes: Uint8Array | ArrayBuffer,
  { name = "model" }: { readonly name?: string } = {},
): BrowserSession {
  const session = new BrowserSession(
    readModel(bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes), name, true),
    name,
  );
  void session.shaped;
  return session;
}
