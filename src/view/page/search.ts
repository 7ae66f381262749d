import { make } from "./elements.js";
import type { Item, NetworkTree } from "./network-tree.js";

const mostFound = 40;

/** The search field: nodes and groups by a part of their names, nodes by their operations too. */
export function attachSearch(
  field: HTMLInputElement,
  list: HTMLElement,
  tree: NetworkTree,
  onChoose: (item: Item) => void,
): void {
  let found: Item[] = [];
  let marked = 0;
  const close = (): void => {
    list.hidden = true;
    found = [];
  };
  const choose = (item: Item | undefined): void => {
    if (!item) return;
    close();
    field.blur();
    onChoose(item);
  };
  const show = (): void => {
    const results = searchItems(tree, field.value);
    found = results.slice(0, mostFound);
    marked = 0;
    const rows = found.map((item, place) => {
      const button = make(
        "button",
        { onclick: () => choose(item) },
        nameOf(tree, item),
        make("small", {}, remarkOf(tree, item)),
      );
      button.setAttribute("role", "option");
      button.setAttribute("aria-selected", String(place === 0));
      return button;
    });
    const rest =
      results.length > found.length ? [make("p", {}, `and ${results.length - found.length} more`)] : [];
    const none =
      field.value.trim() !== "" && found.length === 0 ? [make("p", {}, "nothing of that name")] : [];
    list.replaceChildren(...rows, ...rest, ...none);
    list.hidden = field.value.trim() === "";
  };
  field.addEventListener("input", show);
  field.addEventListener("focus", show);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      close();
      field.blur();
    } else if (event.key === "Enter") choose(found[marked]);
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      marked = Math.max(0, Math.min(found.length - 1, marked + (event.key === "ArrowDown" ? 1 : -1)));
      list.querySelectorAll("button").forEach((button, place) => {
        button.setAttribute("aria-selected", String(place === marked));
        if (place === marked) button.scrollIntoView({ block: "nearest" });
      });
    }
  });
  document.addEventListener("pointerdown", ({ target }) => {
    if (target instanceof Node && !list.contains(target) && target !== field) list.hidden = true;
  });
}

/** Names that begin so come first, then those with a part that does, then the others. */
function searchItems(tree: NetworkTree, text: string): Item[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return [];
  const { nodes, groups } = tree.data;
  const ranked: { readonly item: Item; readonly rank: number }[] = [];
  const add = (item: Item, name: string, operation: string): void => {
    const rank = rankOf(name.toLowerCase(), operation.toLowerCase(), wanted);
    if (rank !== undefined) ranked.push({ item, rank });
  };
  nodes.forEach(({ name, operation }, index) => add({ kind: "node", index }, name, operation));
  groups.forEach(({ label }, index) => index > 0 && add({ kind: "group", index }, label, ""));
  return ranked.sort((a, b) => a.rank - b.rank).map(({ item }) => item);
}

function rankOf(name: string, operation: string, wanted: string): number | undefined {
  if (name === wanted) return 0;
  if (name.startsWith(wanted)) return 1;
  if (name.includes(`.${wanted}`)) return 2;
  if (name.includes(wanted)) return 3;
  return operation.includes(wanted) ? 4 : undefined;
}

const nameOf = (tree: NetworkTree, { kind, index }: Item): string =>
  kind === "node" ? tree.node(index).name : tree.group(index).label;

const remarkOf = (tree: NetworkTree, { kind, index }: Item): string =>
  kind === "node" ? tree.node(index).operation : `group of ${tree.nodesIn(index).length} nodes`;
