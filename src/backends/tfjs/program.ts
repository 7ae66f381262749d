import type { Tensor } from "@tensorflow/tfjs-core";
import type { BufferId, Operand } from "../../primitives/instruction.js";
import type { BufferDeclaration, Plan } from "../../plan/plan.js";
import type { Device } from "./device.js";
import type { Scalars } from "./kernels/elementwise.js";
import { plain, product, type Layout } from "./layout.js";
import type { RandomEngine } from "./random-engine.js";

/** Number of a value: what one instruction computed. A buffer written twice holds two values, one after the other. */
export type ValueId = number;

/** What is known of a value when the plan is compiled. */
export interface ValueFacts {
  /** Numbers, per sample if `perSample`. */
  readonly elements: number;
  readonly perSample: boolean;
  readonly layout: Layout;
}

/** What a run works on. */
export interface Frame {
  readonly samples: number;
  readonly scalars: Scalars;
  /** By value; null before it is computed and after it was last needed. */
  readonly tensors: (Tensor | null)[];
  readonly engines: ReadonlyMap<string, RandomEngine>;
}

/** One thing to do in a run. */
export interface Step {
  readonly reads: readonly ValueId[];
  readonly writes: ValueId;
  /** Computes the value that the step writes. */
  readonly compute: (frame: Frame) => Tensor;
}

/** A kernel of ours: fills `output` from the inputs' numbers. */
export type OwnKernel = (frame: Frame, output: Float32Array, inputs: readonly Float32Array[]) => void;

/** The tensor of a value that must be there. */
export function tensorOf(frame: Frame, value: ValueId): Tensor {
  const tensor = frame.tensors[value];
  if (!tensor) throw new Error(`internal error: value ${value} is not there when it is needed`);
  return tensor;
}

/**
 * Collects the steps of one entry. Since values are never overwritten, a copy costs nothing, an update in place is
 * simply a new value, and the layout of each value is known in advance.
 */
export class ProgramBuilder {
  readonly values: ValueFacts[] = [];
  readonly steps: Step[] = [];
  /** The value that stands for each input or state when the entry begins. */
  readonly initial = new Map<BufferId, ValueId>();
  private readonly current = new Map<BufferId, ValueId>();
  private readonly conversions = new Map<ValueId, Map<Layout, ValueId>>();

  constructor(
    readonly device: Device,
    readonly plan: Plan,
  ) {}

  /** The value a buffer holds at this point of the program, in whatever layout. */
  valueOf(buffer: BufferId): ValueId {
    const known = this.current.get(buffer);
    if (known !== undefined) return known;
    const declaration = this.declaration(buffer);
    if (declaration.role === "temporary") {
      throw new Error(`The plan reads buffer '${declaration.name}' before it is written.`);
    }
    const value = this.newValue(product(declaration.dims), declaration.perSample, plain);
    this.initial.set(buffer, value);
    this.current.set(buffer, value);
    return value;
  }

  factsOf(value: ValueId): ValueFacts {
    return this.values[value] as ValueFacts;
  }

  /** The operand's value in the layout asked for; transposes it if it lies otherwise. */
  read(operand: Pick<Operand, "buffer">, layout: Layout): ValueId {
    return this.convert(this.valueOf(operand.buffer), layout);
  }

  convert(value: ValueId, layout: Layout): ValueId {
    const facts = this.factsOf(value);
    if (facts.layout === layout) return value;
    if (facts.layout !== plain && layout !== plain) return this.convert(this.convert(value, plain), layout);
    let known = this.conversions.get(value);
    if (!known) this.conversions.set(value, (known = new Map<Layout, ValueId>()));
    let converted = known.get(layout);
    if (converted === undefined) {
      converted = this.transposition(value, facts, layout);
      known.set(layout, converted);
      this.conversions.set(converted, new Map([[facts.layout, value]]));
    }
    return converted;
  }

  private transposition(value: ValueId, facts: ValueFacts, layout: Layout): ValueId {
    const channels = layout === plain ? facts.layout : layout;
    const pixels = facts.elements / channels;
    const { device } = this;
    return this.compute([value], { ...facts, layout }, (frame) => {
      const samples = facts.perSample ? frame.samples : 1;
      const shape = layout === plain ? [samples, pixels, channels] : [samples, channels, pixels];
      return device.call(
        "Transpose",
        { x: device.shaped(tensorOf(frame, value), shape) },
        { perm: [0, 2, 1] },
      );
    });
  }

  /** Adds a step that makes a new value. */
  compute(reads: readonly ValueId[], facts: ValueFacts, compute: (frame: Frame) => Tensor): ValueId {
    const writes = this.newValue(facts.elements, facts.perSample, facts.layout);
    this.steps.push({ reads, writes, compute });
    return writes;
  }

  /** Adds a step that runs a kernel of ours. The output's memory is arbitrary when the kernel gets it. */
  own(reads: readonly ValueId[], facts: ValueFacts, kernel: OwnKernel): ValueId {
    const { device } = this;
    return this.compute(reads, facts, (frame) => {
      const output = device.allocate(facts.elements * (facts.perSample ? frame.samples : 1));
      // Views only after the allocation: on wasm it may move the heap.
      const target = device.view(output);
      const sources = reads.map((read) => device.view(tensorOf(frame, read)));
      kernel(frame, target, sources);
      return output;
    });
  }

  /** Makes `value` what the operand's buffer holds from here on. */
  assign(operand: Pick<Operand, "buffer">, value: ValueId): void {
    const facts = this.factsOf(value);
    const buffer = this.declaration(operand.buffer);
    if (facts.elements !== product(buffer.dims) || facts.perSample !== buffer.perSample) {
      throw new Error(`The plan writes a value of another size to buffer '${buffer.name}'.`);
    }
    this.current.set(operand.buffer, value);
  }

  /** What each buffer holds when the entry is over, by buffer. */
  get final(): ReadonlyMap<BufferId, ValueId> {
    return this.current;
  }

  declaration(buffer: BufferId): BufferDeclaration {
    const declaration = this.plan.buffers[buffer];
    if (!declaration) throw new Error(`The plan has no buffer ${buffer}.`);
    return declaration;
  }

  private newValue(elements: number, perSample: boolean, layout: Layout): ValueId {
    this.values.push({ elements, perSample, layout });
    return this.values.length - 1;
  }
}

/** Facts of the value an operand describes. */
export function factsOfOperand(operand: Operand, layout: Layout = plain): ValueFacts {
  return { elements: product(operand.dims), perSample: operand.perSample, layout };
}
