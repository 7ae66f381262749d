import type { Source, Span } from "../src/diagnostics/source.js";
import type { Program } from "./ast.js";

/*
 * A syntax tree as text, so that a text that never changes need not be parsed at every start. Places are kept as numbers into a
 * list of their own; the texts that they are in come along, and the tree counts only for exactly these.
 */

/** What is written: `places` holds for each span the number of its source, its first character and its end. */
interface StoredTree {
  readonly sources: readonly Source[];
  readonly places: readonly number[];
  readonly program: unknown;
}

/** Writes out a tree; places are the only numbers in it under names that end like `span`. */
export function treeAsText(program: Program): string {
  const sources: Source[] = [];
  const places: number[] = [];
  const stored = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(stored);
    if (typeof value !== "object" || value === null) return value;
    if (isSpan(value)) {
      const known = sources.indexOf(value.source);
      const number = known < 0 ? sources.push(value.source) - 1 : known;
      return places.push(number, value.start, value.end) / 3 - 1;
    }
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, stored(part)]));
  };
  const tree: StoredTree = { sources, places, program: stored(program) };
  // The sources are complete only now.
  return JSON.stringify({ ...tree, sources: sources.map(({ name, text }) => ({ name, text })) });
}

/** The tree that was written out; undefined where one of its texts is another today. `sourceOf` finds today's by name. */
export function treeFromText(
  text: string,
  sourceOf: (name: string) => Source | undefined,
): Program | undefined {
  const { sources, places, program } = JSON.parse(text) as StoredTree;
  const found = sources.map(({ name }) => sourceOf(name));
  if (sources.some((source, index) => source.text !== found[index]?.text)) return undefined;
  const span = (at: number): Span => ({
    source: found[places[3 * at] as number] as Source,
    start: places[3 * at + 1] as number,
    end: places[3 * at + 2] as number,
  });
  restore(program, span);
  return program as Program;
}

/** Puts the places back, in what has just been read and is nobody else's yet. */
function restore(value: unknown, span: (at: number) => Span): void {
  if (Array.isArray(value)) {
    for (const item of value) restore(item, span);
  } else if (typeof value === "object" && value !== null) {
    const parts = value as Record<string, unknown>;
    for (const name in parts) {
      const part = parts[name];
      if (typeof part === "object") restore(part, span);
      else if (typeof part === "number" && /[sS]pan$/.test(name)) parts[name] = span(part);
    }
  }
}

function isSpan(value: object): value is Span {
  return "source" in value && "start" in value && "end" in value;
}
