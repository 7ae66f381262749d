import { outputOf } from "../backends/backend.js";
import type { ConfigSection } from "../config/config-section.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import type { FileAccess, PendingFile } from "../files/file-access.js";
import type { Minibatch } from "../minibatch/index.js";
import type { NetworkNode } from "../network/network.js";
import { compareNames } from "../network/node-order.js";
import { readWordClasses } from "../readers/index.js";
import type { Session } from "../session.js";
import type { Evaluator } from "../training/evaluator.js";

/** A node whose values are written as words. */
interface WordOutput {
  readonly file: string;
  readonly tokenFile: string;
  /** How many words a column, the most likely first. */
  readonly best: number;
}

/** A `writer` section that writes words. */
export interface WordWriterOptions {
  /** By the name of a node in lower case. */
  readonly outputs: ReadonlyMap<string, WordOutput>;
  /** The token files are class files of language models, not plain lists. */
  readonly classFiles: boolean;
}

const understandingNames = ["LUSequenceWriter", "Cntk.Reader.LUSequence"];
const languageModelNames = ["LMSequenceWriter", "Cntk.Reader.LMSequence"];

/**
 * Reads a `writer` section.
 * @throws CntkError `not-available` for writers other than those of words, `write-type` without names of nodes.
 * Source: Readers/LUSequenceReader/LUSequenceWriter.cpp, InitFromConfig.
 */
export function readWordWriter(section: ConfigSection): WordWriterOptions {
  const type = section.string("writerType", "BinaryWriter");
  const classFiles = languageModelNames.includes(type);
  if (!classFiles && !understandingNames.includes(type)) {
    throw new CntkError({
      code: "not-available",
      message: `writerType = ${type} is not available yet`,
      span: section.keySpan("writerType") ?? section.span,
      hint: "outputPath = PREFIX writes PREFIX.NODE as text; writerType = LUSequenceWriter and LMSequenceWriter write words, HTKMLFWriter HTK files",
    });
  }
  const names = section.array("outputNodeNames", []);
  if (names.length === 0) {
    throw new CntkError({
      code: "write-type",
      message: "writer needs at least one outputNodeName specified in config",
      span: section.span,
    });
  }
  const outputs = new Map<string, WordOutput>();
  for (const name of names) {
    const output = section.section(name);
    const described = {
      file: output.string("file"),
      tokenFile: output.string("token"),
      best: output.integer("nbest", 1),
    };
    outputs.set(name.toLowerCase(), described);
  }
  return { outputs, classFiles };
}

interface OpenOutput extends WordOutput {
  readonly node: NetworkNode;
  readonly words: readonly string[];
}

/**
 * Writes for each column of a node the word of its largest element, a line for each minibatch, into a file and, with one
 * word a column, into the log. Source: Readers/LUSequenceReader/LUSequenceWriter.cpp, Save.
 */
export class WordWriter {
  private readonly outputs: readonly OpenOutput[];
  private readonly files = new Map<string, PendingFile>();

  constructor(
    private readonly session: Pick<Session, "files" | "log">,
    nodes: readonly NetworkNode[],
    { outputs, classFiles }: WordWriterOptions,
  ) {
    const sorted = [...nodes].sort((a, b) => compareNames(a.name.toLowerCase(), b.name.toLowerCase()));
    this.outputs = sorted.map((node) => {
      const output = outputs.get(node.name.toLowerCase());
      if (!output) {
        throw new CntkError({
          code: "write-type",
          message: `The writer section says nothing of the node '${node.name}'.`,
          hint: `${node.name} = [ file = … ; token = … ] in it, and the name in its outputNodeNames`,
        });
      }
      const { files } = session;
      const words = classFiles ? classWords(files, output.tokenFile) : listedWords(files, output.tokenFile);
      return { ...output, node, words };
    });
  }

  async write(minibatch: Minibatch, evaluator: Evaluator): Promise<void> {
    const values = await evaluator.values(minibatch);
    for (const output of this.outputs) {
      const found = outputOf(values, output.node.name);
      const columns = found.layout ? found.layout.rows * found.layout.steps : minibatch.columns;
      const rows = found.values.length / columns;
      const file = this.open(output.file);
      const { log } = this.session;
      for (let column = 0; column < columns; column++) {
        const values = found.values.subarray(column * rows, (column + 1) * rows);
        for (const word of wordsOfColumn(output, values)) file.write(`${word} `);
        if (output.best <= 1) for (const word of wordsOfColumn(output, values)) log.write(`${word} `);
      }
      file.write("\n");
      log.write("\n");
    }
  }

  finish(): void {
    for (const file of this.files.values()) file.commit();
  }

  abort(): void {
    for (const file of this.files.values()) file.abort();
  }

  private open(path: string): PendingFile {
    const known = this.files.get(path);
    if (known) return known;
    const file = this.session.files.create(path);
    this.files.set(path, file);
    return file;
  }
}

/** The first of the largest elements; of several words those that are not 0, the largest first. */
function wordsOfColumn({ words, best }: OpenOutput, values: Float32Array | Float64Array): string[] {
  const count = Math.min(words.length, values.length);
  const numbers = Array.from({ length: Math.max(count, 1) }, (_, number) => number);
  const value = (number: number): number => values[number] ?? 0;
  if (best > 1) {
    const sorted = numbers.sort((a, b) => value(b) - value(a)).slice(0, best);
    return sorted.filter((number) => value(number) !== 0).map((number) => words[number] ?? "");
  }
  const largest = numbers.reduce((first, number) => (value(number) > value(first) ? number : first), 0);
  return Array.from({ length: best }, () => words[largest] ?? "");
}

function listedWords(files: FileAccess, path: string): string[] {
  return files
    .readText(path)
    .split(/\s+/)
    .filter((word) => word !== "");
}

function classWords(files: FileAccess, path: string): string[] {
  const words: string[] = [];
  for (const [word, number] of readWordClasses(files, path).words) words[number] = word;
  return words;
}
