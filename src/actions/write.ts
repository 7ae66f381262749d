import { inputsBelow } from "../network/node-order.js";
import type { ConfigSection } from "../config/config-section.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import { didYouMean } from "../diagnostics/suggest.js";
import { findNode } from "../network/find-node.js";
import type { Network, NetworkNode, NodeGroup, ShapedNetwork } from "../network/network.js";
import { gradientGraph, inferenceGraph, requirePlan, shapeNetwork } from "../pipeline.js";
import { readerFromConfig } from "../readers/index.js";
import type { Session } from "../session.js";
import { memoryBlock } from "../memory-sharing/index.js";
import { readWriteOptions, type WriteOptions } from "../training/evaluation-options.js";
import { Evaluator } from "../training/evaluator.js";
import { checkStreams } from "../training/feed.js";
import { Interruption } from "../training/interruption.js";
import { parameterValues } from "../training/parameters.js";
import { paddedSamples } from "../training/samples.js";
import { type TracedKind, tracedNodes, Tracing } from "../training/tracing.js";
import { UnrollWarnings } from "../training/unroll-warnings.js";
import type { Action } from "./action.js";
import { checkInputs, checkReaderSection } from "./reader-section.js";
import { type ActionNetwork, keysThere, networkForEvaluation } from "./networks.js";
import { NodeWriter, type WrittenNode } from "./node-writer.js";
import { HtkWriter, readHtkWriter } from "./htk-writer.js";
import { insertPassNodes } from "./pass-nodes.js";
import { readWordWriter, WordWriter } from "./word-writer.js";
import { readWriteFormat } from "./write-format.js";

/** The reader section of a write: never randomized, with the trace level that it says or that is said around it as its own. */
function writeReader(section: ConfigSection): ConfigSection {
  const reader = section.section("reader");
  // Without one around it each kind of reader has its own, but that of LUSequenceReader is no longer what a training would set.
  if (reader.has("traceLevel") || reader.string("readerType", "") === "LUSequenceReader") {
    reader.setDefault("traceLevel", reader.string("traceLevel", "0"));
  }
  reader.inject("randomize", "None");
  return reader;
}

/** Action `write`: writes node values as text, one file a node (SGDLib/SimpleOutputWriter.h). */
export const writeAction: Action = {
  async run(session, { section }) {
    const { log } = session;
    const reader = await readerFromConfig(writeReader(section), session);
    try {
      const options = readWriteOptions(section);
      const network = await networkForEvaluation(session, section, "outputNodeNames");
      const { requirePrecision } = network;
      const special = section.has("writer") ? readWriter(section.section("writer")) : undefined;
      const path = special ? "" : outputPath(section);
      const format = readWriteFormat(section, log);
      const specialWriter = special?.(session, outputNodes(network.shaped, section));
      const { evaluator, written } = await compileOutputs(session, network, options, section);
      try {
        requirePrecision();
        checkStreams(evaluator.inputs, reader);
        const withKeys = writesKeys(section);
        const request = { session, evaluator, written, format: format(session.files), path, withKeys };
        const writer = specialWriter ?? new NodeWriter(request);
        const { minibatchSize, epochSize } = options;
        const interruption = new Interruption(session.signal);
        const unrolled = new UnrollWarnings(evaluator.shaped, evaluator.nodes, options.traceLevel);
        let samples = 0;
        let index = 0;
        try {
          await reader.start({ epoch: 0, minibatchSize, epochSize, rank: 0, workers: 1 });
          for (let minibatch = await reader.next(); minibatch; minibatch = await reader.next()) {
            log.write(unrolled.lines(minibatch));
            if (writer instanceof NodeWriter) await writer.write(minibatch, index);
            else await writer.write(minibatch, evaluator);
            const columns = paddedSamples(minibatch, evaluator.shaped, evaluator.inputs);
            if (!special) log.write(`Minibatch[${index}]: ActualMBSize = ${columns}\n`);
            if (path === "-") session.output.write("\n");
            samples += columns;
            index++;
            await interruption.check();
          }
          writer.finish();
        } catch (error) {
          writer.abort();
          throw error;
        }
        if (!special) log.write(`Written to ${path}*\n`);
        log.write(`Total Samples Evaluated = ${samples}\n`);
        return {};
      } finally {
        await evaluator.dispose();
      }
    } finally {
      await reader.close();
    }
  },
  async check(session, command) {
    const { section } = command;
    const hasReader = keysThere(session, command, "reader").has("reader");
    const streams = hasReader ? await checkReaderSection(session, writeReader(section)) : undefined;
    const options = readWriteOptions(section);
    const { shaped, requirePrecision } = await networkForEvaluation(session, section, "outputNodeNames");
    requirePrecision();
    if (section.has("writer")) readWriter(section.section("writer"));
    else outputPath(section);
    readWriteFormat(section, session.log);
    if (hasReader) writesKeys(section);
    if (options.nodeUnitTest) {
      const { root, passNodes, shaped: changed } = withPassNodes(session, shaped, 0);
      const { graph } = gradientGraph(changed, { root, wanted: passNodes, outputs: [root] });
      requirePlan(graph, session.elementType);
    } else {
      const nodes = outputNodes(shaped, section);
      checkInputs(inputsBelow(nodes), shaped, streams);
      requirePlan(inferenceGraph(shaped, nodes), session.elementType);
    }
  },
};

/** Makes the writer that a `writer` section describes: words, or HTK files. */
function readWriter(
  section: ConfigSection,
): (session: Session, nodes: readonly NetworkNode[]) => WordWriter | HtkWriter {
  const htk = readHtkWriter(section);
  if (htk) return (session, nodes) => new HtkWriter(session, nodes, htk);
  const words = readWordWriter(section);
  return (session, nodes) => new WordWriter(session, nodes, words);
}

/** Where a write goes: a prefix, or `-`. Throws CntkError where there is none. */
function outputPath(section: ConfigSection): string {
  if (!section.has("outputPath")) {
    throw new CntkError({
      code: "no-output",
      message: "write command: You must specify either 'writer'or 'outputPath'",
      span: section.span,
      hint: "outputPath = PREFIX writes PREFIX.NODE as text",
    });
  }
  return section.string("outputPath");
}

/**
 * Keys of sequences are asked for where the format shows them, and known only to readers made of deserializers (Readers/ReaderLib/ReaderShim.cpp).
 * Throws CntkError `sequence-keys` for other readers; returns whether keys are written.
 */
function writesKeys(section: ConfigSection): boolean {
  if (!section.boolean("writeSequenceKey", false)) return false;
  const format = section.optionalSection("format");
  const showing = ["sequencePrologue", "sampleSeparator"].map((key) => format?.string(key, "") ?? "");
  if (!showing.some((text) => text.includes("%k"))) return false;
  if (section.section("reader").has("deserializers")) return true;
  throw new CntkError({
    code: "sequence-keys",
    message: "Sequence Id mapping is not available for old style configurations. Please use deserializers.",
    span: section.keySpan("writeSequenceKey"),
  });
}

const nodeGroups: readonly NodeGroup[] = ["feature", "label", "criterion", "evaluation", "output"];

interface Outputs {
  readonly evaluator: Evaluator;
  readonly written: readonly WrittenNode[];
}

async function compileOutputs(
  session: Session,
  { shaped }: ActionNetwork,
  options: WriteOptions,
  section: ConfigSection,
): Promise<Outputs> {
  const { log, elementType } = session;
  const values = parameterValues(shaped, elementType);
  const traced = tracedNodes(session, shaped, options.traced);
  if (options.nodeUnitTest) return compileUnitTest(session, shaped, options, traced);
  const nodes = outputNodes(shaped, section);
  if (options.traceLevel > 0) log.write(memoryBlock(shaped, { evaluated: nodes }));
  const tracing = new Tracing(session, shaped, nodes, traced);
  const evaluator = await Evaluator.compile(session, shaped, nodes, values, tracing);
  const written = listedNodes(nodes, section).map((node) => ({ node, key: node.name, gradient: false }));
  return { evaluator, written };
}

/** The nodes as `outputNodeNames` lists them: one that is named twice is written twice. */
function listedNodes(nodes: readonly NetworkNode[], section: ConfigSection): readonly NetworkNode[] {
  const listed = section.has("outputNodeNames") ? section.array("outputNodeNames") : [];
  return listed.length === 0 ? nodes : listed.flatMap((name) => findNode(nodes, name) ?? []);
}

function outputNodes(shaped: ShapedNetwork, section: ConfigSection): readonly NetworkNode[] {
  const nodes = shaped.network.groups.output;
  if (nodes.length > 0) return nodes;
  const listed = section.has("outputNodeNames") ? section.array("outputNodeNames") : [];
  throw new CntkError({
    code: "no-output-nodes",
    message: "There is no default output node specified in the network.",
    ...(listed.length > 0 && { span: section.keySpan("outputNodeNames") }),
    hint: listed.length > 0 ? listedInVain(listed, shaped) : "list them: outputNodeNames = (z)",
  });
}

/** Why none of the listed names is a node. */
function listedInVain([name = ""]: readonly string[], { network }: ShapedNetwork): string | undefined {
  const [, group] = /^(feature|label|criterion|evaluation|output)Nodes$/.exec(name) ?? [];
  const nodes = nodeGroups.find((candidate) => candidate === group);
  if (nodes && nodes !== "output") {
    const members = network.groups[nodes].map((node) => node.name).join(", ");
    return `${name} is a group, not a node; its nodes are: ${members || "none"}`;
  }
  if (/[;\s]/.test(name)) {
    const names = name.split(/[;\s]+/).filter(Boolean);
    return `names are separated by ':' or ',': outputNodeNames = (${names.join(":")})`;
  }
  const names = network.nodes.map((node) => node.name);
  return didYouMean(name, names) ?? `the nodes that no other node uses are ${lastNodes(network).join(", ")}`;
}

/** Where a network ends: what users mostly ask for. */
function lastNodes({ nodes }: Network): string[] {
  const used = new Set(nodes.flatMap(({ inputs }) => inputs));
  return nodes
    .filter((node) => !used.has(node))
    .map(({ name }) => name)
    .slice(0, 8);
}

/** nodeUnitTest: a Pass node NAME.grad above each input and parameter; its gradient is written too. */
async function compileUnitTest(
  session: Session,
  first: ShapedNetwork,
  { traceLevel }: WriteOptions,
  traced: ReadonlyMap<NetworkNode, TracedKind>,
): Promise<Outputs> {
  const { log, elementType } = session;
  const values = parameterValues(first, elementType);
  const { root, passNodes, shaped } = withPassNodes(session, first, traceLevel);
  if (traceLevel > 0) log.write(memoryBlock(shaped, { evaluated: [], criterion: root }));
  const tracing = new Tracing(session, shaped, [root], traced);
  const evaluator = await Evaluator.compileGradients(session, shaped, root, passNodes, values, tracing);
  const written: WrittenNode[] = [{ node: root, key: root.name, gradient: false }];
  for (const node of passNodes) {
    written.push({ node, key: evaluator.gradients.get(node)?.name, gradient: true });
  }
  return { evaluator, written };
}

function withPassNodes(
  session: Session,
  shaped: ShapedNetwork,
  traceLevel: number,
): { root: NetworkNode; passNodes: readonly NetworkNode[]; shaped: ShapedNetwork } {
  const nodes = shaped.network.groups.output;
  const [output] = nodes;
  if (!output || nodes.length !== 1) {
    throw new CntkError({
      code: "unit-test-nodes",
      message: `Expected exactly 1 output node for unit test, got ${nodes.length}.`,
    });
  }
  const { previous, passNodes, root } = insertPassNodes(shaped, output);
  return { root, passNodes, shaped: shapeNetwork(session, previous.network, traceLevel, previous).shaped };
}
