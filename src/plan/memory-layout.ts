import type { AxisId, BufferId } from "../primitives/instruction.js";
import { bufferLifetimes } from "./lifetimes.js";
import type { Buffer, Entry, MemoryLayout } from "./plan.js";

interface GrowingSlot {
  size: number;
  readonly axis: AxisId | null;
}

/**
 * Gives every temporary a slot: walks through each entry and takes the free slot that fits best. Temporaries that are never
 * alive at the same time share one, also across entries. A slot belongs to one axis, so that it grows with it. Along an axis
 * temporaries of less than `apart` elements share a slot only with others of their size: a piece of the columns then lies in the
 * same place for all of them, whatever the other columns are at.
 */
export function layOutMemory(buffers: readonly Buffer[], entries: readonly Entry[], apart = 0): MemoryLayout {
  const slots: GrowingSlot[] = [];
  const slotOf: (number | null)[] = buffers.map(() => null);
  for (const entry of entries) assignSlots(buffers, entry, new FreeSlots(slots, apart), slotOf);
  return { slots, slotOf };
}

function assignSlots(
  buffers: readonly Buffer[],
  entry: Entry,
  free: FreeSlots,
  slotOf: (number | null)[],
): void {
  const lifetimes = bufferLifetimes(buffers, entry);
  const begins = new Map<number, BufferId[]>();
  const ends = new Map<number, BufferId[]>();
  for (const [buffer, { first, last }] of lifetimes) {
    listed(begins, first).push(buffer);
    listed(ends, last).push(buffer);
  }
  entry.steps.forEach((_, index) => {
    for (const id of begins.get(index) ?? []) {
      const { dims, axis } = buffers[id] as Buffer;
      const size = dims.reduce((product, dim) => product * dim, 1);
      slotOf[id] = free.take(size, axis);
    }
    for (const id of ends.get(index) ?? []) free.give(slotOf[id] as number);
  });
}

function listed(lists: Map<number, BufferId[]>, key: number): BufferId[] {
  const known = lists.get(key);
  if (known) return known;
  const made: BufferId[] = [];
  lists.set(key, made);
  return made;
}

/** The slots that no living temporary holds, by axis (and size, where sizes are kept apart) and ordered by size. */
class FreeSlots {
  private readonly lists = new Map<string, number[]>();

  constructor(
    private readonly slots: GrowingSlot[],
    private readonly apart: number,
  ) {
    slots.forEach((_, index) => this.give(index));
  }

  /** The smallest free slot that is large enough, else the largest free one, made larger, else a new one. */
  take(size: number, axis: AxisId | null): number {
    const list = this.list(size, axis);
    if (list.length === 0) {
      this.slots.push({ size, axis });
      return this.slots.length - 1;
    }
    const at = Math.min(this.position(list, size), list.length - 1);
    const [index = 0] = list.splice(at, 1);
    const slot = this.slots[index] as GrowingSlot;
    slot.size = Math.max(slot.size, size);
    return index;
  }

  give(index: number): void {
    const { size, axis } = this.slots[index] as GrowingSlot;
    const list = this.list(size, axis);
    list.splice(this.position(list, size), 0, index);
  }

  private list(size: number, axis: AxisId | null): number[] {
    const key = axis !== null && size < this.apart ? `${axis} ${size}` : String(axis);
    const known = this.lists.get(key) ?? [];
    this.lists.set(key, known);
    return known;
  }

  /** The first place in a list whose slot is at least `size` large. */
  private position(list: readonly number[], size: number): number {
    let [low, high] = [0, list.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.slots[list[middle] as number] as GrowingSlot).size < size) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
