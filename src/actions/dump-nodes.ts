import type { ConfigSection } from "../config/config-section.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import { dumpNodes } from "../model-files/index.js";
import { findNode } from "../network/find-node.js";
import type { NetworkNode } from "../network/network.js";
import { wholeNamePattern } from "../network/name-pattern.js";
import type { Session } from "../session.js";
import type { Action } from "./action.js";
import { viewedNetwork } from "./loaded-network.js";
import { writeText } from "./text-output.js";

interface DumpOptions {
  readonly modelPath: string;
  readonly nodeName: string;
  readonly nodeNameRegex: string;
  readonly outputFile: string;
  readonly printValues: boolean;
  readonly printMetadata: boolean;
}

/** Action `dumpNode`: nodes of a model file as text (ActionsLib/TrainActions.cpp, DoDumpNodes). */
export const dumpNodesAction: Action = {
  run(session, { section }) {
    const options = readOptions(section);
    const { network, facts, elementType } = viewedNetwork(session, options.modelPath);
    // CNTK keeps the nodes of a network by name; so does a model file.
    const nodes = chosenNodes(session, network.nodes, options);
    const { printValues, printMetadata } = options;
    const pieces = dumpNodes({
      nodes,
      facts,
      values: network.values,
      elementType,
      printValues,
      printMetadata,
    });
    writeText(session, options.outputFile, pieces);
    return Promise.resolve({});
  },
  check(session, { section }) {
    const options = readOptions(section);
    const { network } = viewedNetwork(session, options.modelPath);
    chosenNodes(session, network.nodes, options);
    return Promise.resolve();
  },
};

function readOptions(section: ConfigSection): DumpOptions {
  const modelPath = section.string("modelPath");
  const nodeName = section.string("nodeName", "__AllNodes__");
  const options: DumpOptions = {
    modelPath,
    nodeName,
    nodeNameRegex: section.string("nodeNameRegex", ""),
    outputFile: section.string("outputFile", `${modelPath}.${nodeName}.txt`),
    printValues: section.boolean("printValues", true),
    printMetadata: section.boolean("printMetadata", true),
  };
  if (options.printValues || options.printMetadata) return options;
  throw new CntkError({
    code: "nothing-to-dump",
    message: "printValues and printMetadata: Since both are set to false, there will be nothing to dump",
    span: section.keySpan("printMetadata"),
  });
}

/** One node, those that match, or all: also where there is none of the name, and by default through the same door. */
function chosenNodes(
  { log }: Session,
  nodes: readonly NetworkNode[],
  { nodeName, nodeNameRegex, outputFile, printValues }: DumpOptions,
): readonly NetworkNode[] {
  if (nodeNameRegex !== "") {
    const pattern = wholeNamePattern(nodeNameRegex);
    const matching = nodes.filter(({ name }) => pattern.test(name));
    log.write(`DumpNodeInfo: ${matching.length} nodes matching RegEx(${nodeNameRegex}): \n`);
    for (const { name } of matching) log.write(`\t${name}\n`);
    log.write(
      `DumpNodeInfo: dumping node info (${printValues ? "with" : "without"} printing values) to ${outputFile}\n`,
    );
    return matching;
  }
  const node = findNode(nodes, nodeName);
  if (node) return [node];
  log.write(`Warning: node name '${nodeName}' does not exist in the network. dumping all nodes instead.\n`);
  return nodes;
}
