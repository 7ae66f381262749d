import { type Output, outputOf, type Outputs } from "../backends/backend.js";
import type { ConfigSection } from "../config/config-section.js";
import {
  defaultFormat,
  expand,
  formatNodeValues,
  labelMismatch,
  labelsOf,
  type NodeValues,
  type WriteFormat,
} from "../log/node-values.js";
import { findNode } from "../network/find-node.js";
import { evaluationOrder, type RecurrentLoop } from "../network/loops.js";
import type { NetworkNode, ShapedNetwork } from "../network/network.js";
import { inputsBelow, restrictOrder } from "../network/node-order.js";
import { Prototype } from "../network/prototype.js";
import { isWithinLimits, readFormat } from "../numerics/printf.js";
import type { Session } from "../session.js";
import { shownValues } from "./shown-values.js";

export type TracedKind = WriteFormat["kind"];

/** Names of the nodes that a command has printed with every minibatch, and how: the last word about a node counts. */
export type TracedNames = readonly (readonly [name: string, kind: TracedKind])[];

const tracingKeys = {
  traceNodeNamesReal: "real",
  traceNodeNamesCategory: "category",
  traceNodeNamesSparse: "sparse",
} as const;

export function readTracedNames(section: ConfigSection): TracedNames {
  return Object.entries(tracingKeys).flatMap(([key, kind]) =>
    section.array(key, []).map((name) => [name, kind] as const),
  );
}

/** The nodes of these names; unknown ones are skipped with CNTK's line (ComputationNetwork.h, EnableNodeTracing). */
export function tracedNodes(
  { log }: Pick<Session, "log">,
  { network }: ShapedNetwork,
  names: TracedNames,
): ReadonlyMap<NetworkNode, TracedKind> {
  const nodes = new Map<NetworkNode, TracedKind>();
  for (const [name, kind] of names) {
    const node = findNode(network.nodes, name);
    if (node) nodes.set(node, kind);
    else log.write(`EnableNodeTracing: No node named '${name}'; skipping\n`);
  }
  return nodes;
}

/** What is printed of a node: by a Trace above it, or because the command names it. */
interface Traced {
  /** The node whose value is shown. */
  readonly node: NetworkNode;
  /** Where the line comes in the order of evaluation. */
  readonly at: NetworkNode;
  readonly trace: TraceSettings | undefined;
  readonly format: WriteFormat;
  readonly changes: Changes;
  /** In how many minibatches it was computed. */
  minibatches: number;
}

/** CNTK computes again what has changed: by the data, by training, or not at all within a pass. */
type Changes = "data" | "training" | "never";

interface TraceSettings {
  readonly say: string;
  readonly logFirst: number;
  readonly logFrequency: number;
  readonly gradientToo: boolean;
}

/** Nodes named by a command show 3 elements and 8 time steps (ComputationNode.h, m_traceNodeValueUpToDim). */
const formatOfNamed: Omit<WriteFormat, "kind"> = {
  ...defaultFormat,
  transpose: false,
  sequencePrologue: "  ",
  sampleSeparator: "\n  ",
  conversion: { flags: "", width: 13, precision: 10 },
  limits: { rows: 3, times: 8 },
  categoriesAsValues: true,
};

/** A part of the evaluation order: one node, or the nodes of a loop, which are computed frame by frame. */
type Stage = readonly Traced[];

/**
 * What CNTK prints while it computes the nodes of a network, by the values they have afterwards: of Trace nodes
 * (SpecialPurposeNodes.cpp) and of the nodes that traceNodeNamesReal, …Category and …Sparse name. The counts of minibatches
 * go through all passes over one network.
 */
export class Tracing {
  private readonly stages: readonly Stage[];
  private readonly loopOf = new Map<NetworkNode, RecurrentLoop>();
  private isFirst = true;

  /** Of what is below `roots`. */
  constructor(
    private readonly session: Pick<Session, "log" | "files">,
    private readonly shaped: ShapedNetwork,
    roots: readonly NetworkNode[],
    private readonly named: ReadonlyMap<NetworkNode, TracedKind> = new Map(),
  ) {
    const hasTrace = shaped.network.nodes.some(isTrace);
    this.stages = hasTrace || named.size > 0 ? this.stagesBelow(roots) : [];
  }

  /** The nodes whose values `show` needs. */
  get nodes(): readonly NetworkNode[] {
    return [...new Set(this.stages.flatMap((stage) => stage.map(({ node }) => node)))];
  }

  /** The Trace nodes that show gradients too. */
  get gradientsBelow(): ReadonlySet<NetworkNode> {
    return new Set(this.stages.flat().flatMap(({ at, trace }) => (trace?.gradientToo ? [at] : [])));
  }

  /** With a new pass over data everything is computed again. */
  beginPass(): void {
    this.isFirst = true;
  }

  /** Writes the lines for a minibatch that was computed; `gradients` (of a training) are outputs too, by the Trace above them. */
  show(outputs: Outputs, gradients?: ReadonlyMap<NetworkNode, string>): void {
    if (this.stages.length === 0) return;
    const { log } = this.session;
    const computed = this.stages
      .map((stage) => stage.filter((traced) => this.isComputed(traced, gradients !== undefined)))
      .filter((stage) => stage.length > 0);
    this.isFirst = false;
    for (const traced of computed.flat()) traced.minibatches++;
    for (const stage of computed) log.write(this.stageText(stage, outputs));
    if (!gradients) return;
    for (const stage of [...this.stages].reverse()) log.write(this.gradientText(stage, outputs, gradients));
  }

  private isComputed({ changes }: Traced, isTraining: boolean): boolean {
    return changes === "data" || this.isFirst || (changes === "training" && isTraining);
  }

  private stagesBelow(roots: readonly NetworkNode[]): Stage[] {
    for (const loop of evaluationOrder(this.shaped.roots).loops) {
      for (const node of loop.nodes) this.loopOf.set(node, loop);
    }
    const stages: Traced[][] = [];
    let last: RecurrentLoop | undefined;
    for (const node of restrictOrder(this.shaped.order, roots)) {
      const traced = this.tracedAt(node);
      const loop = this.loopOf.get(node);
      if (loop && loop === last) stages.at(-1)?.push(...traced);
      else if (traced.length > 0 || loop) stages.push(traced);
      last = loop;
    }
    return stages.filter((stage) => stage.length > 0);
  }

  private tracedAt(node: NetworkNode): Traced[] {
    const traced: Traced[] = [];
    const [input] = node.inputs;
    const rest = { at: node, changes: this.changesOf(node), minibatches: 0 };
    if (isTrace(node) && input) {
      traced.push({
        ...rest,
        node: input,
        trace: traceSettings(node),
        format: traceFormat(this.session, node),
      });
    }
    const kind = this.named.get(node);
    // Leaves are never computed.
    if (kind && input) traced.push({ ...rest, node, trace: undefined, format: { ...formatOfNamed, kind } });
    return traced;
  }

  private changesOf(node: NetworkNode): Changes {
    if (inputsBelow([node]).length > 0) return "data";
    return this.shaped.facts.get(node)?.needsGradient ? "training" : "never";
  }

  private stageText(stage: Stage, outputs: Outputs): string {
    const prologues = stage.map((traced) => this.prologue(traced)).join("");
    const traces = stage.filter((traced) => this.isShown(traced));
    const named = stage.filter(({ trace }) => !trace);
    const frames = this.framesOf(stage, outputs);
    return (
      prologues +
      frames
        .map((frame) => traces.map((traced) => this.traceText(traced, outputs, frame)).join(""))
        .join("") +
      named.map((traced) => this.namedText(traced, outputs)).join("")
    );
  }

  /** Gradients come in the opposite order. */
  private gradientText(stage: Stage, outputs: Outputs, gradients: ReadonlyMap<NetworkNode, string>): string {
    const traces = stage.filter((traced) => gradients.has(traced.at) && this.isShown(traced)).reverse();
    const frames = this.framesOf(stage, outputs).reverse();
    return frames
      .flatMap((frame) =>
        traces.map((traced) => this.traceText(traced, outputs, frame, gradients.get(traced.at))),
      )
      .join("");
  }

  private prologue({ at, format, trace, minibatches }: Traced): string {
    return trace && minibatches === 1 ? expand(format.prologue, at.name, 1) : "";
  }

  private isShown({ trace, minibatches }: Traced): boolean {
    if (!trace) return false;
    const { logFirst, logFrequency } = trace;
    return minibatches <= logFirst || (logFrequency > 0 && (minibatches - 1) % logFrequency === 0);
  }

  /** The time steps of a loop in the order they are computed; outside of loops one frame of all. */
  private framesOf([first]: Stage, outputs: Outputs): (number | undefined)[] {
    const loop = first && this.loopOf.get(first.at);
    const layout = first && outputs.get(first.node.name)?.layout;
    if (!loop || !layout) return [undefined];
    const frames = Array.from({ length: layout.steps }, (_, step) => step);
    return loop.nodes.some(({ op }) => op.delay === -1) ? frames.reverse() : frames;
  }

  /** `gradient` is the output that is shown in place of the value. */
  private traceText(
    { node, at, trace, format, minibatches }: Traced,
    outputs: Outputs,
    frame: number | undefined,
    gradient?: string,
  ): string {
    const value = outputOf(outputs, gradient ?? node.name);
    const shown = shownValues(node, this.shapeOf(node), value);
    const part = frame === undefined ? shown : atFrame(shown, value, frame);
    const kind = gradient === undefined ? "" : "(gradient) ";
    const header = `------- Trace[${frame ?? ""}] ${trace?.say ?? ""} ${kind}--> ${this.prototype(node)}\n`;
    return header + formatNodeValues({ ...part, name: at.name }, format, minibatches);
  }

  private namedText({ node, format, minibatches }: Traced, outputs: Outputs): string {
    const shown = shownValues(node, this.shapeOf(node), outputOf(outputs, node.name));
    return `Trace --> ${this.prototype(node)}\n${formatNodeValues(shown, format, minibatches)}`;
  }

  private shapeOf(node: NetworkNode): readonly number[] {
    return this.shaped.facts.get(node)?.shape ?? [];
  }

  private prototype(node: NetworkNode): string {
    const { facts } = this.shaped;
    const now = (of: NetworkNode) => ({
      shape: facts.get(of)?.shape ?? [],
      dynamicAxis: facts.get(of)?.dynamicAxis ?? null,
    });
    const attributes = facts.get(node)?.attributes ?? node.attributes;
    return new Prototype(node, attributes, now(node), node.inputs.map(now)).text();
  }
}

/** How a Trace prints, by its attributes (ComputationNode.cpp, WriteFormattingOptions). */
function traceFormat(session: Pick<Session, "log" | "files">, { attributes }: NetworkNode): WriteFormat {
  const text = (name: string, otherwise = ""): string => {
    const value = attributes[name];
    return typeof value === "string" ? value : otherwise;
  };
  const kind =
    attributes["type"] === "category" || attributes["type"] === "sparse" ? attributes["type"] : "real";
  const labelFile = text("labelMappingFile");
  const letter = kind !== "category" ? "f" : labelFile ? "s" : "u";
  const conversion = readFormat(text("precisionFormat"), letter);
  return {
    kind,
    labels: kind !== "real" && labelFile ? labelsOf(session.files.readText(labelFile)) : undefined,
    mismatch: labelMismatch(session.log),
    transpose: attributes["transpose"] !== false,
    prologue: text("prologue"),
    epilogue: text("epilogue"),
    sequenceSeparator: text("sequenceSeparator"),
    sequencePrologue: text("sequencePrologue"),
    sequenceEpilogue: text("sequenceEpilogue", "\n"),
    elementSeparator: text("elementSeparator", " "),
    sampleSeparator: text("sampleSeparator", "\n"),
    conversion: conversion && isWithinLimits(conversion) ? conversion : defaultFormat.conversion,
    limits: { rows: Number(attributes["onlyUpToRow"]), times: Number(attributes["onlyUpToT"]) },
  };
}

function traceSettings({ attributes }: NetworkNode): TraceSettings {
  return {
    say: String(attributes["say"]),
    logFirst: Number(attributes["logFirst"]),
    logFrequency: Number(attributes["logFrequency"]),
    gradientToo: attributes["logGradientToo"] === true,
  };
}

function isTrace({ op }: NetworkNode): boolean {
  return op.name === "Trace";
}

/**
 * The columns of one time step. A sequence that begins with the next step, or has ended with the one before, is there with
 * no columns, as in CNTK (WriteMinibatchWithFormatting).
 */
function atFrame(shown: NodeValues, { layout }: Output, frame: number): NodeValues {
  if (!layout) return shown;
  const sequences = shown.sequences.flatMap((sequence, index) => {
    const { begin, length } = layout.sequences[index] ?? { begin: 0, length: 0 };
    const first = Math.max(begin, 0);
    const end = Math.min(begin + length, layout.steps);
    const from = Math.max(frame, first);
    const to = Math.min(frame + 1, end);
    return from > to ? [] : [{ ...sequence, columns: sequence.columns.slice(from - first, to - first) }];
  });
  return { ...shown, sequences };
}
