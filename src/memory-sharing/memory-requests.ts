import type { NetworkNode, NodeFacts, ShapedNetwork } from "../network/network.js";
import { elementCount } from "../network/network.js";
import { evaluationOrder } from "../network/loops.js";
import { consumersOf, restrictOrder } from "../network/node-order.js";
import type { MemoryRule, Temporary } from "../network/op-definition.js";
import { MatrixPool } from "./memory-pool.js";

/** What a network's memory is allocated for. */
export interface MemoryRoots {
  /** Nodes that are evaluated: evaluation criteria of a training, evaluated nodes of a test, outputs of a write. */
  readonly evaluated: readonly NetworkNode[];
  /** The criterion of a training; without it nothing is kept for a backward pass. */
  readonly criterion?: NetworkNode;
}

export interface MemoryAssignment {
  /** Names the matrix that holds the node's value; nodes with the same name share it. */
  readonly valueOf: (node: NetworkNode) => string;
  /** Names the matrix of the node's gradient; undefined if it has none. */
  readonly gradientOf: (node: NetworkNode) => string | undefined;
}

/**
 * Goes through a forward and a backward pass as CNTK does when it allocates matrices, and tells which value and which
 * gradient ended up in which matrix. Source: ComputationNetworkEvaluation.cpp, AllocateAllMatrices.
 */
export function simulateMemory(shaped: ShapedNetwork, roots: MemoryRoots): MemoryAssignment {
  const simulation = new Simulation(shaped, roots);
  simulation.forward();
  if (roots.criterion) simulation.backward(roots.criterion);
  return simulation.assignment();
}

class Simulation {
  private readonly pool = new MatrixPool();
  private readonly identity = new Map<NetworkNode, number>();
  private readonly forwardRoots: ReadonlySet<NetworkNode>;
  private readonly order: readonly NetworkNode[];
  private readonly loopOf = new Map<NetworkNode, readonly NetworkNode[]>();
  /** Consumers that have not run yet, within the evaluated part. */
  private readonly waiting: Map<NetworkNode, Set<NetworkNode>>;
  private readonly ownMatrix: ReadonlySet<NetworkNode>;
  private readonly neededBackward = new Set<NetworkNode>();

  constructor(
    private readonly shaped: ShapedNetwork,
    roots: MemoryRoots,
  ) {
    shaped.network.nodes.forEach((node, index) => this.identity.set(node, index));
    for (const loop of evaluationOrder(shaped.roots).loops) {
      for (const node of loop.nodes) this.loopOf.set(node, loop.nodes);
    }
    this.forwardRoots = new Set([...roots.evaluated, ...(roots.criterion ? [roots.criterion] : [])]);
    this.order = restrictOrder(shaped.order, this.forwardRoots);
    this.waiting = consumersOf(this.order);
    this.ownMatrix = this.findOwnMatrices();
    if (roots.criterion) this.findNeededBackward();
  }

  /** Requests in evaluation order; a value goes back when its last consumer has run, unless the backward pass reads it. */
  forward(): void {
    this.eachStep(this.order, (nodes) => {
      for (const node of nodes) {
        if (this.isPooled(node)) this.requestLike("value", node);
        this.requestTemporaries(node, "forward");
      }
      for (const node of nodes) for (const input of node.inputs) this.consumed(node, input);
    });
  }

  /** The same for the gradients, from the criterion down. */
  backward(criterion: NetworkNode): void {
    const order = restrictOrder(this.shaped.order, [criterion]).reverse();
    this.requestGradient(criterion);
    this.eachStep(order, (nodes) => {
      const backward = [...nodes].reverse();
      for (const node of backward) {
        for (const input of node.inputs) if (this.facts(input).needsGradient) this.requestGradient(input);
      }
      for (const node of backward) {
        const insideLoop = this.loopOf.has(node);
        if (insideLoop || (node !== criterion && this.facts(node).needsGradient))
          this.releaseAfterBackward(node);
      }
    });
  }

  assignment(): MemoryAssignment {
    const matrixOf = new Map<string, string>();
    this.pool.buffers().forEach((keys, index) => {
      for (const key of keys) matrixOf.set(key, `buffer ${index}`);
    });
    const evaluated = new Set(this.order);
    return {
      valueOf: (node) => {
        const pooled = matrixOf.get(this.key("value", node));
        if (pooled !== undefined) return pooled;
        // Nodes that nothing evaluates have no matrix; CNTK lists them together under the null address.
        const own = this.ownMatrix.has(node) || evaluated.has(node);
        return own ? this.key("own", node) : "none";
      },
      gradientOf: (node) => matrixOf.get(this.key("gradient", node)),
    };
  }

  /** Calls `run` with each node, or with a whole loop where its first node comes up. */
  private eachStep(order: readonly NetworkNode[], run: (nodes: readonly NetworkNode[]) => void): void {
    const members = new Set(order);
    const done = new Set<readonly NetworkNode[]>();
    for (const node of order) {
      const loop = this.loopOf.get(node);
      if (!loop) {
        run([node]);
      } else if (!done.has(loop)) {
        done.add(loop);
        run(loop.filter((member) => members.has(member)));
      }
    }
  }

  private consumed(node: NetworkNode, input: NetworkNode): void {
    const waiting = this.waiting.get(input);
    if (!waiting?.delete(node) || waiting.size > 0) return;
    if (!this.neededBackward.has(input)) {
      if (this.isPooled(input)) this.pool.release(this.key("value", input));
      else if (input.op.delay && !this.isRoot(input)) this.pool.skipStep();
    }
    if (this.rule(input).releasedForward) this.releaseTemporaries(input, "forward");
  }

  private requestGradient(node: NetworkNode): void {
    this.requestLike("gradient", node);
    this.requestTemporaries(node, "backward");
  }

  private releaseAfterBackward(node: NetworkNode): void {
    const isLeaf = node.inputs.length === 0;
    if (!isLeaf && node.op.role !== "precompute") {
      this.pool.release(this.key("gradient", node));
      if (this.neededBackward.has(node)) {
        if (this.isPooled(node)) this.pool.release(this.key("value", node));
        else if (node.op.delay && !this.isRoot(node)) this.pool.skipStep();
      }
    }
    if (!this.rule(node).releasedForward) this.releaseTemporaries(node, "forward");
    this.releaseTemporaries(node, "backward");
  }

  private requestLike(kind: "value" | "gradient", node: NetworkNode): void {
    const { shape, dynamicAxis } = this.facts(node);
    this.pool.request(this.key(kind, node), elementCount(shape), dynamicAxis !== null);
  }

  private requestTemporaries(node: NetworkNode, direction: "forward" | "backward"): void {
    this.temporaries(node, direction).forEach((temporary, index) => {
      const { shape, dynamicAxis } = this.facts(node);
      const input = node.inputs[0];
      const scaledLike = temporary.scaled === "input" ? input && this.facts(input).dynamicAxis : dynamicAxis;
      const elements = temporary.size === "output" ? elementCount(shape) : temporary.size;
      const scaled = temporary.scaled !== undefined && Boolean(scaledLike);
      this.pool.request(this.key(`${direction} ${index}`, node), elements, scaled, temporary.workspace);
    });
  }

  private releaseTemporaries(node: NetworkNode, direction: "forward" | "backward"): void {
    this.temporaries(node, direction).forEach((_, index) =>
      this.pool.release(this.key(`${direction} ${index}`, node)),
    );
  }

  private temporaries(node: NetworkNode, direction: "forward" | "backward"): readonly Temporary[] {
    const { forwardTemporaries = 0, backwardTemporaries = 0 } = this.rule(node);
    const given = direction === "forward" ? forwardTemporaries : backwardTemporaries;
    return typeof given === "number" ? Array.from({ length: given }, () => ({ size: 0 })) : given;
  }

  /** A value is needed if its own gradient is computed from it, or that of a consumer. */
  private findNeededBackward(): void {
    for (const node of this.order) {
      if (!this.facts(node).needsGradient) continue;
      const { usesInputs } = this.rule(node);
      node.inputs.forEach((input, index) => {
        if (isRead(usesInputs, index)) this.neededBackward.add(input);
      });
    }
    for (const node of this.order) {
      const isInput = this.waiting.has(node);
      if (isInput && this.facts(node).needsGradient && this.rule(node).usesOutput)
        this.neededBackward.add(node);
    }
  }

  private findOwnMatrices(): Set<NetworkNode> {
    const own = new Set(this.forwardRoots);
    const madeOfParameters = new Set<NetworkNode>();
    for (const node of this.shaped.order) {
      const { role } = node.op;
      const isConstant =
        node.inputs.length === 0
          ? role === "parameter"
          : role === "precompute" || node.inputs.every((input) => madeOfParameters.has(input));
      if (isConstant) madeOfParameters.add(node);
      const isSparse = this.facts(node).storage === "sparse";
      if (isConstant || isSparse || this.rule(node).ownMatrix) own.add(node);
    }
    return own;
  }

  private isPooled(node: NetworkNode): boolean {
    return !this.ownMatrix.has(node);
  }

  private isRoot(node: NetworkNode): boolean {
    return this.forwardRoots.has(node);
  }

  private key(kind: string, node: NetworkNode): string {
    return `${kind} ${this.identity.get(node) ?? -1}`;
  }

  private rule(node: NetworkNode): MemoryRule {
    const { memory } = node.op;
    return typeof memory === "function" ? memory(this.facts(node).attributes) : memory;
  }

  private facts(node: NetworkNode): NodeFacts {
    const facts = this.shaped.facts.get(node);
    if (!facts) throw new Error(`nothing is known about ${node.name}`);
    return facts;
  }
}

function isRead(usesInputs: MemoryRule["usesInputs"], index: number): boolean {
  if (typeof usesInputs !== "string") return usesInputs.includes(index);
  return usesInputs === "all" || (usesInputs === "first" && index === 0);
}
