import { type MappedText, parseBoolean, parseDouble } from "../../config/index.js";
import type { EditableNetwork } from "../../network/editable-network.js";
import type { NetworkNode, NodeGroup } from "../../network/network.js";
import { editingProblem } from "./editing-problem.js";
import { isWord } from "./words.js";

/** What SetProperty changes: a place in a group, how fast a parameter learns, or whether a node learns at all. */
type Property = NodeGroup | "learningRateMultiplier" | "needsGradient" | "recurrent" | "freezeParameters";

/** In CNTK's order: the first whose beginning is given counts. */
const properties: readonly (readonly [Property, readonly string[]])[] = [
  ["criterion", ["finalCriterion", "Criteria"]],
  ["evaluation", ["eval"]],
  ["needsGradient", ["needGradient", "needsGradient"]],
  ["needsGradient", ["computeGradient"]],
  ["criterion", ["criterion"]],
  ["evaluation", ["evaluation"]],
  ["feature", ["feature"]],
  ["label", ["label"]],
  ["learningRateMultiplier", ["learningRateMultiplier"]],
  ["output", ["output"]],
  ["recurrent", ["recurrent"]],
  ["freezeParameters", ["freezeParameters"]],
];

function propertyOf(name: MappedText): Property {
  const found = properties.find(([, words]) => isWord(name.text, ...words));
  if (found) return found[0];
  throw editingProblem(
    "editing-property",
    `Invalid property, ${name.text}, is not supported`,
    name.spanOf(),
    "criterion, evaluation, feature, label, output, learningRateMultiplier, needGradient, freezeParameters are",
  );
}

/** `SetProperty (nodes, property, value)`. */
export function setProperty(
  network: EditableNetwork,
  nodes: readonly NetworkNode[],
  name: MappedText,
  value: MappedText,
): void {
  const property = propertyOf(name);
  for (const node of nodes) {
    switch (property) {
      case "needsGradient":
        setMultiplier(node, parseBoolean(value) ? 1 : 0, value);
        break;
      case "learningRateMultiplier":
        setMultiplier(node, Math.fround(parseDouble(value)), value);
        break;
      case "recurrent":
        // CNTK takes it and does nothing.
        break;
      case "freezeParameters":
        freeze(node, parseBoolean(value), name);
        break;
      default:
        network.setMember(property, node, parseBoolean(value));
    }
  }
}

/** `SetPropertyForSubTree (nodes, property, value)`: of all parameters below. */
export function setPropertyBelow(
  parameters: readonly NetworkNode[],
  name: MappedText,
  value: MappedText,
): void {
  const isSwitch = isWord(name.text, "needGradient", "needsGradient") || isWord(name.text, "computeGradient");
  if (!isSwitch && !isWord(name.text, "learningRateMultiplier")) {
    throw editingProblem(
      "editing-property",
      `Invalid property, ${name.text}, is not supported`,
      name.spanOf(),
      "learningRateMultiplier and needGradient are",
    );
  }
  const multiplier = isSwitch ? (parseBoolean(value) ? 1 : 0) : Math.fround(parseDouble(value));
  for (const node of parameters) setMultiplier(node, multiplier, value);
}

/** Every node has a multiplier; only parameters and inputs keep it. */
function setMultiplier(node: NetworkNode, multiplier: number, value: MappedText): void {
  if (multiplier < 0) {
    throw editingProblem(
      "editing-property",
      `${node.name} ${node.op.name} operation: LearningRateMultiplier should be non-negative. ` +
        `You are trying to set it to ${multiplier}.`,
      value.spanOf(),
    );
  }
  if (node.op.role === "parameter" || node.op.role === "input")
    node.attributes = { ...node.attributes, learningRateMultiplier: multiplier };
}

/** A parameter stops learning, batch normalization keeps its statistics. */
function freeze(node: NetworkNode, isFrozen: boolean, name: MappedText): void {
  const isNormalization = node.op.name === "BatchNormalization";
  if (node.op.role !== "parameter" && !isNormalization) {
    throw editingProblem(
      "editing-property",
      `${node.name} (${node.op.name}) is not freezable.`,
      name.spanOf(),
      "parameters and BatchNormalization are",
    );
  }
  if (!isFrozen) return;
  const changes = isNormalization
    ? { normalizationTimeConstant: Infinity, blendTimeConstant: Infinity }
    : { learningRateMultiplier: 0 };
  node.attributes = { ...node.attributes, ...changes };
}
