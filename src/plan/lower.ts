import type { Assignment, ExecutionGraph, NetworkNode, SampleShape } from "../network/network.js";
import { elementCount } from "../network/network.js";
import type { BufferId, Instruction, Operand } from "../primitives/instruction.js";
import { foldConstants, withoutUnusedInputs } from "./fold-constants.js";
import type { ElementType } from "../numerics/values.js";
import type { BufferDeclaration } from "./plan.js";

/** One entry after lowering, before anything is removed. */
export interface LoweredEntry {
  readonly instructions: Instruction[];
  readonly outputs: readonly { readonly name: string; readonly buffer: BufferId }[];
}

/**
 * Turns nodes into instructions by their ops' `lower` rules. Inputs and states get one buffer for the whole plan;
 * everything else gets a buffer per entry, since temporaries do not survive a run.
 */
export class Lowering {
  readonly buffers: BufferDeclaration[] = [];
  private readonly shared = new Map<NetworkNode, BufferId>();

  constructor(
    private readonly graph: ExecutionGraph,
    private readonly elementType: ElementType,
  ) {}

  /** Instructions of one entry: its nodes in order, then its assignments. */
  lowerEntry(
    order: readonly NetworkNode[],
    outputs: readonly NetworkNode[],
    assignments: readonly Assignment[],
  ): LoweredEntry {
    const instructions: Instruction[] = [];
    const own = new Map<NetworkNode, BufferId>();
    for (const node of order) {
      if (node.op.lower) own.set(node, this.lowerNode(node, own, instructions));
      else this.leaf(node);
    }

    const operand = (node: NetworkNode): Operand => this.operand(node, own);
    const assigned = new Set(assignments.map(({ state }) => state));
    const taken = new Map<NetworkNode, Operand>();
    /** The node's value as computed: a state that this entry also changes is copied away first. */
    const valueBeforeAssignments = (node: NetworkNode): Operand => {
      if (!assigned.has(node)) return operand(node);
      let copy = taken.get(node);
      if (!copy) {
        copy = this.temporary(`${node.name}.old`, operand(node).dims, false);
        taken.set(node, copy);
        instructions.push({ kind: "copy", input: operand(node), output: copy });
      }
      return copy;
    };
    const results = outputs.map((node) => ({
      name: node.name,
      buffer: valueBeforeAssignments(node).buffer,
    }));
    const writes = assignments.map(({ state, value }): Instruction => {
      const input = valueBeforeAssignments(value);
      const output = this.operand(state, own);
      if (input.perSample || elementCount(input.dims) !== elementCount(output.dims)) {
        throw new Error(`the value ${value.name} assigned to ${state.name} has another size`);
      }
      return { kind: "copy", input, output };
    });
    return { instructions: [...instructions, ...writes], outputs: results };
  }

  private lowerNode(
    node: NetworkNode,
    own: ReadonlyMap<NetworkNode, BufferId>,
    instructions: Instruction[],
  ): BufferId {
    const facts = this.factsOf(node);
    const output = this.temporary(node.name, facts.shape, facts.dynamicAxis !== null);
    let scratch = 0;
    node.op.lower?.({
      node,
      attributes: facts.attributes,
      inputs: node.inputs.map((input) => this.operand(input, own)),
      companions: (this.graph.companions.get(node) ?? []).map((companion) => this.operand(companion, own)),
      output,
      mode: this.graph.mode,
      emit: (instruction) => instructions.push(this.folded(instruction)),
      temporary: (dims, perSample) => this.temporary(`${node.name}.scratch${scratch++}`, dims, perSample),
    });
    return output.buffer;
  }

  private folded(instruction: Instruction): Instruction {
    if (instruction.kind !== "elementwise") return instruction;
    const expression = foldConstants(instruction.expression, this.elementType);
    return withoutUnusedInputs({ ...instruction, expression });
  }

  /** The shared buffer of a node without a lowering rule: an input, or else a state (parameters among them). */
  private leaf(node: NetworkNode): BufferId {
    const known = this.shared.get(node);
    if (known !== undefined) return known;
    const { shape, dynamicAxis, attributes } = this.factsOf(node);
    const isInput = node.op.role === "input";
    const initial = attributes["initial"];
    const id = this.declare({
      name: node.name,
      dims: shape,
      perSample: dynamicAxis !== null,
      role: isInput ? "input" : "state",
      ...(node.op.role === "state" && typeof initial === "number" && { initial }),
    });
    this.shared.set(node, id);
    return id;
  }

  private operand(node: NetworkNode, own: ReadonlyMap<NetworkNode, BufferId>): Operand {
    const { shape, dynamicAxis } = this.factsOf(node);
    const buffer = node.op.lower ? own.get(node) : this.leaf(node);
    if (buffer === undefined) throw new Error(`${node.name} is used before it is computed`);
    return { buffer, dims: shape, perSample: dynamicAxis !== null };
  }

  private temporary(name: string, dims: SampleShape, perSample: boolean): Operand {
    return { buffer: this.declare({ name, dims, perSample, role: "temporary" }), dims, perSample };
  }

  private declare(declaration: Omit<BufferDeclaration, "id">): BufferId {
    const id = this.buffers.length;
    this.buffers.push({ id, ...declaration });
    return id;
  }

  private factsOf(node: NetworkNode) {
    const facts = this.graph.facts.get(node);
    if (!facts) throw new Error(`the graph knows nothing about ${node.name}`);
    return facts;
  }
}
