import { outputOf } from "../backends/backend.js";
import type { PendingFile } from "../files/file-access.js";
import type { Minibatch } from "../minibatch/index.js";
import type { NetworkNode } from "../network/network.js";
import type { Session } from "../session.js";
import type { Evaluator } from "../training/evaluator.js";
import { shownValues } from "../training/shown-values.js";
import { formatNodeValues, type WriteFormat } from "../log/node-values.js";

/** A node whose values, or whose gradient, are written. */
export interface WrittenNode {
  readonly node: NetworkNode;
  /** Key of the values among those that the evaluator gives; undefined for a gradient that nothing makes. */
  readonly key: string | undefined;
  readonly gradient: boolean;
}

interface Output extends WrittenNode {
  /** Absent for standard output. */
  readonly file: PendingFile | undefined;
}

export interface NodeWriterRequest {
  readonly session: Pick<Session, "files" | "output" | "log">;
  readonly evaluator: Evaluator;
  readonly written: readonly WrittenNode[];
  readonly format: WriteFormat;
  /** Beginning of the files' names, or `-` for standard output. */
  readonly path: string;
  /** Where `%k` stands for the key of a sequence. */
  readonly withKeys: boolean;
}

/** Formats the values of all outputs and appends them to their files; nothing appears in place before `finish`. */
export class NodeWriter {
  private readonly outputs: readonly Output[];
  /** By name of the node: one that is listed twice is written twice to the same file. */
  private readonly files: Map<string, PendingFile>;

  constructor(private readonly request: NodeWriterRequest) {
    const { session, written, format, path } = request;
    const names = new Set(path === "-" ? [] : written.map(({ node }) => node.name));
    this.files = new Map(Array.from(names, (name) => [name, session.files.create(`${path}.${name}`)]));
    this.outputs = written.map((output) => ({ ...output, file: this.files.get(output.node.name) }));
    for (const output of this.outputs) if (!output.gradient) this.emit(output, format.prologue);
  }

  /** Appends one minibatch, 0-based. */
  async write(minibatch: Minibatch, index: number): Promise<void> {
    const { session, evaluator, format, withKeys } = this.request;
    const values = await evaluator.values(minibatch);
    const keys = withKeys ? minibatch.keys : undefined;
    for (const output of this.outputs) {
      if (output.key === undefined) {
        // CNTK ends this line with what it says of the minibatch.
        session.log.write(
          `Warning: Gradient of node '${output.node.name}' is empty. Not used in backward pass?`,
        );
        continue;
      }
      const found = outputOf(values, output.key);
      const { shape = [] } = evaluator.shaped.facts.get(output.node) ?? {};
      this.emit(output, formatNodeValues(shownValues(output.node, shape, found, keys), format, index));
    }
  }

  finish(): void {
    for (const output of this.outputs) this.emit(output, this.request.format.epilogue);
    for (const file of this.files.values()) file.commit();
  }

  abort(): void {
    for (const file of this.files.values()) file.abort();
  }

  private emit(output: Output, text: string): void {
    if (!text) return;
    if (output.file) output.file.write(text);
    else this.request.session.output.write(text);
  }
}
