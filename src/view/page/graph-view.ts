import { Graphviz } from "@hpcc-js/wasm-graphviz";
import Panzoom, { type PanzoomObject } from "@panzoom/panzoom";
import { graphText } from "./graph-text.js";
import type { Item, NetworkTree } from "./network-tree.js";

const largestScale = 6;
const leastScale = 0.02;
/** Below this scale text cannot be read. */
const readableScale = 0.8;
const margin = 12;
/** The buttons in a corner of the graph cover as much of it. */
const toolsHeight = 44;
/** A pointer that moves farther drags, and does not click. */
const clickDistance = 4;

/** The drawing of the network: laid out anew when a group opens or closes, moved and zoomed by hand. */
export class GraphView {
  private graphviz: Graphviz | undefined;
  private drawing: SVGSVGElement | undefined;
  private panzoom: PanzoomObject | undefined;
  private selected: Item | undefined;
  private pressed: { readonly x: number; readonly y: number } | undefined;

  constructor(
    private readonly host: HTMLElement,
    private readonly tree: NetworkTree,
    private readonly events: {
      readonly onSelect: (item: Item) => void;
      readonly onToggle: (group: number) => void;
    },
  ) {
    host.addEventListener("wheel", (event) => this.panzoom?.zoomWithWheel(event, { step: 0.15 }), {
      passive: false,
    });
    host.addEventListener(
      "pointerdown",
      ({ clientX, clientY }) => (this.pressed = { x: clientX, y: clientY }),
      true,
    );
    host.addEventListener("click", (event) => this.clicked(event));
    host.addEventListener("dblclick", (event) => this.toggled(event.target));
    host.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      const item = itemOf(event.target);
      if (!item) return;
      event.preventDefault();
      if (item.kind === "group") events.onToggle(item.index);
      else events.onSelect(item);
    });
  }

  /** Draws what is open. `focus` stays where it was on the screen; without one all is shown. */
  async draw(focus?: Item): Promise<void> {
    this.graphviz ??= await Graphviz.load();
    const before = focus && this.placeOf(focus);
    const scale = this.panzoom?.getScale();
    const text = this.graphviz.layout(graphText(this.tree), "svg", "dot");
    const drawing = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
    if (!(drawing instanceof SVGSVGElement)) throw new Error("the layout is no drawing");
    prepare(drawing, this.tree);
    this.panzoom?.destroy();
    this.host.replaceChildren(drawing);
    this.drawing = drawing;
    // At 1:1 a point of the layout is a pixel.
    const { width, height } = drawing.viewBox.baseVal;
    drawing.style.width = `${width}px`;
    drawing.style.height = `${height}px`;
    this.panzoom = Panzoom(drawing, {
      canvas: true,
      cursor: "grab",
      maxScale: largestScale,
      minScale: leastScale,
      origin: "0 0",
    });
    if (scale !== undefined && focus && before) this.moveTo(focus, scale, before);
    else this.fit();
    this.select(this.selected);
  }

  /** Shows all, or as much as can be read, from the top. */
  fit(): void {
    const { host, drawing, panzoom } = this;
    if (!drawing || !panzoom) return;
    const { width, height } = drawing.viewBox.baseVal;
    const free = {
      width: host.clientWidth - 2 * margin,
      height: host.clientHeight - toolsHeight - 2 * margin,
    };
    const across = Math.min(free.width / width, 1);
    const whole = Math.min(across, free.height / height);
    const scale = whole >= readableScale ? whole : Math.max(Math.min(across, readableScale), leastScale);
    panzoom.zoom(scale, { animate: false });
    const spare = Math.max(0, free.height - height * scale) / 2;
    panzoom.pan((host.clientWidth / scale - width) / 2, (toolsHeight + margin + spare) / scale, {
      animate: false,
    });
  }

  zoom(direction: 1 | -1): void {
    const { panzoom, host } = this;
    if (!panzoom) return;
    const { left, top } = host.getBoundingClientRect();
    const centre = { clientX: left + host.clientWidth / 2, clientY: top + host.clientHeight / 2 };
    panzoom.zoomToPoint(panzoom.getScale() * (direction > 0 ? 1.3 : 1 / 1.3), centre, { animate: true });
  }

  /** Marks an item, or what is seen of it. */
  select(item: Item | undefined): void {
    this.selected = item;
    for (const marked of this.host.querySelectorAll(".selected")) marked.classList.remove("selected");
    if (item) this.elementOf(this.tree.seen(item))?.classList.add("selected");
  }

  /** Brings an item into the middle, large enough to read. */
  centre(item: Item): void {
    const { clientWidth, clientHeight } = this.host;
    const scale = Math.max(this.panzoom?.getScale() ?? 1, 0.8);
    this.moveTo(this.tree.seen(item), scale, { x: clientWidth / 2, y: clientHeight / 2 });
  }

  private elementOf({ kind, index }: Item): Element | null {
    return this.host.querySelector(`#${kind === "node" ? "n" : "g"}${index}`);
  }

  /** Middle of an item on the screen, from the host's corner. */
  private placeOf(item: Item): { x: number; y: number } | undefined {
    const element = this.elementOf(item);
    if (!element) return undefined;
    const box = element.getBoundingClientRect();
    const host = this.host.getBoundingClientRect();
    return { x: box.x + box.width / 2 - host.x, y: box.y + Math.min(box.height / 2, 40) - host.y };
  }

  private moveTo(item: Item, scale: number, target: { readonly x: number; readonly y: number }): void {
    const { panzoom } = this;
    if (!panzoom) return;
    panzoom.zoom(scale, { animate: false });
    // The transform is applied with the next frame; sizes are asked for after it.
    requestAnimationFrame(() => {
      const now = this.placeOf(item);
      if (!now) return this.fit();
      const { x, y } = panzoom.getPan();
      panzoom.pan(x + (target.x - now.x) / scale, y + (target.y - now.y) / scale, { animate: false });
    });
  }

  private clicked({ target, clientX, clientY }: MouseEvent): void {
    const { pressed } = this;
    if (pressed && Math.hypot(clientX - pressed.x, clientY - pressed.y) > clickDistance) return;
    const item = itemOf(target);
    if (item) this.events.onSelect(item);
  }

  private toggled(target: EventTarget | null): void {
    const item = itemOf(target);
    if (item?.kind === "group") this.events.onToggle(item.index);
  }
}

/** What was drawn there. */
function itemOf(target: EventTarget | null): Item | undefined {
  const element = target instanceof Element ? target.closest("g.node, g.cluster") : null;
  const id = element?.id ?? "";
  if (!/^[ng]\d+$/.test(id)) return undefined;
  return { kind: id.startsWith("n") ? "node" : "group", index: Number(id.slice(1)) };
}

/** For people who use the keyboard or a screen reader; colours come from the page's style. */
function prepare(drawing: SVGSVGElement, tree: NetworkTree): void {
  drawing.setAttribute("aria-label", "the network's graph");
  for (const title of drawing.querySelectorAll("title")) title.remove();
  for (const element of drawing.querySelectorAll("g.node, g.cluster")) {
    const item = itemOf(element);
    if (!item) continue;
    element.setAttribute("tabindex", "0");
    element.setAttribute("role", "button");
    const name = item.kind === "node" ? tree.node(item.index).name : `group ${tree.group(item.index).label}`;
    element.setAttribute("aria-label", name);
  }
}
