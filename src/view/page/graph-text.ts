import { shortNumber } from "./elements.js";
import type { Item, NetworkTree } from "./network-tree.js";

const longestName = 44;
const mostOperations = 3;

/** The network as it is to be seen, in Graphviz's language; ids are `n5` of nodes, `g2` of groups, open ones or closed. */
export function graphText(tree: NetworkTree): string {
  const lines = [
    "digraph {",
    'graph [rankdir=TB, ranksep=0.28, nodesep=0.22, bgcolor="transparent", fontname="Helvetica,Arial,sans-serif", fontsize=11]',
    'node [shape=box, style="rounded,filled", fontname="Helvetica,Arial,sans-serif", fontsize=12, margin="0.14,0.06", height=0.1]',
    "edge [arrowsize=0.6]",
    ...membersText(tree, 0),
    ...edgesText(tree),
    "}",
  ];
  return lines.join("\n");
}

function membersText(tree: NetworkTree, group: number): string[] {
  const { nodes } = tree.group(group);
  const lines = nodes.map((node) => nodeText(tree, node, group));
  for (const inner of tree.groupsIn(group)) {
    if (!tree.open.has(inner)) lines.push(closedText(tree, inner, group));
    else {
      const label = quoted(cut(tree.shortName(tree.group(inner).label, group)));
      lines.push(
        `subgraph cluster_${inner} { id="g${inner}"; class="group open"; style=rounded; label=${label}; labeljust=l;`,
        ...membersText(tree, inner),
        "}",
      );
    }
  }
  return lines;
}

function nodeText(tree: NetworkTree, node: number, group: number): string {
  const { name, operation, shape, kind, parameter } = tree.node(node);
  const lines = [cut(tree.shortName(name, group)), operation];
  if (shape !== "") lines.push(shape);
  const inside = tree.foldedInputs(node).map((input) => {
    const short = tree.node(input).name.split(".").at(-1) ?? "";
    return `${short} ${tree.node(input).shape}`;
  });
  if (inside.length > 0) lines.push(cut(inside.slice(0, 2).join(", ") + (inside.length > 2 ? ", …" : "")));
  const kinds = parameter === undefined ? kind : `${kind} values`;
  return box(`n${node}`, `node ${kinds}`, lines);
}

/** A closed group tells what is in it and what comes out. */
function closedText(tree: NetworkTree, group: number, around: number): string {
  const nodes = tree.nodesIn(group);
  const counts = new Map<string, number>();
  for (const node of nodes) {
    const { operation } = tree.node(node);
    counts.set(operation, (counts.get(operation) ?? 0) + 1);
  }
  const operations = [...counts.keys()];
  const values = tree.valuesIn(group);
  const inside = new Set(nodes);
  const out = nodes.filter((node) => {
    const users = tree.usersOf(node);
    return users.length === 0 || users.some((user) => !inside.has(user));
  });
  const shapes = [...new Set(out.map((node) => tree.node(node).shape))].filter((shape) => shape !== "");
  return box(`g${group}`, "group closed", [
    `▸ ${cut(tree.shortName(tree.group(group).label, around))}`,
    cut(operations.slice(0, mostOperations).join(", ") + (operations.length > mostOperations ? ", …" : "")),
    `${nodes.length} nodes${values > 0 ? `, ${shortNumber(values)} parameters` : ""}`,
    ...(shapes.length > 0 ? [`${shapes.slice(0, 2).join(", ")}${shapes.length > 2 ? ", …" : ""}`] : []),
  ]);
}

const box = (id: string, kind: string, lines: readonly string[]): string =>
  `${id} [id="${id}", class="${kind}", label=${quoted(lines.join("\n"))}, tooltip=" "]`;

/** Each link once between what is seen of its ends; into delays they go backwards in time, and so they do where groups are mixed. */
function edgesText(tree: NetworkTree): string[] {
  const idOf = ({ kind, index }: Item): string => `${kind === "node" ? "n" : "g"}${index}`;
  const edges = new Map<string, string>();
  const first = new Map<string, number>();
  const seen = tree.data.nodes.map((_, node) =>
    tree.isFolded(node) ? "" : idOf(tree.seen({ kind: "node", index: node })),
  );
  seen.forEach((id, node) => first.has(id) || first.set(id, node));
  tree.data.nodes.forEach(({ inputs, kind }, user) => {
    const to = seen[user] ?? "";
    for (const input of to === "" ? [] : inputs) {
      const from = seen[input] ?? "";
      const edge = `${from} -> ${to}`;
      if (from === "" || from === to) continue;
      const isBackward = (first.get(from) ?? 0) > (first.get(to) ?? 0);
      const place = isBackward ? ", constraint=false" : "";
      if (kind !== "delay") edges.set(edge, ` [tooltip=" "${place}]`);
      else if (!edges.has(edge)) edges.set(edge, ` [class="loop", style=dashed${place}]`);
    }
  });
  return Array.from(edges, ([edge, attributes]) => edge + attributes);
}

/** Long texts lose their middle; rows of arguments, CNTK's `.x.x.x.x`, are counted. */
function cut(whole: string): string {
  const text = whole.replace(/(?:\.x){4,}/g, (row) => `.x×${row.length / 2}`);
  if (text.length <= longestName) return text;
  const half = Math.floor(longestName / 2);
  return `${text.slice(0, half)}…${text.slice(1 - half)}`;
}

/** Text of a label: Graphviz reads entities and escapes in it. */
function quoted(text: string): string {
  const escaped = text
    .replaceAll("&", "&amp;")
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll("\n", "\\n");
  return `"${escaped}"`;
}
