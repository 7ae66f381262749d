import { CntkError } from "../diagnostics/diagnostic.js";
import type { PendingFile } from "../files/file-access.js";
import type { NetworkNode, ShapedNetwork } from "../network/network.js";
import { elementCount } from "../network/network.js";
import { inputsBelow, insertPassNodes, shapeNetwork } from "../pipeline.js";
import { columnsOf, gapMask, type Minibatch } from "../minibatch/index.js";
import { readerFromConfig } from "../readers/index.js";
import { memoryBlock } from "../shapes/index.js";
import { checkStreams, feed } from "../training/feed.js";
import { parameterValues } from "../training/parameters.js";
import { Interruption } from "../training/interruption.js";
import type { Executable, Values } from "../backends/backend.js";
import { compileGradients, compileInference } from "./compile.js";
import { networkForEvaluation } from "./networks.js";
import type { CommandContext } from "./run-context.js";
import { evaluationReader } from "./test.js";
import { formatNodeValues, readWriteFormat, type SequenceColumns, type WriteFormat } from "./write-format.js";

/** Where a node's values go. */
interface Output {
  readonly node: NetworkNode;
  /** Key of its values in the executable's results. */
  readonly key: string;
  readonly gradient: boolean;
  readonly file?: PendingFile;
}

/** A compiled network whose entry gives the values to write. */
interface WriteProgram {
  readonly executable: Executable;
  readonly entry: "evaluate" | "accumulate";
  readonly shaped: ShapedNetwork;
  readonly outputs: readonly { node: NetworkNode; key: string; gradient: boolean }[];
  readonly inputs: readonly NetworkNode[];
}

/** Action `write`: writes node values as text, one file a node (SGDLib/SimpleOutputWriter.h). */
export async function writeAction(command: CommandContext): Promise<void> {
  const { section, log } = command;
  const reader = await readerFromConfig(evaluationReader(command, "reader", true), command);
  try {
    const { shaped } = networkForEvaluation(command, "outputNodeNames");
    if (!section.has("outputPath")) {
      throw new CntkError({
        code: section.has("writer") ? "not-available" : "no-output",
        message: section.has("writer")
          ? "a write command with a writer section is not available yet"
          : "write command: You must specify either 'writer'or 'outputPath'",
        hint: "outputPath = PREFIX writes PREFIX.NODE as text",
      });
    }
    const unitTest = section.boolean("nodeUnitTest", false);
    const program = unitTest ? await gradientProgram(command, shaped) : await valueProgram(command, shaped);
    try {
      checkStreams(program.inputs, program.shaped.facts, reader);
      if (section.boolean("writeSequenceKey", false)) {
        throw new CntkError({
          code: "sequence-keys",
          message:
            "Sequence Id mapping is not available for old style configurations. Please use deserializers.",
          span: section.keySpan("writeSequenceKey"),
        });
      }
      const format = readWriteFormat(section, (path) => command.files.readText(path));
      const path = section.string("outputPath");
      const writer = new NodeWriter(command, program, format, path);
      await reader.start({
        epoch: 0,
        minibatchSize: section.integerSchedule("minibatchSize", [2048]).at(0),
        epochSize: section.size("epochSize", 0),
        rank: 0,
        workers: 1,
      });
      const interruption = new Interruption(command.signal);
      let samples = 0;
      let index = 0;
      try {
        for (let minibatch = await reader.next(); minibatch; minibatch = await reader.next()) {
          await writer.write(minibatch, index);
          log.write(`Minibatch[${index}]: ActualMBSize = ${minibatch.columns}\n`);
          if (path === "-") command.output.write("\n");
          samples += minibatch.columns;
          index++;
          await interruption.check();
        }
        writer.finish();
      } catch (error) {
        writer.abort();
        throw error;
      }
      log.write(`Written to ${path}*\nTotal Samples Evaluated = ${samples}\n`);
    } finally {
      await program.executable.dispose();
    }
  } finally {
    await reader.close();
  }
}

async function valueProgram(command: CommandContext, shaped: ShapedNetwork): Promise<WriteProgram> {
  const nodes = shaped.network.groups.output;
  if (nodes.length === 0) {
    throw new CntkError({ code: "no-output-nodes", message: "There is no default output node specified in the network.", hint: "list them: outputNodeNames = (z)" }); // prettier-ignore
  }
  if (command.section.integer("traceLevel", 0) > 0) {
    command.log.write(memoryBlock(shaped, { evaluated: nodes }));
  }
  const executable = await compileInference(
    command,
    shaped,
    nodes,
    parameterValues(shaped, command.elementType),
  );
  const outputs = nodes.map((node) => ({ node, key: node.name, gradient: false }));
  return { executable, entry: "evaluate", shaped, outputs, inputs: inputsBelow(nodes) };
}

/** nodeUnitTest: a Pass node NAME.grad above each input and parameter; its gradient is written too. */
async function gradientProgram(command: CommandContext, first: ShapedNetwork): Promise<WriteProgram> {
  const nodes = first.network.groups.output;
  const [output] = nodes;
  if (!output || nodes.length !== 1) {
    throw new CntkError({
      code: "unit-test-nodes",
      message: `Expected exactly 1 output node for unit test, got ${nodes.length}.`,
    });
  }
  const values = parameterValues(first, command.elementType);
  const { previous, passNodes, root } = insertPassNodes(first, output);
  const traceLevel = command.section.integer("traceLevel", 0);
  const { shaped } = shapeNetwork(command, previous.network, traceLevel, command.log, previous);
  if (traceLevel > 0) command.log.write(memoryBlock(shaped, { evaluated: [], criterion: root }));
  const { executable, gradients } = await compileGradients(command, shaped, root, passNodes, values);
  const outputs = [{ node: root, key: root.name, gradient: false }];
  for (const node of passNodes) {
    const gradient = gradients.get(node);
    if (gradient) outputs.push({ node, key: gradient.name, gradient: true });
    else command.log.write(`Warning: Gradient of node '${node.name}' is empty. Not used in backward pass?`);
  }
  return { executable, entry: "accumulate", shaped, outputs, inputs: inputsBelow([root]) };
}

/** Formats the values of all outputs and appends them to their files; nothing appears in place before `finish`. */
class NodeWriter {
  private readonly outputs: readonly Output[];

  constructor(
    private readonly command: CommandContext,
    private readonly program: WriteProgram,
    private readonly format: WriteFormat,
    path: string,
  ) {
    this.outputs = program.outputs.map((output) => ({
      ...output,
      file: path === "-" ? undefined : command.files.create(`${path}.${output.node.name}`),
    }));
    for (const output of this.outputs) if (!output.gradient) this.emit(output, format.prologue);
  }

  async write(minibatch: Minibatch, index: number): Promise<void> {
    const { executable, entry, inputs, shaped } = this.program;
    const data = feed(minibatch, inputs, this.command.elementType);
    const values = await executable.run(entry, data, { dropoutRate: 0 });
    const sequences = packedSequences(minibatch, inputs[0]?.name);
    for (const output of this.outputs) {
      const facts = shaped.facts.get(output.node);
      const found = values.get(output.key);
      if (!facts || !found) throw new Error(`no value for ${output.node.name}`);
      const text = formatNodeValues(
        facts.dynamicAxis
          ? {
              name: output.node.name,
              shape: facts.shape,
              values: found,
              rows: elementCount(facts.shape),
              sequences,
            }
          : { name: output.node.name, shape: facts.shape, values: found, ...oneSequence(facts.shape, found) },
        this.format,
        index,
      );
      this.emit(output, text);
    }
  }

  finish(): void {
    for (const output of this.outputs) {
      this.emit(output, this.format.epilogue);
      output.file?.commit();
    }
  }

  abort(): void {
    for (const output of this.outputs) output.file?.abort();
  }

  private emit(output: Output, text: string): void {
    if (!text) return;
    if (output.file) output.file.write(text);
    else this.command.output.write(text);
  }
}

/** A node without a dynamic axis is a matrix: first dimension by the rest; its columns are one sequence. */
function oneSequence(
  shape: readonly number[],
  values: Values,
): { rows: number; sequences: SequenceColumns[] } {
  const rows = shape[0] ?? 1;
  const columns = Array.from({ length: values.length / rows }, (_, column) => column);
  return { rows, sequences: [{ id: 0, columns }] };
}

/** Columns of each sequence after gaps were left out of the feed. */
function packedSequences(minibatch: Minibatch, input: string | undefined): SequenceColumns[] {
  const stream = (input && minibatch.streams.get(input)) || [...minibatch.streams.values()][0];
  if (!stream) return [];
  const { layout } = stream;
  const gaps = gapMask(layout);
  let next = 0;
  // Place of each column once the gaps before it are left out.
  const places = gaps && Int32Array.from(gaps, (gap) => (gap ? -1 : next++));
  return layout.sequences.map((placement) => ({
    id: placement.sequence,
    columns: Array.from(columnsOf(layout, placement), (column) => places?.[column] ?? column),
  }));
}
