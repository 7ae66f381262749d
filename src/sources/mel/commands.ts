import type { MappedText } from "../../config/index.js";
import { didYouMean } from "../../diagnostics/suggest.js";
import { elementCount, type NetworkNode } from "../../network/network.js";
import { depthFirstOrder } from "../../network/node-order.js";
import { copyInputs, copyNodes, copySubTree, removeNodes, renameNodes } from "./copy-commands.js";
import { editingProblem } from "./editing-problem.js";
import { setInput, setInputs } from "./link-commands.js";
import type { ModelSet } from "./model-set.js";
import { includesData, isLegacyFormat, sectionName } from "./options.js";
import { setProperty, setPropertyBelow } from "./properties.js";
import type { EditingServices } from "./services.js";
import { isWord } from "./words.js";

/** A command with its parameters. */
export interface CommandCall {
  readonly models: ModelSet;
  readonly services: EditingServices;
  /** As many as the command demands at least. */
  readonly parameters: readonly MappedText[];
  /** The statement. */
  readonly at: MappedText;
}

interface EditingCommand {
  /** The name; half of it is enough. */
  readonly words: readonly string[];
  readonly least: number;
  readonly most: number;
  /** CNTK's words for a wrong number of parameters. */
  readonly usage: string;
  run(call: CommandCall): void;
}

/** In CNTK's order: of several commands that begin alike the first one is meant (ModelEditLanguage.cpp, CallFunction). */
const commands: readonly EditingCommand[] = [
  {
    words: ["CreateModelWithName"],
    least: 1,
    most: 1,
    usage:
      "Valid parameters: CreateModelWithName(modelName). newly created model always becomes the new default.",
    run: ({ models, services, parameters: [name] }) => models.enter(name!.text, services.newModel()),
  },
  {
    words: ["LoadModel"],
    least: 1,
    most: 2,
    usage:
      "Valid parameters: LoadModel(modelFileName, [format=cntk]). newly loaded model always becomes the new default.",
    run({ models, services, parameters: [path, ...options] }) {
      isLegacyFormat(options);
      models.enter("default", services.load(path!.text, false));
    },
  },
  {
    words: ["LoadModelWithName"],
    least: 2,
    most: 3,
    usage:
      "Valid parameters: LoadModelWithName(modelName, modelFileName, [format=cntk]). newly loaded model always becomes the new default.",
    run({ models, services, parameters: [name, path, ...options] }) {
      models.enter(name!.text, services.load(path!.text, isLegacyFormat(options)));
    },
  },
  {
    words: ["LoadNDLSnippet"],
    least: 2,
    most: 3,
    usage: "Valid parameters: LoadNDLSnippet(modelName, ndlsnippet).",
    run({ models, services, parameters: [name, path, ...options] }) {
      const network = services.newModel();
      services.describeFile(network, path!, sectionName(options));
      models.enter(name!.text, network);
    },
  },
  {
    words: ["SaveDefaultModel"],
    least: 1,
    most: 2,
    usage: "Valid parameters: SaveDefaultModel(modelFileName, [format=cntk]).",
    run({ models, services, parameters: [path, ...options], at }) {
      isLegacyFormat(options);
      const { network, description } = models.requireDefault(at);
      description?.process(true);
      services.save(network, path!.text);
    },
  },
  {
    words: ["SaveModel"],
    least: 2,
    most: 3,
    usage: "Valid parameters: SaveModel(modelName, modelFileName, [format=cntk]).",
    run({ models, services, parameters: [name, path, ...options] }) {
      isLegacyFormat(options);
      const model = models.find(name!.text);
      if (!model) {
        throw editingProblem(
          "editing-model",
          `SaveModel can only be called after a network has been setup, no active model named ${name!.text}.`,
          name!.spanOf(),
        );
      }
      model.description?.process(true);
      services.save(model.network, path!.text);
    },
  },
  {
    words: ["SetDefaultModel"],
    least: 1,
    most: 1,
    usage: "Valid parameters: SetDefaultModel(modelName)",
    run: ({ models, parameters: [name] }) => models.makeDefault(name!),
  },
  {
    words: ["UnloadModel"],
    least: 0,
    most: Infinity,
    usage: "",
    run({ models, parameters }) {
      for (const name of parameters) models.remove(name.text);
    },
  },
  {
    words: ["DumpModel", "Dump"],
    least: 2,
    most: 3,
    usage: "Valid parameters: DumpNetwork(modelName, fileName, [includeData=false|true])",
    run({ models, services, parameters: [name, path, ...options] }) {
      const includeValues = includesData(options);
      const model = models.find(name!.text);
      if (!model) {
        throw editingProblem(
          "editing-model",
          `Model ${name!.text} does not exist. Cannot dump non-existant model.`,
          name!.spanOf(),
        );
      }
      model.description?.process(true);
      services.dump(model.network, model.network.nodes, includeValues, path!.text);
    },
  },
  {
    words: ["DumpNode"],
    least: 2,
    most: 3,
    usage: "Valid parameters: DumpNode(nodeName, fileName, [includeData=false|true])",
    run({ models, services, parameters: [symbol, path, ...options] }) {
      const includeValues = includesData(options);
      const { model, nodes } = models.nodes(symbol!);
      model.description?.process(true);
      services.dump(model.network, nodes, includeValues, path!.text);
    },
  },
  {
    words: ["CopyNode", "Copy"],
    least: 2,
    most: 3,
    usage: "Valid parameters are: CopyNode(fromNode, toNode, [copy=all|value])",
    run: copyNodes,
  },
  {
    words: ["CopySubTree"],
    least: 3,
    most: 4,
    usage: "Valid parameters are: CopySubTree(fromNode, toNetwork, toNodeNamePrefix, [copy=all|value])",
    run: copySubTree,
  },
  {
    words: ["CopyNodeInputs", "CopyInputs"],
    least: 2,
    most: 2,
    usage: "Valid parameters are: CopyNodeInputs(fromNode, toNode)",
    run: copyInputs,
  },
  {
    words: ["SetNodeInput", "SetInput"],
    least: 3,
    most: 3,
    usage: "Valid parameters are: SetNodeInput(toNode, inputID(0-based), inputNodeName)",
    run: setInput,
  },
  {
    words: ["SetNodeInputs", "SetInputs"],
    least: 2,
    most: 4,
    usage: "Valid parameters are: SetNodeInputs(toNode, inputNodeName1, [inputNodeName2, inputNodeName3])",
    run: setInputs,
  },
  {
    words: ["SetProperty"],
    least: 3,
    most: 3,
    usage: "Valid parameters are: SetProperty(toNode, propertyName, propertyValue)",
    run({ models, parameters: [symbol, name, value] }) {
      const { model, nodes } = models.nodes(symbol!);
      setProperty(model.network, nodes, name!, value!);
    },
  },
  {
    words: ["SetPropertyForSubTree"],
    least: 3,
    most: 3,
    usage: "Valid parameters are: SetPropertyForSubTree(rootNodeName, propertyName, propertyValue)",
    run({ models, parameters: [symbol, name, value] }) {
      const { model, nodes } = models.nodes(symbol!);
      model.description?.process(false);
      setPropertyBelow(depthFirstOrder(nodes).filter(isParameter), name!, value!);
    },
  },
  {
    words: ["RemoveNode", "Remove", "DeleteNode", "Delete"],
    least: 0,
    most: Infinity,
    usage: "",
    run: removeNodes,
  },
  {
    words: ["Rename"],
    least: 2,
    most: 2,
    usage: "Valid parameters are Rename(oldNodeName, newNodeName)",
    run: renameNodes,
  },
  {
    words: ["ReviseParameter"],
    least: 2,
    most: 2,
    usage: "Valid parameters are: ReviseParameter(nodeName, nodeParametersInASCIIPathName)",
    run: reviseParameters,
  },
];

const isParameter = ({ op }: NetworkNode): boolean => op.role === "parameter";

function reviseParameters({ models, services, parameters: [symbol, path] }: CommandCall): void {
  const { model, nodes } = models.nodes(symbol!);
  for (const node of nodes) {
    if (!isParameter(node)) {
      services.log(
        `WARNING: you want to change the parameter of node (${node.name}), but it is not a learnable parameter ` +
          `(it is a ${node.op.name} node). Skipping this node\n`,
      );
      continue;
    }
    const shape = (node.attributes["shape"] ?? []) as readonly number[];
    const values = services.readMatrix(path!.text, shape[0] ?? 1, elementCount(shape.slice(1)));
    model.network.values.set(node, values);
    services.log(`Revise node ${node.name} using parameter file ${path!.text}\n`);
  }
}

/** Carries out a command. Throws CntkError for one that is not there, and for a wrong number of parameters. */
export function runCommand(name: MappedText, call: CommandCall): void {
  const command = commands.find(({ words }) => isWord(name.text, ...words));
  if (!command) {
    const names = commands.flatMap(({ words }) => words);
    throw editingProblem(
      "editing-command",
      `Unknown Editor function ${name.text}`,
      name.spanOf(),
      didYouMean(name.text, names),
    );
  }
  const { length } = call.parameters;
  if (length < command.least || length > command.most) {
    const hasBracket = call.parameters.some(({ text }) => text.includes("["));
    throw editingProblem(
      "editing-parameters",
      `Invalid number of parameters. ${command.usage}`,
      call.at.spanOf(),
      hasBracket
        ? "a name with a [ takes the comma behind it along: write a pattern such as name*.b"
        : undefined,
    );
  }
  command.run(call);
}
