import type { Output as NodeValue } from "../backends/backend.js";
import type { PendingFile } from "../files/file-access.js";
import { type AxisLayout, columnsOf, type Minibatch } from "../minibatch/index.js";
import type { NetworkNode } from "../network/network.js";
import { elementCount } from "../network/network.js";
import type { Values } from "../numerics/values.js";
import type { Session } from "../session.js";
import type { Evaluator } from "../training/evaluator.js";
import { formatNodeValues, type NodeValues, type SequenceColumns, type WriteFormat } from "./write-format.js";

/** A node whose values, or whose gradient, are written. */
export interface WrittenNode {
  readonly node: NetworkNode;
  /** Key of the values among those that the evaluator gives. */
  readonly key: string;
  readonly gradient: boolean;
}

interface Output extends WrittenNode {
  /** Absent for standard output. */
  readonly file: PendingFile | undefined;
}

export interface NodeWriterRequest {
  readonly session: Pick<Session, "files" | "output">;
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

  constructor(private readonly request: NodeWriterRequest) {
    const { session, written, format, path } = request;
    this.outputs = written.map((output) => ({
      ...output,
      file: path === "-" ? undefined : session.files.create(`${path}.${output.node.name}`),
    }));
    for (const output of this.outputs) if (!output.gradient) this.emit(output, format.prologue);
  }

  /** Appends one minibatch, 0-based. */
  async write(minibatch: Minibatch, index: number): Promise<void> {
    const { evaluator, format } = this.request;
    const values = await evaluator.values(minibatch);
    for (const output of this.outputs) {
      const found = values.get(output.key);
      if (!found) throw new Error(`no value for ${output.node.name}`);
      this.emit(output, formatNodeValues(this.described(output, found, minibatch), format, index));
    }
  }

  finish(): void {
    for (const output of this.outputs) {
      this.emit(output, this.request.format.epilogue);
      output.file?.commit();
    }
  }

  abort(): void {
    for (const output of this.outputs) output.file?.abort();
  }

  private described({ node }: Output, { values, layout }: NodeValue, minibatch: Minibatch): NodeValues {
    const { evaluator, withKeys } = this.request;
    const { shape = [] } = evaluator.shaped.facts.get(node) ?? {};
    if (!layout) return { name: node.name, shape, values, ...oneSequence(shape, values) };
    const sequences = sequencesOf(layout, withKeys ? minibatch.keys : undefined);
    return { name: node.name, shape, values, rows: elementCount(shape), sequences };
  }

  private emit(output: Output, text: string): void {
    if (!text) return;
    if (output.file) output.file.write(text);
    else this.request.session.output.write(text);
  }
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
