import type {
  DynamicAxis,
  Network,
  NetworkNode,
  NodeFacts,
  NodeGroup,
  ShapedNetwork,
} from "../../src/network/network.js";
import { evaluationOrder } from "../../src/network/loops.js";
import { collectRoots } from "../../src/network/node-order.js";
import type { OpDefinition } from "../../src/network/op-definition.js";
import { operationByName } from "../../src/ops/index.js";

/** What the last `Validating -->` line of a node says. */
export interface RecordedNode {
  readonly name: string;
  readonly operation: string;
  readonly inputs: readonly string[];
  readonly shape: readonly number[];
  readonly axis: string | undefined;
  /** Pass of its first line. */
  readonly pass: number;
}

/** What a log of CNTK says about one compile and the allocation of memory after it. */
export interface RecordedCompile {
  /** From `Post-processing network...` to `Post-processing network complete.`, with the newlines around. */
  readonly text: string;
  readonly roots: readonly string[];
  readonly passCounts: readonly number[];
  /** Nodes in the order of their first line; those that only a later pass reaches come last. */
  readonly nodes: readonly RecordedNode[];
  readonly loops: readonly { readonly name: string; readonly nodes: readonly string[] }[];
  readonly criterion: string | undefined;
  readonly evaluations: readonly string[];
  /** The counts of the memory block, and its groups, each sorted; groups of one included. */
  readonly memory: { readonly counts: string; readonly groups: readonly (readonly string[])[] } | undefined;
  readonly trained: readonly string[];
  readonly trainingLine: string | undefined;
}

/** Splits a recorded log into its compiles. */
export function parseRecordedLog(log: string): RecordedCompile[] {
  const parts = log.split(/(?=\nPost-processing network\.\.\.\n)/);
  return parts.filter((part) => part.startsWith("\nPost-processing")).map(parseCompile);
}

function parseCompile(part: string): RecordedCompile {
  const end = /\nPost-processing network complete\.\n\n/.exec(part);
  const text = end ? part.slice(0, end.index + end[0].length) : part;
  const rest = part.slice(text.length).split(/\n#{20}/)[0] ?? "";
  const criterion = /Training criterion: {3}(.*) = \w+\n/.exec(rest)?.[1];
  const evaluations = /Evaluation criteri(?:on|a): *\n?((?:\t?.* = \w+\n)+)/.exec(rest)?.[1] ?? "";
  return {
    text,
    roots: Array.from(text.matchAll(/^\t(.*) = \w+\(\)$/gm), (match) => match[1] ?? ""),
    passCounts: Array.from(text.matchAll(/(\d+) nodes to process in pass/g), (match) => Number(match[1])),
    nodes: parseNodes(text),
    loops: Array.from(text.matchAll(/^Loop\[\d+\] --> (.*) -> \d+ nodes\n\n((?:\t.*\n)+)/gm), (match) => ({
      name: match[1] ?? "",
      nodes: (match[2] ?? "").split(/[\t\n]+/).filter(Boolean),
    })),
    criterion,
    evaluations: Array.from(evaluations.matchAll(/^\t?(.*) = \w+$/gm), (match) => match[1] ?? ""),
    memory: parseMemory(rest),
    trained: Array.from(
      rest.matchAll(/^\tNode '(.*)' \(LearnableParameter operation\) : /gm),
      (m) => m[1] ?? "",
    ),
    trainingLine: /^Training \d+ parameters in .*$/m.exec(rest)?.[0],
  };
}

function parseNodes(text: string): RecordedNode[] {
  const nodes = new Map<string, RecordedNode>();
  text.split(/\nValidating network[^\n]*\n/).forEach((part, pass) => {
    for (const [, line = ""] of part.matchAll(/Validating --> (.*)$/gm)) {
      const node = parseNode(line, pass);
      nodes.set(node.name, { ...node, pass: nodes.get(node.name)?.pass ?? pass });
    }
  });
  return [...nodes.values()];
}

function parseNode(line: string, pass: number): RecordedNode {
  const match = /^(.*?) = (\w+) ?\((.*?)\) : .*-> \[(.*)\](?: FAILED)?$/.exec(line);
  if (!match) throw new Error(`not a Validating line: ${line}`);
  const [, name = "", operation = "", inputs = "", output = ""] = match;
  const dims = output.split(" x ").filter(Boolean);
  const axis = dims.find((dim) => !/^\d+$/.test(dim));
  return {
    name,
    operation,
    inputs: inputs.split(", ").filter((input) => input && !/=/.test(input)),
    shape: dims.filter((dim) => dim !== axis).map(Number),
    axis,
    pass,
  };
}

function parseMemory(rest: string): RecordedCompile["memory"] {
  const counts = /Memory Sharing: (.*)\n/.exec(rest)?.[1];
  if (counts === undefined) return undefined;
  const block = rest.slice(rest.indexOf("Here are the ones that share memory"));
  const groups = Array.from(block.matchAll(/^\t\{ ?([^}]*?) ?\}$/gm), (match) =>
    (match[1] ?? "").split("\n").map((entry) => entry.trim()),
  );
  return { counts, groups };
}

/**
 * The network that a compile is about, with the shapes its log shows: enough for orders and memory, not for shape
 * inference. `attributes` supplies what logs do not tell. Returns undefined when an operation is not in the registry.
 */
export function networkOf(
  compile: RecordedCompile,
  attributes: (node: RecordedNode) => Record<string, unknown> = () => ({}),
  operation: (name: string) => OpDefinition | undefined = operationByName,
): ShapedNetwork | undefined {
  const nodes = new Map<string, NetworkNode>();
  const layouts = new Map<string, DynamicAxis>();
  const finalShapes = inferredShapes(compile.text);
  for (const recorded of compile.nodes) {
    const op = operation(recorded.operation);
    if (!op) return undefined;
    const isTrained = compile.trained.includes(recorded.name);
    const own = op.role === "parameter" ? { learningRateMultiplier: isTrained ? 1 : 0 } : {};
    nodes.set(recorded.name, {
      name: recorded.name,
      op,
      inputs: [],
      attributes: { ...own, ...attributes(recorded) },
      tags: new Set(),
    });
    if (recorded.axis) layouts.set(recorded.axis, layouts.get(recorded.axis) ?? { axisName: recorded.axis });
  }
  const find = (name: string): NetworkNode => {
    const node = nodes.get(name);
    if (!node) throw new Error(`the log has no node ${name}`);
    return node;
  };
  for (const recorded of compile.nodes) find(recorded.name).inputs = recorded.inputs.map(find);
  const network: Network = {
    nodes: [...nodes.values()],
    groups: groupsOf(compile, find),
    values: new Map(),
  };
  const roots = collectRoots(network);
  const { order } = evaluationOrder(roots);
  const facts = new Map<NetworkNode, NodeFacts>();
  const gradient = new Set(compile.trained.map(find));
  for (let changed = true; changed;) {
    changed = false;
    for (const node of order) {
      if (gradient.has(node) || !node.inputs.some((input) => gradient.has(input))) continue;
      gradient.add(node);
      changed = true;
    }
  }
  for (const recorded of compile.nodes) {
    const node = find(recorded.name);
    facts.set(node, {
      shape: finalShapes.get(recorded.name) ?? recorded.shape,
      dynamicAxis: recorded.axis ? (layouts.get(recorded.axis) ?? null) : null,
      needsGradient: gradient.has(node),
      storage: recorded.operation === "SparseInputValue" ? "sparse" : "dense",
      attributes: node.attributes,
    });
  }
  const defaultAxis = layouts.values().next().value ?? { axisName: "*" };
  return { network, facts, roots, order, defaultAxis };
}

function inferredShapes(text: string): Map<string, number[]> {
  const found = text.matchAll(/^\)?Node '(.*)' \(.*\) operation: Tensor shape was inferred as \[(.*)\]\.$/gm);
  return new Map(Array.from(found, (match) => [match[1] ?? "", (match[2] ?? "").split(" x ").map(Number)]));
}

/** Criterion and evaluation nodes as logged; a root that something uses must be in a group: an output. */
function groupsOf(
  compile: RecordedCompile,
  find: (name: string) => NetworkNode,
): Record<NodeGroup, NetworkNode[]> {
  const criterion = compile.criterion === undefined ? [] : [find(compile.criterion)];
  const evaluation = compile.evaluations.map(find);
  return {
    feature: [],
    label: [],
    criterion,
    evaluation,
    output: compile.roots.map(find).filter((node) => !criterion.includes(node) && !evaluation.includes(node)),
  };
}
