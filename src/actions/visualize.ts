import { CntkError } from "../diagnostics/diagnostic.js";
import type { FileAccess } from "../files/file-access.js";
import { formatValue } from "../log/node-values.js";
import { findNodeBySuffix } from "../network/find-node.js";
import type { NetworkNode } from "../network/network.js";
import type { EvaluatedNode, ModelSession } from "./model-session.js";
import type { Picture } from "./pictures/canvas.js";
import { type DrawnGroup, type DrawnNode, drawSamples } from "./pictures/sample-picture.js";

/** A model and how it is called in the picture. */
export interface VisualizedModel {
  readonly name: string;
  readonly session: ModelSession;
}

export interface VisualizeRequest {
  /** Nodes to draw, by name or ending; of each model those that it has. None: each model's outputs. */
  readonly nodes: readonly string[];
  /** Input to draw in front of them; default: the first one that the nodes need. */
  readonly input: string | undefined;
  readonly files: FileAccess;
  /** File in CNTK's text format. */
  readonly data: string;
  readonly count: number;
  readonly signal: AbortSignal | undefined;
}

/** What a model shows: its nodes, with the input in front. */
interface Evaluated {
  readonly name: string;
  readonly input: DrawnNode;
  readonly nodes: readonly DrawnNode[];
}

/**
 * The first samples of the data as a picture, and as text: the input, then of every model its nodes. An input that is the same
 * for all models stands once.
 * @throws CntkError `no-input`, `node-unknown`, `node-ambiguous`, `no-samples`, and what is wrong with the data
 */
export async function visualizeModels(
  models: readonly VisualizedModel[],
  request: VisualizeRequest,
): Promise<{ readonly picture: Picture; readonly text: string }> {
  const chosen = chosenNodes(models, request.nodes);
  const evaluated: Evaluated[] = [];
  for (const [index, { name, session }] of models.entries())
    evaluated.push({ name, ...(await evaluatedNodes(session, chosen[index] ?? [], request)) });
  const count = Math.min(...evaluated.flatMap(({ input, nodes }) => [input, ...nodes].map(sampleCount)));
  if (count === 0) throw new CntkError({ code: "no-samples", message: "There are no samples to draw." });
  const groups = groupsOf(evaluated);
  return { picture: drawSamples(groups, count), text: dumpSamples(groups, count) };
}

/** What has no samples is the same for all of them. */
const sampleCount = ({ samples, isForAll }: DrawnNode): number => (isForAll ? Infinity : samples.length);

/** Of each model the nodes that it has; every name must be in one of them. */
function chosenNodes(models: readonly VisualizedModel[], names: readonly string[]): NetworkNode[][] {
  const all = models.map(({ session }) => session.shaped.network.nodes);
  const found = names.map((name) => all.map((nodes) => nodeIfThere(nodes, name)));
  names.forEach((name, index) => {
    // The first model says what near names there are.
    if (found[index]?.every((node) => node === undefined)) findNodeBySuffix(all[0] ?? [], name);
  });
  return models.map(({ name, session }, model) => {
    const own = found.flatMap((nodes) => nodes[model] ?? []);
    if (names.length > 0 && own.length > 0) return [...new Set(own)];
    const outputs = session.shaped.network.groups.output;
    if (names.length === 0 && outputs.length > 0) return [...outputs];
    throw new CntkError({
      code: "nothing-to-draw",
      message:
        names.length > 0
          ? `The model '${name}' has none of the nodes ${names.join(", ")}.`
          : `The model '${name}' lists no output nodes.`,
      hint: "--node NODE,NODE says what is drawn; print-nodes lists every node",
    });
  });
}

function nodeIfThere(nodes: readonly NetworkNode[], name: string): NetworkNode | undefined {
  try {
    return findNodeBySuffix(nodes, name);
  } catch (error) {
    if (error instanceof CntkError && error.code === "node-unknown") return undefined;
    throw error;
  }
}

async function evaluatedNodes(
  session: ModelSession,
  nodes: readonly NetworkNode[],
  { input: wanted, files, data, count, signal }: VisualizeRequest,
): Promise<{ readonly input: DrawnNode; readonly nodes: readonly DrawnNode[] }> {
  const [first] = session.inputsOf(nodes);
  const input = wanted === undefined ? first : session.node(wanted);
  if (!input) {
    const names = nodes.map(({ name }) => `'${name}'`).join(", ");
    throw new CntkError({
      code: "no-input",
      message: `${names} ${nodes.length > 1 ? "do" : "does"} not depend on any input.`,
    });
  }
  const names = [input, ...nodes].map(({ name }) => name);
  const [shown, ...others] = (await session.evaluateFile(names, files, data, count, signal)).map((node) => ({
    ...node,
    isInput: node.name === input.name,
    isForAll: session.shaped.facts.get(session.node(node.name))?.dynamicAxis === null,
  }));
  if (!shown) throw new Error("nothing was evaluated");
  return { input: shown, nodes: others };
}

/** The input in front of the nodes of all models, or where models have inputs of other values, one in front of each. */
function groupsOf(models: readonly Evaluated[]): DrawnGroup[] {
  const [first] = models;
  const isOne = models.every(({ input }) => first && isSame(input, first.input));
  if (models.length === 1 || !isOne)
    return models.map(({ name, input, nodes }) => ({ title: name, nodes: [input, ...nodes] }));
  const input = first ? [{ title: "", nodes: [first.input] }] : [];
  return [...input, ...models.map(({ name, nodes }) => ({ title: name, nodes }))];
}

function isSame(a: EvaluatedNode, b: EvaluatedNode): boolean {
  return (
    a.shape.join() === b.shape.join() &&
    a.samples.length === b.samples.length &&
    a.samples.every((sample, index) => sample.every((value, at) => value === b.samples[index]?.[at]))
  );
}

/** The text beside the picture: per sample and node a heading and the values, one row of an image a line, maps side by side. */
function dumpSamples(groups: readonly DrawnGroup[], count: number): string {
  const hasSeveral = groups.length > 1;
  const parts: string[] = [];
  for (let index = 0; index < count; index++) {
    for (const { title, nodes } of groups)
      for (const { name, shape, samples } of nodes) {
        const sample = samples[index];
        if (!sample) continue;
        const of = hasSeveral && title !== "" ? `${title} ` : "";
        parts.push(`# sample ${index}, ${of}${name} [${shape.join(" x ")}]\n`);
        parts.push(...rowsOf(shape, sample));
      }
  }
  return parts.join("");
}

function rowsOf(shape: readonly number[], sample: ArrayLike<number>): string[] {
  const side = Math.round(Math.sqrt(sample.length));
  const square = side * side === sample.length ? [side, side] : [sample.length, 1];
  const [width = 1, height = 1] = shape.length > 1 ? shape : square;
  const maps = sample.length / (width * height);
  return Array.from({ length: height }, (_, y) => {
    const places = Array.from({ length: maps * width }, (_place, at) => {
      const map = Math.floor(at / width);
      return (map * height + y) * width + (at % width);
    });
    return `${places.map((place) => formatValue(sample[place] ?? 0)).join(" ")}\n`;
  });
}
