import type { NetworkNode, NodeGroup, ShapedNetwork } from "./network.js";

/** How CNTK draws special nodes, in the order in which it lists them. */
const styles: readonly (readonly [
  style: string,
  members: (shaped: ShapedNetwork) => readonly NetworkNode[],
])[] = [
  [
    'node [ shape = box     , color = gray , style = "filled, rounded"  ]; ',
    ({ network }) => network.nodes.filter(({ op }) => op.role === "parameter"),
  ],
  ["node [ shape = ellipse , color = red  , fillcolor = white ]; ", ({ network }) => network.groups.feature],
  ["node [ shape = diamond, color = brown, style = bold ] ;  ", ({ network }) => network.groups.label],
  [
    "node [ shape = doublecircle , color =  red , fillcolor = white  ]; ",
    ({ network }) => network.groups.criterion,
  ],
  [
    'node [ shape = box    , color = black, style = "dashed, filled",  fillcolor= limegreen ] ;',
    ({ network }) => network.nodes.filter(({ op }) => op.role === "precompute"),
  ],
  [
    'node [ shape = box3d  , color = lightgray, style = "filled" , fillcolor = white ] ',
    ({ network }) => network.nodes.filter(({ op }) => op.delay === 1),
  ],
  [
    'node [ shape = box3d  , color = red, style = "filled" , fillcolor = white ] ',
    ({ network }) => network.nodes.filter(({ op }) => op.delay === -1),
  ],
];

const normalStyle = "node [ shape = ellipse, color = blue, fillcolor = white, style = solid ]; ";

/** CNTK walks the groups in this order. */
const groupOrder: readonly NodeGroup[] = ["feature", "label", "criterion", "evaluation", "output"];

/**
 * A network in Graphviz's language, byte for byte as CNTK writes it: every piece that it writes begins with a blank
 * (ComputationNetwork.cpp, DescribeNetworkUsingDot). Arcs into delays stand as boxes beside the graph.
 */
export function dotText(shaped: ShapedNetwork): string {
  const { nodes, groups } = shaped.network;
  const pieces = ["strict digraph {\n", "rankdir = BT ;  \n", "// special nodes \n"];
  for (const [style, members] of styles) {
    const list = members(shaped);
    pieces.push(list.length > 0 ? `${style}${quotedNames(list)}; \n` : "");
  }
  pieces.push(normalStyle, "\n", "\n// add labels and operation name\n");
  for (const node of nodes) pieces.push(labelled(node, shaped));
  pieces.push("subgraph {\n", "\t\t rank=source ; ", quotedNames(groups.feature), "\n}\n");
  const sinks = [...groups.criterion, ...groups.output, ...groups.evaluation];
  pieces.push("subgraph {\n", "\t\t rank=sink ; ", quotedNames(sinks), "\n}\n");
  for (const [user, input] of arcs(shaped)) pieces.push(arc(user, input));
  pieces.push("\n}\n");
  return pieces.map((piece) => ` ${piece}`).join("");
}

const quoted = (text: string): string => `"${text.replaceAll('"', '\\"')}"`;

function quotedNames(nodes: readonly NetworkNode[]): string {
  return nodes.map(({ name }) => `${quoted(name)} `).join("");
}

function labelled(node: NetworkNode, { facts }: ShapedNetwork): string {
  const { shape = [], dynamicAxis } = facts.get(node) ?? {};
  const dims = `${shape.join(" x ")}${dynamicAxis ? " x *" : ""}`;
  return ` ${quoted(node.name)} [ label = "${node.name} [${dims}]\\n${node.op.name}" ] ;\n`;
}

type Arc = readonly [user: NetworkNode, input: NetworkNode];

/** All links below the groups' nodes, as CNTK's walk meets them: inputs first to last, the last one entered first. */
function arcs({ network: { groups } }: ShapedNetwork): Arc[] {
  const found: Arc[] = [];
  const visited = new Set<NetworkNode>();
  for (const root of groupOrder.flatMap((group) => groups[group])) {
    const stack = [root];
    for (let node = stack.pop(); node; node = stack.pop()) {
      if (visited.has(node)) continue;
      for (const input of node.inputs) {
        found.push([node, input]);
        if (!visited.has(input)) stack.push(input);
      }
      visited.add(node);
    }
  }
  return found;
}

function arc(user: NetworkNode, input: NetworkNode): string {
  const { delay } = input.op;
  if (delay === undefined) return `${quoted(input.name)} -> ${quoted(user.name)} ; \n`;
  const dummy = quoted(`${input.name}.dummy`);
  const [color, word] = delay === 1 ? ["lightgray", "PastValue"] : ["red", "FutureValue"];
  const box = `node [ shape = box3d  , color = ${color}, style = "filled" , label = "${input.name}\\n(${word})" ] ; `;
  return `${box}${dummy}\n${dummy} -> ${quoted(user.name)} ; \n`;
}
