import type { ViewParameter } from "../view-data.js";
import { histogramChart } from "./charts.js";
import { make, shortNumber } from "./elements.js";
import type { Item, NetworkTree } from "./network-tree.js";
import { weightPicture } from "./pictures.js";

export interface DetailEvents {
  readonly onSelect: (item: Item) => void;
  readonly onToggle: (group: number) => void;
}

/** What is beside the graph: all that is known of the selected item, or of the model. */
export function showDetails(
  host: HTMLElement,
  tree: NetworkTree,
  item: Item | undefined,
  events: DetailEvents,
): void {
  host.replaceChildren();
  host.scrollTop = 0;
  if (!item) host.append(...modelDetails(tree, events));
  else if (item.kind === "group") host.append(...groupDetails(tree, item.index, events));
  else nodeDetails(host, tree, item.index, events);
}

type Row = readonly [name: string, value: Node | string];

function table(rows: readonly Row[]): HTMLElement {
  return make("dl", {}, ...rows.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
}

function nodeLink(tree: NetworkTree, node: number, events: DetailEvents): HTMLElement {
  const { name, shape } = tree.node(node);
  const button = make(
    "button",
    { className: "link", onclick: () => events.onSelect({ kind: "node", index: node }) },
    name,
  );
  return make("div", {}, button, shape === "" ? "" : ` ${shape}`);
}

function nodeList(tree: NetworkTree, nodes: readonly number[], events: DetailEvents): HTMLElement {
  const most = 200;
  const rest = nodes.length > most ? [make("div", {}, `and ${nodes.length - most} more`)] : [];
  return make("div", {}, ...nodes.slice(0, most).map((node) => nodeLink(tree, node, events)), ...rest);
}

function modelDetails(tree: NetworkTree, events: DetailEvents): HTMLElement[] {
  const { data } = tree;
  const values = (learned: boolean): number =>
    data.parameters
      .filter((one) => one.learned === learned)
      .reduce((sum, { statistics }) => sum + statistics.count, 0);
  const listed = (list: string): number[] =>
    data.nodes.flatMap(({ lists }, index) => (lists.includes(list) ? [index] : []));
  const rows: Row[] = [
    ["nodes", shortNumber(data.nodes.length)],
    ["learned values", shortNumber(values(true))],
    ["other values", shortNumber(values(false))],
  ];
  for (const list of ["feature", "label", "criterion", "evaluation", "output"]) {
    const nodes = listed(list);
    if (nodes.length > 0) rows.push([`${list} nodes`, nodeList(tree, nodes, events)]);
  }
  const unknown =
    data.shapesUnknown === undefined
      ? []
      : [make("p", { className: "note" }, `Shapes of computed nodes are not known: ${data.shapesUnknown}`)];
  return [make("h2", {}, data.title), table(rows), ...unknown, help()];
}

function help(): HTMLElement {
  return make(
    "p",
    { className: "hint" },
    "Click a box to see what it is. Double-click a group (▸) to open it, or the frame of an open one to close it. Drag to move, turn the wheel to zoom. “/” searches.",
  );
}

function groupDetails(tree: NetworkTree, group: number, events: DetailEvents): HTMLElement[] {
  const isOpen = tree.open.has(group);
  const nodes = tree.nodesIn(group);
  const toggle = make(
    "button",
    { onclick: () => events.onToggle(group) },
    isOpen ? "Close this group" : "Open this group",
  );
  toggle.id = "toggle-group";
  return [
    make("h2", {}, tree.group(group).label),
    make("p", {}, toggle),
    table([
      ["nodes", shortNumber(nodes.length)],
      ["values", shortNumber(tree.valuesIn(group))],
      ["holds", nodeList(tree, nodes, events)],
    ]),
  ];
}

function nodeDetails(host: HTMLElement, tree: NetworkTree, index: number, events: DetailEvents): void {
  const node = tree.node(index);
  const rows: Row[] = [["operation", node.operation]];
  if (node.shape !== "") rows.push(["shape", node.shape]);
  if (node.lists.length > 0) rows.push(["listed as", node.lists.join(", ")]);
  if (node.inputs.length > 0) rows.push(["inputs", nodeList(tree, node.inputs, events)]);
  const users = tree.usersOf(index);
  if (users.length > 0) rows.push(["used by", nodeList(tree, users, events)]);
  for (const [name, value] of node.attributes) rows.push([name, value]);
  const describe = node.describe === "" ? [] : [make("p", { className: "hint" }, node.describe)];
  host.append(make("h2", {}, node.name), ...describe, table(rows));
  const shown = [index, ...tree.foldedInputs(index)];
  for (const one of shown) {
    const parameter = tree.parameterOf(one);
    if (parameter) parameterDetails(host, tree.node(one).name, tree.node(one).shape, parameter);
  }
}

/** Values of a parameter: statistics, histogram, picture. */
function parameterDetails(
  host: HTMLElement,
  name: string,
  shape: string,
  { statistics, learned, picture }: ViewParameter,
): void {
  const { count, notFinite, least, largest, mean, deviation } = statistics;
  const section = make("section", { className: "parameter" }, make("h3", {}, `${name} ${shape}`));
  host.append(section);
  if (count === 1) {
    section.append(make("p", {}, `value ${shortNumber(least)}${learned ? ", learned" : ", not learned"}`));
    return;
  }
  section.append(
    make(
      "p",
      {},
      `${shortNumber(count)} values from ${shortNumber(least)} to ${shortNumber(largest)}, mean ${shortNumber(mean)}, ` +
        `standard deviation ${shortNumber(deviation)}${learned ? "" : "; not learned"}`,
    ),
  );
  if (notFinite > 0)
    section.append(make("p", { className: "note" }, `${shortNumber(notFinite)} of them are not finite`));
  const chart = make("div", { className: "chart" });
  section.append(chart);
  if (statistics.histogram.length > 0) histogramChart(chart, statistics);
  if (picture) section.append(weightPicture(picture, section.clientWidth));
}
