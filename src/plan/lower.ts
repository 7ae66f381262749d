import { CntkError } from "../diagnostics/diagnostic.js";
import type { Assignment, ExecutionGraph, GraphEntry } from "../network/execution-graph.js";
import type { DynamicAxis, NetworkNode, NodeFacts, SampleShape } from "../network/network.js";
import { elementCount } from "../network/network.js";
import type { ElementType } from "../numerics/values.js";
import { argument, type Expression, scalarsOf } from "../primitives/expression.js";
import type { AxisId, BufferId, Instruction, Kind, Operand, Storage } from "../primitives/instruction.js";
import type { Parameters, ShiftParameters } from "../primitives/parameters.js";
import { signatureOf } from "../primitives/signatures.js";
import { foldConstants, withoutUnusedInputs } from "./fold-constants.js";
import { executionOrder, isLoop, type NodeLoop } from "./order.js";
import type { Buffer, Carry, Loop, PlanAxis, Step } from "./plan.js";

/** One entry after lowering, before anything is removed. */
export interface LoweredEntry {
  readonly steps: Step[];
  readonly outputs: readonly { readonly name: string; readonly buffer: BufferId }[];
  readonly carries: readonly Carry[];
}

/**
 * Turns nodes into instructions by their ops' `lower` rules. Inputs and states get one buffer for the whole plan;
 * everything else gets a buffer per entry, since temporaries do not survive a run.
 */
export class Lowering {
  readonly buffers: Buffer[] = [];
  readonly axes: PlanAxis[] = [];
  private readonly axisIds = new Map<DynamicAxis, AxisId>();
  private readonly shared = new Map<NetworkNode, BufferId>();

  constructor(
    readonly graph: ExecutionGraph,
    readonly elementType: ElementType,
  ) {}

  /** Instructions of one entry: its nodes in an order of execution, loops in one piece, then its assignments. */
  lowerEntry(entry: GraphEntry): LoweredEntry {
    return new EntryLowering(this, entry).run();
  }

  factsOf(node: NetworkNode): NodeFacts {
    const facts = this.graph.facts.get(node);
    if (!facts) throw new Error(`the graph knows nothing about ${node.name}`);
    return facts;
  }

  axisId(axis: DynamicAxis | null): AxisId | null {
    if (axis === null) return null;
    const known = this.axisIds.get(axis);
    if (known !== undefined) return known;
    const id = this.axes.length;
    this.axes.push({ id, name: axis.axisName, source: "minibatch" });
    this.axisIds.set(axis, id);
    return id;
  }

  /** An instruction gives the axis its layout. */
  opensAxis(id: AxisId): void {
    this.axes[id] = { ...(this.axes[id] as PlanAxis), source: "computed" };
  }

  /** The buffer of a node without a lowering rule: an input, or else a state (parameters among them). */
  leaf(node: NetworkNode): BufferId {
    const known = this.shared.get(node);
    if (known !== undefined) return known;
    const { shape, dynamicAxis, attributes, storage } = this.factsOf(node);
    const isInput = node.op.role === "input";
    if (!isInput && node.op.role === undefined) {
      throw new CntkError({
        code: "no-value",
        message: `Node '${node.name}' (${node.op.name} operation) has no value that could be computed.`,
        span: node.origin,
        calls: node.calls?.map((span) => ({ span })),
      });
    }
    const initial = attributes["initial"];
    const buffer = this.declare({
      name: node.name,
      dims: shape,
      axis: this.axisId(dynamicAxis),
      role: isInput ? "input" : "state",
      storage,
      ...(node.op.role === "state" && typeof initial === "number" && { initial }),
    });
    this.shared.set(node, buffer.id);
    return buffer.id;
  }

  declare(buffer: Omit<Buffer, "id">): Buffer {
    const declared = { id: this.buffers.length, ...buffer };
    this.buffers.push(declared);
    return declared;
  }
}

/** The lowering of one entry. */
class EntryLowering {
  private readonly steps: Step[] = [];
  private readonly carries: Carry[] = [];
  private readonly own = new Map<NetworkNode, BufferId>();
  /** Sparse values that somebody needed written out. */
  private readonly dense = new Map<BufferId, Operand>();
  /** By axis: a value along it that is there before any loop. */
  private readonly alongAxis = new Map<AxisId, Operand>();

  constructor(
    private readonly plan: Lowering,
    private readonly entry: GraphEntry,
  ) {}

  run(): LoweredEntry {
    const computed = this.entry.order.filter((node) => isComputed(node));
    // A recurrence is read before it is written: all buffers exist from the start.
    for (const node of this.entry.order) {
      if (isComputed(node)) this.own.set(node, this.valueBuffer(node));
      else {
        this.plan.leaf(node);
        const leaf = this.operand(node);
        if (leaf.axis !== null && !this.alongAxis.has(leaf.axis)) this.alongAxis.set(leaf.axis, leaf);
      }
    }
    for (const part of executionOrder(computed, (node) => this.inputsOf(node), delayOf)) {
      if (isLoop(part)) this.steps.push(this.loop(part));
      else this.steps.push(...this.instructionsFor(part));
    }
    const outputs = this.assign();
    return { steps: this.steps, outputs, carries: this.carries };
  }

  private inputsOf(node: NetworkNode): readonly NetworkNode[] {
    const companions = this.plan.graph.companions.get(node) ?? [];
    return node.op.expand ? companions : [...node.inputs, ...companions];
  }

  private loop({ nodes, direction }: NodeLoop): Loop {
    const [first] = nodes as [NetworkNode];
    const misplaced = nodes.find(({ op }) => op.nonLooping);
    if (misplaced) throw notInLoop(misplaced);
    const axis = this.plan.axisId(this.plan.factsOf(first).dynamicAxis);
    /** Buffers that differ from turn to turn. */
    const varying = new Set(nodes.map((node) => this.own.get(node)));
    const body = nodes.flatMap((node) =>
      this.instructionsFor(node).filter((instruction) => {
        const { kind, reads, writes } = instruction;
        const varies = varying.has(writes.buffer) || reads.some(({ buffer }) => varying.has(buffer));
        if (!varies) {
          // The same in every turn: a constant, say. It is made once, before the loop.
          this.steps.push(instruction);
          return false;
        }
        if (signatureOf(kind).wholeAxis || axis === null || writes.axis !== axis) throw notInLoop(node);
        varying.add(writes.buffer);
        return true;
      }),
    );
    return { kind: "loop", axis: axis as AxisId, direction, body };
  }

  private instructionsFor(node: NetworkNode): Instruction[] {
    const instructions: Instruction[] = [];
    const { attributes, details } = this.plan.factsOf(node);
    const companions = (this.plan.graph.companions.get(node) ?? []).map((companion) =>
      this.operand(companion),
    );
    const output = this.operand(node);
    if (node.op.expand) {
      const [value] = companions;
      if (!value) throw new Error(`${node.name} was not written out`);
      return [{ kind: "copy", reads: [value], writes: output, parameters: {} }];
    }
    let scratch = 0;
    node.op.lower?.({
      node,
      attributes,
      details,
      inputs: node.inputs.map((input, index) =>
        node.op.sparseInputs?.includes(index) ? this.operand(input) : this.writtenOut(this.operand(input)),
      ),
      companions,
      output,
      mode: this.plan.graph.mode,
      emit: (kind, reads, writes, parameters) =>
        instructions.push(...this.instructions(node, kind, reads, writes, parameters)),
      temporary: (dims, axis) => this.temporary(node.name, `scratch${scratch++}`, dims, axis),
      carried: (value, frames) => this.carriedBuffer(node.name, value, frames),
    });
    return instructions;
  }

  /** An instruction, behind those that bring its operands under one dynamic axis. */
  private instructions<K extends Kind>(
    node: NetworkNode,
    kind: K,
    reads: readonly Operand[],
    writes: Operand,
    parameters: Parameters[K],
  ): Instruction[] {
    let instruction = { kind, reads, writes, parameters } as Instruction;
    if (signatureOf(kind).opensAxis && writes.axis !== null) {
      this.plan.opensAxis(writes.axis);
      this.alongAxis.set(writes.axis, writes);
    }
    if (instruction.kind === "map") {
      const expression: Expression = foldConstants(instruction.parameters.expression, this.plan.elementType);
      instruction = withoutUnusedInputs({ ...instruction, parameters: { expression } });
    } else if (instruction.kind === "mapTouched") {
      // The first operand says which columns are meant, looked at or not.
      const expression = foldConstants(instruction.parameters.expression, this.plan.elementType);
      instruction = { ...instruction, parameters: { expression } };
    }
    return signatureOf(kind).mixesAxes ? [instruction] : this.underOneAxis(node, instruction);
  }

  /**
   * Data of another dynamic axis may be used like that of the same one if its sequences lie in the same places, which shows
   * when it runs: CNTK compares layouts by content (Sequences.h, TensorSliceWithMBLayoutFor).
   */
  private underOneAxis(node: NetworkNode, instruction: Instruction): Instruction[] {
    const { reads, writes } = instruction;
    const own = writes.axis ?? reads.find(({ axis }) => axis !== null)?.axis ?? null;
    if (reads.every(({ axis }) => axis === null || axis === own)) return [instruction];
    const before: Instruction[] = [];
    const reconciled = reads.map((operand) => {
      if (operand.axis === null || operand.axis === own || own === null) return operand;
      const like = this.alongAxis.get(own) ?? reads.find(({ axis }) => axis === own) ?? writes;
      const there = this.temporary(node.name, "reconciled", operand.dims, own);
      const pair = [this.writtenOut(operand), like];
      before.push({ kind: "reconcile", reads: pair, writes: there, parameters: { repeats: false } });
      return there;
    });
    return [...before, { ...instruction, reads: reconciled }];
  }

  /** A sparse value in dense form; made once, and before any loop that needs it. */
  private writtenOut(operand: Operand): Operand {
    if (operand.storage === "dense") return operand;
    let dense = this.dense.get(operand.buffer);
    if (!dense) {
      const { name = "", serves = name } = this.plan.buffers[operand.buffer] ?? {};
      dense = this.temporary(serves, "dense", operand.dims, operand.axis);
      this.dense.set(operand.buffer, dense);
      this.steps.push({ kind: "toDense", reads: [operand], writes: dense, parameters: {} });
    }
    return { ...dense, dims: operand.dims };
  }

  private carriedBuffer(name: string, value: Operand, frames: number): Operand {
    const { dims, axis } = value;
    const { id } = this.plan.declare({
      name: `${name}.carried`,
      role: "carried",
      dims,
      axis,
      storage: "dense",
    });
    this.carries.push({ value: value.buffer, into: id, frames });
    return { buffer: id, dims, axis, storage: "dense" };
  }

  /** Carries out the assignments: each sees only values from before the first of them. Returns the entry's outputs. */
  private assign(): LoweredEntry["outputs"] {
    const { assignments, outputs } = this.entry;
    const assigned = new Set(assignments.map(({ state }) => state));
    const taken = new Map<NetworkNode, Operand>();
    const valueBefore = (node: NetworkNode): Operand => {
      if (!assigned.has(node)) return this.operand(node);
      let copy = taken.get(node);
      if (!copy) {
        const state = this.operand(node);
        const { dims, axis, storage } = state;
        copy = this.temporary(node.name, "old", dims, axis, storage);
        taken.set(node, copy);
        this.steps.push(copyOf(state, copy));
      }
      return copy;
    };
    const results = outputs.map((node) => {
      const value = valueBefore(node);
      return { name: node.name, buffer: this.writtenOut(value).buffer };
    });
    const writes = assignments.map((assignment) => this.assignment(assignment, valueBefore));
    this.steps.push(...writes);
    return results;
  }

  private assignment({ state, value }: Assignment, valueBefore: (node: NetworkNode) => Operand): Instruction {
    const input = valueBefore(value);
    const output = this.operand(state);
    if (input.axis !== null || elementCount(input.dims) !== elementCount(output.dims)) {
      throw new Error(`the value ${value.name} assigned to ${state.name} has another size`);
    }
    return copyOf(input, output);
  }

  private operand(node: NetworkNode): Operand {
    const { shape, dynamicAxis } = this.plan.factsOf(node);
    const buffer = isComputed(node) ? this.own.get(node) : this.plan.leaf(node);
    if (buffer === undefined) throw new Error(`${node.name} is used before it is computed`);
    const { storage } = this.plan.buffers[buffer] as Buffer;
    return { buffer, dims: shape, axis: this.plan.axisId(dynamicAxis), storage };
  }

  private valueBuffer(node: NetworkNode): BufferId {
    const { shape, dynamicAxis, storage } = this.plan.factsOf(node);
    const buffer = this.plan.declare({
      name: node.name,
      dims: shape,
      axis: this.plan.axisId(dynamicAxis),
      role: "temporary",
      // What is computed from sparse data is dense, whatever CNTK makes of it, but for gradients.
      storage: storage === "touched" ? "touched" : "dense",
    });
    return buffer.id;
  }

  /** Scratch memory that helps to compute the value of the node `serves`. */
  private temporary(
    serves: string,
    use: string,
    dims: SampleShape,
    axis: AxisId | null,
    storage: Storage = "dense",
  ): Operand {
    const name = `${serves}.${use}`;
    const { id } = this.plan.declare({ name, serves, dims, axis, role: "temporary", storage });
    return { buffer: id, dims, axis, storage };
  }
}

/** A touched value is copied with the list of its columns. */
function copyOf(from: Operand, to: Operand): Instruction {
  if (from.storage !== "touched" || to.storage !== "touched") {
    return { kind: "copy", reads: [from], writes: to, parameters: {} };
  }
  return { kind: "mapTouched", reads: [from], writes: to, parameters: { expression: argument(0) } };
}

function isComputed(node: NetworkNode): boolean {
  return node.op.lower !== undefined || node.op.expand !== undefined;
}

/** The direction in time of loops through a node that delays its input. */
function delayOf(node: NetworkNode): 1 | -1 | undefined {
  if (node.op.delay) return node.op.delay;
  if (!node.internal || node.op.name !== ("shift" satisfies Kind)) return undefined;
  const { steps } = node.attributes["parameters"] as ShiftParameters;
  return steps > 0 ? 1 : -1;
}

function notInLoop(node: NetworkNode): CntkError {
  return new CntkError({
    code: "not-in-loop",
    message: `Node '${node.name}' (${node.op.name} operation): ${node.op.name}Node node should never be in a loop.`,
    hint: "a recurrence is computed step by step; this node needs all time steps at once",
    span: node.origin,
    calls: node.calls?.map((span) => ({ span })),
  });
}

/** Names of the run-time numbers that instructions need. */
export function scalarNames(instructions: readonly Instruction[]): Set<string> {
  const names = new Set<string>();
  for (const instruction of instructions) {
    if (instruction.kind === "map" || instruction.kind === "mapTouched") {
      scalarsOf(instruction.parameters.expression).forEach((name) => names.add(name));
    }
    if (instruction.kind === "dropoutMask") names.add(instruction.parameters.rate);
  }
  return names;
}
