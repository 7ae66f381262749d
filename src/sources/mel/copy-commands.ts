import type { MappedText } from "../../config/index.js";
import { depthFirstOrder } from "../../network/node-order.js";
import type { NetworkNode } from "../../network/network.js";
import { type EditableNetwork, linkToNothing } from "../../network/editable-network.js";
import type { CommandCall } from "./commands.js";
import { editingProblem } from "./editing-problem.js";
import { copiedParts } from "./options.js";

/** Where a node was copied to. */
type Copies = ReadonlyMap<NetworkNode, NetworkNode>;

/** `CopyNode (from, to, [copy])`: nodes, and the links among them. */
export function copyNodes({ models, parameters: [from, to, ...options] }: CommandCall): void {
  const parts = copiedParts(options);
  const { from: source, to: target, names } = models.renamed(from!, to!);
  source.description?.process(true);
  target.description?.process(true);
  const copies = new Map<NetworkNode, NetworkNode>();
  for (const { node, name } of names) {
    const values = source.network.values.get(node);
    copies.set(node, target.network.copy(node, values, name, parts === "all" ? "value" : parts));
  }
  if (parts === "all") linkCopies(copies, (input) => copies.get(input));
}

/** `CopySubTree (from, model, prefix, [copy])`: nodes and all below them, under their names behind a prefix. */
export function copySubTree({ models, parameters: [from, to, prefix, ...options] }: CommandCall): void {
  const parts = copiedParts(options);
  const { model: source, nodes } = models.nodes(from!);
  const target = models.find(to!.text) ?? models.requireDefault(to!);
  source.description?.process(true);
  target.description?.process(true);
  for (const root of nodes) {
    const copies = new Map<NetworkNode, NetworkNode>();
    for (const node of depthFirstOrder([root])) {
      const values = source.network.values.get(node);
      copies.set(node, target.network.copy(node, values, `${prefix!.text}${node.name}`, "value"));
    }
    if (parts === "all") linkCopies(copies, (input) => copies.get(input));
  }
}

function linkCopies(copies: Copies, copyOf: (input: NetworkNode) => NetworkNode | undefined): void {
  for (const [node, copy] of copies) {
    copy.inputs = node.inputs.map((input) => {
      const target = copyOf(input);
      if (target) return target;
      throw linkToNothing(
        `'${input.name}', an input of '${node.name}', is not copied along: CopySubTree does that`,
      );
    });
  }
}

/** `CopyNodeInputs (from, to)`: the links of one node for another one of the same model. */
export function copyInputs({ models, parameters: [from, to], at }: CommandCall): void {
  const { from: source, to: target, names } = models.renamed(from!, to!);
  if (source !== target) throw otherModel("CopyInputs", from!, to!, at);
  source.description?.process(true);
  for (const { node, name } of names) target.network.copy(node, undefined, name, "links");
}

/** `Rename (from, to)`. */
export function renameNodes({ models, parameters: [from, to], at }: CommandCall): void {
  const { from: source, to: target, names } = models.renamed(from!, to!);
  if (source !== target) throw otherModel("CopyInputs", from!, to!, at);
  source.description?.process(true);
  for (const { node, name } of names) target.network.rename(node, name);
}

/** `RemoveNode (nodes, …)`: nodes that nothing uses. */
export function removeNodes({ models, parameters }: CommandCall): void {
  const processed = new Set<EditableNetwork>();
  for (const symbol of parameters) {
    const { model, nodes } = models.nodes(symbol);
    if (!processed.has(model.network)) model.description?.process(true);
    processed.add(model.network);
    for (const node of nodes) model.network.remove(node);
  }
}

export function otherModel(command: string, from: MappedText, to: MappedText, at: MappedText): Error {
  return editingProblem(
    "editing-model",
    `${command} requires two symbols from the same network, ${from.text} and ${to.text} belong to different networks`,
    at.spanOf(),
  );
}
