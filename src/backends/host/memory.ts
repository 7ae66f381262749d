import { columnCount, gapMask } from "../../minibatch/layout.js";
import type { AxisLayout } from "../../minibatch/minibatch.js";
import { elementCount } from "../../network/network.js";
import type { Values } from "../../numerics/values.js";
import type { AxisId, BufferId } from "../../primitives/instruction.js";
import type { Buffer, Carry, Plan } from "../../plan/plan.js";
import { javascriptHeap, type GivenValues, type Heap } from "./heap.js";
import type { CarriedFrames, SparseColumns } from "./kernel.js";
import { TouchedMatrix } from "./touched.js";

/**
 * The memory of a plan: an array per buffer, shared by temporaries of one slot. What lies along a dynamic axis grows with
 * the largest layout that the axis has had, also in the middle of a run, when an instruction opens the axis.
 */
export class PlanMemory {
  /** By buffer; inputs are put in by the executable before each run. */
  readonly values: Values[];
  /** By buffer: the data of sparse inputs, the memory of touched values. */
  readonly sparse = new Map<BufferId, SparseColumns>();
  readonly touched = new Map<BufferId, TouchedMatrix>();
  /** By buffer: what carried buffers kept, in the present series of minibatches. */
  private carriedNow = new Map<BufferId, CarriedFrames>();
  private readonly carriedInSeries = new Map([[0, this.carriedNow]]);
  /** By axis: its present layout, its columns and where its gaps are. */
  readonly layouts: (AxisLayout | undefined)[] = [];
  readonly columns: number[];
  readonly gaps: (Uint8Array | null)[];
  /** By buffer: elements of one column. */
  readonly sizes: readonly number[];
  private readonly capacities: number[];
  /** By slot: the buffers that live in it. */
  private readonly tenants: BufferId[][];
  private readonly touchedInSlot = new Map<string, TouchedMatrix>();

  constructor(
    private readonly plan: Plan,
    private readonly heap: Heap = javascriptHeap,
  ) {
    const { axes, buffers, memory } = plan;
    this.columns = axes.map(() => 0);
    this.gaps = axes.map(() => null);
    this.capacities = axes.map(() => 0);
    this.sizes = buffers.map(({ dims }) => elementCount(dims));
    this.tenants = memory.slots.map(() => []);
    for (const buffer of buffers) {
      const slot = memory.slotOf[buffer.id] ?? null;
      if (buffer.storage === "touched") this.touched.set(buffer.id, this.touchedMatrix(buffer, slot));
      else if (slot !== null) this.tenants[slot]?.push(buffer.id);
    }
    this.values = buffers.map((buffer) => this.initialValues(buffer));
    this.values.forEach((values, buffer) => this.heap.placed?.(buffer, values));
    this.allocateSlots(null, 1);
  }

  /** Gives an axis its layout, and room to the temporaries along it; they lose their contents when it grows. */
  setLayout(axis: AxisId, layout: AxisLayout): void {
    const columns = columnCount(layout);
    this.layouts[axis] = layout;
    this.columns[axis] = columns;
    const gaps = gapMask(layout);
    this.gaps[axis] = gaps;
    this.heap.laidOut?.(axis, layout, gaps);
    if (columns <= (this.capacities[axis] ?? 0)) return;
    this.capacities[axis] = columns;
    this.allocateSlots(axis, columns);
  }

  get carried(): ReadonlyMap<BufferId, CarriedFrames> {
    return this.carriedNow;
  }

  /** Goes over to another series of minibatches, with frames of its own. */
  selectSeries(series: number): void {
    this.carriedNow = this.carriedInSeries.get(series) ?? new Map<BufferId, CarriedFrames>();
    this.carriedInSeries.set(series, this.carriedNow);
  }

  forgetCarried(): void {
    for (const kept of this.carriedInSeries.values()) kept.clear();
  }

  /** Takes the first `length` numbers of the caller's as the contents of an input. */
  feed(buffer: BufferId, given: GivenValues, length: number): void {
    const former = this.values[buffer];
    this.place(buffer, this.heap.adopt(this.plan.elementType, given, length, former));
  }

  /** Takes the caller's sparse columns as the contents of an input. */
  feedSparse(buffer: BufferId, { values, rows, columnStarts }: SparseColumns): void {
    const { elementType } = this.plan;
    const former = this.sparse.get(buffer)?.values;
    const adopted = this.heap.adopt(elementType, { values }, values.length, former);
    this.sparse.set(buffer, { values: adopted, rows, columnStarts });
  }

  /** Keeps the last frames of a value for the next minibatch. */
  keep({ value, into, frames }: Carry): void {
    const buffer = this.plan.buffers[value];
    const layout = buffer?.axis == null ? undefined : this.layouts[buffer.axis];
    const values = this.values[value];
    if (!layout || !values) throw new Error(`buffer ${value} has no frames to keep`);
    const { rows, steps } = layout;
    const kept = Math.min(frames, steps);
    const frame = rows * (this.sizes[value] ?? 0);
    const former = this.carried.get(into)?.values;
    const count = kept * frame;
    const target = former && former.length >= count ? former : this.grown(former, count);
    target.set(values.subarray((steps - kept) * frame, steps * frame));
    this.carriedNow.set(into, { values: target, rows, frames: kept });
  }

  private grown(former: Values | undefined, count: number): Values {
    if (former) this.heap.release(former);
    return this.heap.allocate(this.plan.elementType, count);
  }

  private place(buffer: BufferId, values: Values): void {
    this.values[buffer] = values;
    this.heap.placed?.(buffer, values);
  }

  private initialValues(buffer: Buffer): Values {
    const touched = this.touched.get(buffer.id);
    if (touched) {
      touched.fill(buffer.initial ?? 0);
      return touched.values;
    }
    const { elementType } = this.plan;
    if (buffer.role !== "state") return this.heap.allocate(elementType, 0);
    if (buffer.axis !== null) throw new Error(`the state ${buffer.name} cannot have a dynamic axis`);
    return this.heap.allocate(elementType, elementCount(buffer.dims)).fill(buffer.initial ?? 0);
  }

  /** Touched temporaries of one slot and size are one matrix: whoever writes it clears it, at the cost of what was written. */
  private touchedMatrix({ dims, axis, name }: Buffer, slot: number | null): TouchedMatrix {
    if (axis !== null) throw new Error(`${name} cannot be touched along a dynamic axis`);
    const columns = dims.at(-1) ?? 1;
    const height = elementCount(dims) / columns;
    const key = `${slot}:${height}:${columns}`;
    const shared = slot === null ? undefined : this.touchedInSlot.get(key);
    const matrix = shared ?? new TouchedMatrix(this.plan.elementType, height, columns, this.heap);
    this.touchedInSlot.set(key, matrix);
    return matrix;
  }

  private allocateSlots(axis: AxisId | null, columns: number): void {
    this.plan.memory.slots.forEach((slot, index) => {
      const tenants = this.tenants[index] ?? [];
      if (slot.axis !== axis || tenants.length === 0) return;
      const [first] = tenants;
      const former = first === undefined ? undefined : this.values[first];
      const array = this.grown(former, slot.size * columns);
      for (const buffer of tenants) this.place(buffer, array);
    });
  }
}
