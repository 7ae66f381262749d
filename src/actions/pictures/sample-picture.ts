import type { EvaluatedNode } from "../model-session.js";
import { Canvas, lineHeight, type Picture, textWidth } from "./canvas.js";
import { heightOf, paintTile, type TileLayout, tileLayout, widthOf } from "./tiles.js";

/** A node whose samples are drawn one below the other. */
export interface DrawnNode extends EvaluatedNode {
  readonly isInput: boolean;
  /** It has no samples of its own, such as a parameter, and stands in the first row only. */
  readonly isForAll: boolean;
}

/** Nodes side by side under a heading: those of a model. */
export interface DrawnGroup {
  readonly title: string;
  readonly nodes: readonly DrawnNode[];
}

/** Pixels between columns, and between rows. */
const gap = 8;
/** Pixels between groups. */
const groupGap = 24;

interface Column {
  readonly node: DrawnNode;
  readonly layout: TileLayout;
  readonly lines: readonly string[];
  readonly width: number;
}

/**
 * Draws `count` samples of several nodes: one row a sample, one column a node. Above each column stand its node and the shape of a
 * sample, above each group its title.
 */
export function drawSamples(groups: readonly DrawnGroup[], count: number): Picture {
  const columns = groups.map(({ nodes }) => nodes.map(columnOf));
  const widths = groups.map(({ title }, index) => {
    const own = (columns[index] ?? []).reduce((sum, { width }) => sum + width + gap, -gap);
    return Math.max(own, textWidth(title));
  });
  const titleLines = groups.some(({ title }) => title !== "") ? 1 : 0;
  const top = gap + (titleLines + 2) * lineHeight + gap / 2;
  const rowHeight = Math.max(...columns.flat().map(({ layout }) => heightOf(layout)));
  const width = widths.reduce((sum, own) => sum + own + groupGap, 2 * gap - groupGap);
  const canvas = new Canvas(width, top + count * (rowHeight + gap));
  let left = gap;
  groups.forEach(({ title }, index) => {
    canvas.write(title, left, gap);
    let at = left;
    for (const column of columns[index] ?? []) {
      for (const [number, line] of column.lines.entries())
        canvas.write(line, at, gap + (titleLines + number) * lineHeight);
      column.node.samples.slice(0, count).forEach((sample, row) => {
        const middle = Math.floor((rowHeight - heightOf(column.layout)) / 2);
        paintTile(canvas, column.layout, sample, at, top + row * (rowHeight + gap) + middle);
      });
      at += column.width + gap;
    }
    left += (widths[index] ?? 0) + groupGap;
  });
  return canvas;
}

function columnOf(node: DrawnNode): Column {
  const layout = tileLayout(node.shape, node.isInput);
  const lines = [node.name, node.shape.join("x")];
  const width = Math.max(widthOf(layout), ...lines.map(textWidth));
  return { node, layout, lines, width };
}
