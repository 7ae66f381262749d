import { parseInteger } from "../../config/index.js";
import type { CommandCall } from "./commands.js";
import { otherModel } from "./copy-commands.js";
import { editingProblem } from "./editing-problem.js";

/** `SetNodeInput (nodes, index, input)`. */
export function setInput({ models, parameters: [to, index, from], at }: CommandCall): void {
  const target = models.nodes(to!);
  const source = models.nodes(from!);
  const place = parseInteger(index!);
  if (target.model !== source.model) throw otherModel("SetNodeInput()", to!, from!, at);
  const [input, second] = source.nodes;
  if (!input || second) {
    throw editingProblem(
      "editing-node",
      `SetNodeInput() must have a single value input, ${from!.text} doesn't represent one item`,
      from!.spanOf(),
    );
  }
  source.model.description?.process(false);
  for (const node of target.nodes) {
    if (place < 0 || place >= node.inputs.length) {
      throw editingProblem(
        "editing-input",
        `Inputs: inputIndex ${place} is out of range for ${node.name} ${node.op.name} operation.`,
        index!.spanOf(),
        `it has ${node.inputs.length} inputs; the first one is 0`,
      );
    }
    node.inputs[place] = input;
  }
}

/** `SetNodeInputs (node, input, …)`. */
export function setInputs({ models, parameters: [to, ...from], at }: CommandCall): void {
  const { model, nodes } = models.nodes(to!);
  const [node, second] = nodes;
  if (!node || second) {
    throw editingProblem(
      "editing-node",
      `SetNodeInputs() must have exactly one target, ${to!.text} doesn't represent any node.`,
      to!.spanOf(),
    );
  }
  model.description?.process(false);
  const inputs = from.map((symbol) => {
    const source = models.nodes(symbol);
    if (source.model !== model) throw otherModel("SetNodeInputs()", to!, symbol, at);
    const [input, more] = source.nodes;
    if (input && !more) return input;
    throw editingProblem(
      "editing-node",
      "SetNodeInputs() each input node should be translated to one node name. " +
        `${symbol.text} is translated to multiple node names.`,
      symbol.spanOf(),
    );
  });
  if (node.inputs.length !== inputs.length && !node.op.variadic) {
    throw editingProblem(
      "editing-input",
      `${node.op.name} operation '${node.name}' expects ${node.inputs.length} inputs (given: ${inputs.length})`,
      at.spanOf(),
    );
  }
  node.inputs = inputs;
}
