import { CntkError } from "../diagnostics/diagnostic.js";
import type { LogSink } from "../log/log.js";
import type {
  DynamicAxis,
  Network,
  NetworkNode,
  NodeFacts,
  SampleShape,
  ShapedNetwork,
} from "../network/network.js";
import { elementCount, formatShape } from "../network/network.js";
import type { RecurrentLoop } from "../network/loops.js";
import { evaluationOrder, refuseOwnInputs } from "../network/loops.js";
import { collectRoots } from "../network/node-order.js";
import type { AxisNames } from "./axis-names.js";
import { CompileAxes } from "./compile-axes.js";
import { NodeValidator } from "./node-validator.js";

export interface ValidationOptions {
  /** The network's trace level; at 0 only errors, `FAILED` lines and inferred shapes are printed. */
  readonly traceLevel: number;
  /** The trace level of CNTK's math library, which tells its convolution engines; default: the network's. */
  readonly mathTraceLevel?: number;
  /** The process's counters of dynamic axis names. */
  readonly axisNames: AxisNames;
  /** Taken when the network was constructed; without it a new `*` is taken now (unless `previous` or the network has one). */
  readonly defaultAxis?: DynamicAxis;
  /** An earlier compile of the same network: shapes are kept, dynamic axes are found anew. */
  readonly previous?: ShapedNetwork;
  /** Precision in which the range of a random initialization is computed for the log. */
  readonly elementType: "float" | "double";
  /** Gets CNTK's `Post-processing network...` block as it comes, so that it is not lost when validation fails. */
  readonly sink?: LogSink;
  /** What else a node needs when it is validated for the last time; what it throws fails the node. */
  readonly finally?: ((node: NetworkNode) => void) | undefined;
}

export interface ValidatedNetwork {
  readonly shaped: ShapedNetwork;
  readonly loops: readonly RecurrentLoop[];
}

/**
 * Finds the shape, dynamic axis, storage and need for a gradient of every node, as CNTK does it: passes over the
 * evaluation order until nothing changes, then a final pass that checks. Unknown parameter dimensions are filled on the
 * way. Throws CntkError, with the node's place, for networks that do not fit together.
 * Source: ComputationNetworkEvaluation.cpp, ValidateNetwork; ComputationNetwork.cpp, CompileNetwork.
 */
export function validateNetwork(network: Network, options: ValidationOptions): ValidatedNetwork {
  const log = new ValidationLog(options.traceLevel, options.sink);
  log.print("\nPost-processing network...\n");
  const roots = collectRoots(network);
  log.print(`\n${roots.length} roots:\n`);
  for (const root of roots) log.print(`\t${root.name} = ${root.op.name}()\n`);
  const { order, loops } = evaluationOrder(roots);
  loops.forEach((loop, index) => log.print(formatLoop(loop, index)));

  const defaultAxis =
    options.previous?.defaultAxis ??
    options.defaultAxis ??
    network.defaultAxis ??
    options.axisNames.next("*");
  const axes = new CompileAxes(network, defaultAxis, options.axisNames, roots);
  const known = options.previous?.facts ?? network.known;
  const { elementType } = options;
  const tellsEngines = (options.mathTraceLevel ?? options.traceLevel) > 0;
  const validator = new NodeValidator(order, { axes, elementType, known }, (text, weight) => {
    if (weight === "always" || (weight === "mathLibrary" && tellsEngines)) log.printAlways(text);
    else if (weight === "network") log.print(text);
  });
  let remaining = order.length;
  for (let pass = 1; remaining > 0; pass++) {
    log.print(`\nValidating network. ${remaining} nodes to process in pass ${pass}.\n\n`);
    const { waiting, changed } = runPass(order, validator, log, pass === 1 ? "first" : "later");
    const [first] = waiting;
    if (first && (pass >= mostPasses || (!changed && waiting.length === remaining)))
      throw neverSettles(first);
    remaining = waiting.length;
  }
  log.print("\nValidating network, final pass.\n\n");
  runPass(order, validator, log, "final", options.finally);
  for (const node of order) {
    const { shape } = validator.current(node);
    if (elementCount(shape) === 0) throw noElements(node);
    const values = network.values.get(node);
    if (isStored(node) && values && values.length !== elementCount(shape))
      throw wrongSize(node, shape, values.length);
  }
  refuseOwnInputs(order);
  log.print("\n\n");
  log.print("\nPost-processing network complete.\n\n");

  const facts: ReadonlyMap<NetworkNode, NodeFacts> = validator.facts();
  return { shaped: { network, facts, roots, order, defaultAxis }, loops };
}

/** Does a model file hold values of the node? Those of a statistic count once it was computed. */
function isStored({ op, attributes }: NetworkNode): boolean {
  return op.role === "parameter" || (op.role === "precompute" && attributes["hasComputed"] === true);
}

/** Hands on what is printed, and keeps nothing of it: the names of a deep network alone may be hundreds of megabytes. */
class ValidationLog {
  constructor(
    private readonly traceLevel: number,
    private readonly sink: LogSink | undefined,
  ) {}

  get isPrinting(): boolean {
    return this.traceLevel > 0;
  }

  /** Keeps silent at trace level 0. */
  print(text: string): void {
    if (this.isPrinting) this.printAlways(text);
  }

  printAlways(text: string): void {
    this.sink?.write(text);
  }
}

type Pass = "first" | "later" | "final";

/** Shapes that have not settled after so many passes never do: each pass carries them through one more loop. */
const mostPasses = 1000;

/** One pass over all nodes; returns those that have to be looked at again, and whether any node changed. */
function runPass(
  order: readonly NetworkNode[],
  validator: NodeValidator,
  log: ValidationLog,
  pass: Pass,
  last?: (node: NetworkNode) => void,
): { readonly waiting: readonly NetworkNode[]; readonly changed: boolean } {
  const waiting: NetworkNode[] = [];
  let anyChanged = false;
  for (const node of order) {
    const isLeaf = node.inputs.length === 0;
    const axisNode = node.inputs.find((input) => input.op.name === "DynamicAxis");
    if (axisNode) throw axisAsInput(axisNode, node);
    const allVisited = validator.areInputsVisited(node);
    // A node none of whose inputs has been looked at yet (it can only sit in a loop) has nothing to go by.
    const ready = isLeaf || validator.isInputVisited(node);
    let settled = false;
    if (ready) {
      const compares = pass === "later" && log.isPrinting;
      const before = compares ? validator.prototype(node).shapes() : "";
      const changed = validateNode(node, validator, log, pass === "final", last);
      anyChanged ||= changed;
      if (pass === "final") {
        if (changed) throw changedInFinalPass(node);
      } else if (log.isPrinting) {
        const after = validator.prototype(node);
        if (!compares || changed || before !== after.shapes()) log.print(`Validating --> ${after.text()}\n`);
      }
      settled = isLeaf || (allVisited && !changed);
    }
    if (!settled) waiting.push(node);
  }
  return { waiting, changed: anyChanged };
}

function validateNode(
  node: NetworkNode,
  validator: NodeValidator,
  log: ValidationLog,
  isFinalPass: boolean,
  last?: (node: NetworkNode) => void,
): boolean {
  try {
    const changed = validator.validate(node, isFinalPass);
    last?.(node);
    return changed;
  } catch (error) {
    log.printAlways(`Validating --> ${validator.prototype(node).text()} FAILED\n`);
    throw error;
  }
}

/** `⏎Loop[0] --> Loop_h -> 3 nodes⏎` and the names, three a line. */
function formatLoop(loop: RecurrentLoop, index: number): string {
  const names = loop.nodes.map((node, at) => `${at % 3 === 0 ? "\n" : ""}\t${node.name}`);
  return `\nLoop[${index}] --> Loop_${loop.source.name} -> ${loop.nodes.length} nodes\n${names.join("")}\n`;
}

function noElements(node: NetworkNode): CntkError {
  return new CntkError({
    code: "no-elements",
    message: `${node.name} operation has 0 elements`,
    span: node.origin,
    calls: node.calls?.map((span) => ({ span })),
    hint:
      node.op.role === "parameter"
        ? "an unknown dimension (0) of this parameter could not be inferred: nothing uses the parameter in a way that tells it"
        : undefined,
  });
}

function neverSettles(node: NetworkNode): CntkError {
  return new CntkError({
    code: "validation-unstable",
    message: `The shape of ${node.name} ${node.op.name} operation does not settle: it depends on itself.`,
    span: node.origin,
  });
}

function wrongSize(node: NetworkNode, shape: SampleShape, given: number): CntkError {
  return new CntkError({
    code: "parameter-size",
    message: `${node.name} ${node.op.name} operation has the shape ${formatShape(shape)}, but ${given} values.`,
    span: node.origin,
    hint: "the shape that was inferred for it is not that of its values",
  });
}

function axisAsInput(axis: NetworkNode, user: NetworkNode): CntkError {
  return new CntkError({
    code: "axis-as-input",
    message:
      `Node '${axis.name}' (${axis.op.name} operation): Cannot be used as input to another node. ` +
      "It can only be used on the 'dynamicAxis' property of an Input node.",
    span: user.origin,
    calls: user.calls?.map((span) => ({ span })),
  });
}

function changedInFinalPass(node: NetworkNode): CntkError {
  return new CntkError({
    code: "validation-unstable",
    message: `ValidateSubNetwork: ${node.name} ${node.op.name} operation changed during final validation.`,
    span: node.origin,
  });
}
