import { didYouMean, suggest } from "../../diagnostics/suggest.js";
import type { MisspeltGroup, NodeGroup } from "../../network/network.js";
import { scriptProblem } from "./read-statement.js";
import type { ScriptNetwork } from "./script-network.js";
import type { ScriptNode } from "./script-node.js";
import type { Script } from "./script.js";

const groups: readonly NodeGroup[] = ["feature", "label", "criterion", "evaluation", "output"];

/** Names that list the nodes of a group, in CNTK's order; the last one is an older name. */
const lists: readonly (readonly [name: string, group: NodeGroup])[] = [
  ["featureNodes", "feature"],
  ["labelNodes", "label"],
  ["criterionNodes", "criterion"],
  ["evalNodes", "evaluation"],
  ["outputNodes", "output"],
  ["criteriaNodes", "criterion"],
];

/** Puts a node into the groups that `tag = …` asks for (ProcessOptionalParameters). Throws CntkError `unknown-tag`. */
export function addTaggedNode(call: ScriptNode, network: ScriptNetwork): void {
  for (const argument of call.args) {
    if (argument.kind !== "option" || argument.name.toLowerCase() !== "tag") continue;
    const word = argument.value.text.toLowerCase();
    // No longer needed, and passed over by CNTK too.
    if (word === "multiseq") continue;
    const group = groupOf(word);
    if (group === undefined) {
      throw scriptProblem(
        "unknown-tag",
        `Invalid group tag '${word}', must be one of 'feature', 'label', 'criterion', 'evaluation', 'output'.`,
        argument.span,
        didYouMean(word, groups),
      );
    }
    if (call.node) network.addToGroup(group, call.node);
  }
}

/** CNTK looks at the first four letters of an evaluation's tag only. */
function groupOf(word: string): NodeGroup | undefined {
  if (word === "criteria") return "criterion";
  if (word.startsWith("eval")) return "evaluation";
  return groups.find((group) => group === word);
}

/** Fills the groups that a script lists: `OutputNodes = (z)` (NDLUtil.h, SetOutputNodes). Throws CntkError `script-groups`. */
export function addListedNodes(script: Script, network: ScriptNetwork): void {
  for (const [name, group] of lists) {
    const listed = script.find(name);
    const kinds = ["array", "function", "macroCall"];
    if (!network.hasFeatures() && !(listed && kinds.includes(listed.kind))) {
      throw scriptProblem(
        "script-groups",
        `Invalid network node definition for '${name}', nonexistant or wrong type`,
        listed?.span ?? script.statements[0]?.span ?? noPlace,
        group === "feature"
          ? 'FeatureNodes = (x) lists the inputs with the data, or their calls say tag = "feature"'
          : undefined,
      );
    }
    if (!listed) continue;
    for (const node of listed.kind === "array" ? listed.positional : [listed]) {
      if (!node.node) {
        throw scriptProblem(
          "script-groups",
          `Invalid node '${node.name}' as a(n) ${group} node, nonexistant or wrong type`,
          node.span,
          didYouMean(
            node.name,
            script.names.filter((known) => known !== node.name),
          ),
        );
      }
      network.addToGroup(group, node.node);
    }
  }
}

const noPlace = { source: { name: "<network description>", text: "" }, start: 0, end: 0 };

/** Names of a script that look like misspelt lists of nodes. */
export function misspeltGroups(script: Script): MisspeltGroup[] {
  const known = lists.map(([name]) => name);
  return script.names.flatMap((name) => {
    if (known.some((list) => list.toLowerCase() === name.toLowerCase())) return [];
    const node = script.find(name);
    if (node?.kind !== "array") return [];
    const meant = name.toLowerCase() === "evaluationnodes" ? "evalNodes" : suggest(name, known);
    const group = lists.find(([list]) => list === meant)?.[1];
    return meant === undefined || group === undefined ? [] : [{ name, group, meant, span: node.span }];
  });
}
