import { elementCount, type EntryName } from "../../network/network.js";
import { bufferWritten } from "../../plan/instruction-operands.js";
import { bufferLifetimes } from "../../plan/lifetimes.js";
import type { BufferDeclaration, Plan, PlanEntry } from "../../plan/plan.js";
import type { Values } from "../backend.js";

/** Memory that temporaries use one after another. */
interface Slot {
  /** Elements, per sample if `perSample`. */
  size: number;
  readonly perSample: boolean;
  readonly buffers: number[];
}

/**
 * The memory of a plan: an array per buffer. Temporaries that are never alive at the same time share an array, also
 * across entries. What depends on the number of samples grows with the largest minibatch met.
 */
export class PlanMemory {
  /** By buffer number; inputs are put in by the caller before each run. */
  readonly values: Values[];
  private readonly slots: Slot[] = [];
  private capacity = 0;

  constructor(private readonly plan: Plan) {
    this.values = plan.buffers.map((buffer) => this.initialValues(buffer));
    for (const name of Object.keys(plan.entries) as EntryName[]) {
      const entry = plan.entries[name];
      if (entry) this.assignSlots(entry);
    }
    for (const slot of this.slots) if (!slot.perSample) this.allocate(slot, 1);
  }

  /** Makes room for minibatches of `samples` samples; temporaries lose their contents when it grows. */
  reserve(samples: number): void {
    if (samples <= this.capacity) return;
    this.capacity = samples;
    for (const slot of this.slots) if (slot.perSample) this.allocate(slot, samples);
  }

  /** An array of the plan's element type. */
  newArray(length: number): Values {
    return this.plan.elementType === "float" ? new Float32Array(length) : new Float64Array(length);
  }

  private initialValues(buffer: BufferDeclaration): Values {
    if (buffer.role !== "state") return this.newArray(0);
    if (buffer.perSample) throw new Error(`the state ${buffer.name} cannot have samples`);
    return this.newArray(elementCount(buffer.dims)).fill(buffer.initial ?? 0);
  }

  private allocate(slot: Slot, samples: number): void {
    const array = this.newArray(slot.size * samples);
    for (const buffer of slot.buffers) this.values[buffer] = array;
  }

  /** Walks through the entry and gives each temporary the free slot that fits best. */
  private assignSlots(entry: PlanEntry): void {
    const lifetimes = bufferLifetimes(this.plan, entry);
    const free = new Set(this.slots);
    const slotOf = new Map<number, Slot>();
    entry.instructions.forEach((instruction, index) => {
      const written = this.plan.buffers[bufferWritten(instruction)];
      if (written?.role === "temporary" && lifetimes.get(written.id)?.first === index) {
        const slot = this.takeSlot(free, elementCount(written.dims), written.perSample);
        slot.buffers.push(written.id);
        slotOf.set(written.id, slot);
      }
      for (const [buffer, { last }] of lifetimes) {
        const slot = slotOf.get(buffer);
        if (last === index && slot) free.add(slot);
      }
    });
  }

  /** The smallest free slot that is large enough, else the largest free one, made larger, else a new one. */
  private takeSlot(free: Set<Slot>, size: number, perSample: boolean): Slot {
    let best: Slot | undefined;
    for (const slot of free) {
      if (slot.perSample !== perSample) continue;
      const fits = slot.size >= size;
      const better =
        !best ||
        (fits ? best.size < size || slot.size < best.size : best.size < size && slot.size > best.size);
      if (better) best = slot;
    }
    if (!best) {
      best = { size, perSample, buffers: [] };
      this.slots.push(best);
    }
    free.delete(best);
    best.size = Math.max(best.size, size);
    return best;
  }
}
