import type { ViewData } from "../view-data.js";
import { showDetails } from "./details.js";
import { byId, make } from "./elements.js";
import { GraphView } from "./graph-view.js";
import { type Item, NetworkTree } from "./network-tree.js";
import { attachSearch } from "./search.js";
import { showParameters, showTrainings } from "./tabs.js";

/** Boxes that "open all" shows at most: the layout takes seconds beyond. */
const mostShown = 700;

const data = JSON.parse(byId("data").textContent ?? "") as ViewData;
const tree = new NetworkTree(data);
const [graph, details, status] = [byId("graph"), byId("details"), byId("status")];
const tabs = ["graph", "parameters", "training"] as const;
type Tab = (typeof tabs)[number];
let selected: Item | undefined;
let tab: Tab = "graph";

const view = new GraphView(graph, tree, {
  onSelect: (item) => select(item),
  onToggle: (group) => void toggle(group),
});

/** Says what is done, lets the browser show it, and does it. */
async function redraw(focus?: Item, note = ""): Promise<void> {
  status.textContent = "laying out …";
  await new Promise((resolve) => setTimeout(resolve, 20));
  try {
    await view.draw(focus);
    status.textContent = note;
  } catch (error) {
    status.textContent = `The graph could not be drawn: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function select(item: Item | undefined): void {
  selected = item;
  view.select(item);
  showDetails(details, tree, item, {
    onSelect: (other) => void goTo(other),
    onToggle: (group) => void toggle(group),
  });
  const name = item && (item.kind === "node" ? tree.node(item.index).name : "");
  history.replaceState(null, "", name ? `#${encodeURIComponent(name)}` : location.pathname + location.search);
}

async function toggle(group: number): Promise<void> {
  const wasOpen = tree.open.has(group);
  if (wasOpen) tree.open.delete(group);
  else tree.reveal({ kind: "group", index: group });
  if (!wasOpen) tree.open.add(group);
  await redraw({ kind: "group", index: group });
  select({ kind: "group", index: group });
}

/** Shows an item in the graph, wherever it is. */
async function goTo(item: Item): Promise<void> {
  show("graph");
  const seen = tree.seen(item);
  tree.reveal(item);
  const now = tree.seen(item);
  if (seen.kind !== now.kind || seen.index !== now.index) await redraw(now);
  select(item);
  view.centre(item);
}

function show(next: Tab): void {
  tab = next;
  for (const name of tabs) {
    byId(`${name}-tab`).setAttribute("aria-selected", String(name === next));
    byId(`${name}-panel`).hidden = name !== next;
  }
  if (next === "parameters") showParameters(byId("parameters-panel"), tree, (item) => void goTo(item));
  if (next === "training") showTrainings(byId("training-panel"), tree);
}

function setTheme(theme: string): void {
  document.documentElement.dataset["theme"] = theme;
  // Charts are drawn in the theme's colours.
  showDetails(details, tree, selected, {
    onSelect: (other) => void goTo(other),
    onToggle: (group) => void toggle(group),
  });
  show(tab);
}

function attachButtons(): void {
  const actions: Record<string, () => void> = {
    "zoom-in": () => view.zoom(1),
    "zoom-out": () => view.zoom(-1),
    fit: () => view.fit(),
    "open-all": () => {
      const closed = tree.openAll(mostShown);
      void redraw(
        undefined,
        closed > 0 ? `${closed} groups stay closed: more than ${mostShown} boxes cannot be seen` : "",
      );
    },
    "close-all": () => {
      tree.closeAll();
      void redraw();
    },
    theme: () => setTheme(document.documentElement.dataset["theme"] === "dark" ? "light" : "dark"),
  };
  for (const [id, action] of Object.entries(actions)) byId(id).addEventListener("click", action);
  for (const name of tabs) byId(`${name}-tab`).addEventListener("click", () => show(name));
  byId("training-tab").hidden = data.trainings.length === 0;
}

/** The node that the address names. */
function addressed(): Item | undefined {
  const name = decodeURIComponent(location.hash.slice(1)).toLowerCase();
  const index = name === "" ? -1 : data.nodes.findIndex((node) => node.name.toLowerCase() === name);
  return index < 0 ? undefined : { kind: "node", index };
}

const field = byId("search") as HTMLInputElement;
attachButtons();
attachSearch(field, byId("found"), tree, (item) => void goTo(item));
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target instanceof HTMLInputElement) return;
  event.preventDefault();
  show("graph");
  field.focus();
});
document.title = `${data.title} – cntkts`;
byId("title").replaceChildren(data.title, make("small", {}, data.producer));
setTheme(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
const first = addressed();
await redraw();
if (first) await goTo(first);
document.documentElement.dataset["ready"] = "true";
