import { columnCount } from "../../minibatch/layout.js";
import type { AxisLayout } from "../../minibatch/minibatch.js";
import type { ElementType, Values } from "../../numerics/values.js";
import type { AxisId, BufferId } from "../../primitives/instruction.js";
import type { GivenValues, Heap } from "../host/heap.js";
import { Arena } from "./arena.js";
import type { LinearMemory } from "./emit/engine.js";
import type { TableLayout } from "./layout.js";

/** Threads that write into one line of the cache wait for each other. */
const cacheLine = 64;

/** What an axis needs beside its values, and for how many columns there is room. */
interface AxisMemory {
  columns: number;
  mask: Uint8Array | null;
  readonly rooms: Map<number, number>;
}

/** The host's arrays as views of one linear memory, and the table that tells the module where they are. */
export class LinearHeap implements Heap {
  private readonly arena: Arena;
  private readonly table: Int32Array;
  private readonly floats: Float32Array;
  private readonly doubles: Float64Array;
  private readonly axes = new Map<AxisId, AxisMemory>();

  constructor(
    private readonly layout: TableLayout,
    private readonly elementType: ElementType,
    /** How many threads may work at a time, each in rooms of its own. */
    private readonly threads = 1,
    /** All the room there is, in bytes, where memory is not shared and so does not grow. */
    room?: number,
  ) {
    this.arena = new Arena(layout.size, room);
    const { buffer } = this.arena;
    const words = Math.ceil(layout.size / 8) * 2;
    this.table = new Int32Array(buffer, 0, words);
    this.floats = new Float32Array(buffer, 0, words);
    this.doubles = new Float64Array(buffer, 0, words / 2);
    layout.rooms.forEach((room, index) => {
      if (room.axis !== null) return;
      const step = Math.ceil(room.size / cacheLine) * cacheLine;
      const place = this.arena.allocate(room.isShared ? step : step * this.threads);
      this.placeRoom(index, place, step);
      if (room.contents) new Int32Array(this.arena.buffer, place, room.contents.length).set(room.contents);
    });
  }

  /** The present number of columns of an axis. */
  columns(axis: AxisId): number {
    return this.table[this.layout.axis(axis, "columns") / 4] as number;
  }

  /** From now on a phase of so many pieces is at work. */
  set pieces(count: number) {
    this.table[this.layout.pieces / 4] = count;
  }

  get memory(): LinearMemory {
    return this.arena.memory;
  }

  allocate(elementType: ElementType, length: number): Values {
    const { arena } = this;
    const place = arena.allocate(length * (elementType === "float" ? 4 : 8));
    const values =
      elementType === "float"
        ? new Float32Array(arena.buffer, place, length)
        : new Float64Array(arena.buffer, place, length);
    return values.fill(0);
  }

  release(values: Values): void {
    this.arena.release(values.byteOffset);
  }

  adopt(elementType: ElementType, given: GivenValues, length: number, former: Values | undefined): Values {
    let target = former;
    if (!target || target.length < length) {
      if (target) this.release(target);
      target = this.allocate(elementType, length);
    }
    if (given.unpacked?.length === length) given.unpacked.copyTo(target);
    else target.set(given.values.length === length ? given.values : given.values.subarray(0, length));
    return target;
  }

  placed(buffer: BufferId, values: Values): void {
    this.table[this.layout.buffer(buffer) / 4] = values.byteOffset;
  }

  laidOut(axis: AxisId, layout: AxisLayout, gaps: Uint8Array | null): void {
    const { table, layout: places } = this;
    const columns = columnCount(layout);
    const memory = this.axisMemory(axis, columns);
    table[places.axis(axis, "columns") / 4] = columns;
    table[places.axis(axis, "rows") / 4] = layout.rows;
    table[places.axis(axis, "steps") / 4] = layout.steps;
    if (gaps) {
      memory.mask ??= this.bytes(memory.columns);
      memory.mask.set(gaps);
    }
    table[places.axis(axis, "gaps") / 4] = gaps && memory.mask ? memory.mask.byteOffset : 0;
  }

  /** Puts a run's numbers where the module looks for them, rounded to the element type. */
  setScalars(scalars: Readonly<Record<string, number>>): void {
    for (const name of this.layout.scalars) {
      const place = this.layout.scalar(name);
      if (this.elementType === "float") this.floats[place / 4] = scalars[name] ?? NaN;
      else this.doubles[place / 8] = scalars[name] ?? NaN;
    }
  }

  private axisMemory(axis: AxisId, columns: number): AxisMemory {
    let memory = this.axes.get(axis);
    if (!memory) {
      memory = { columns: 0, mask: null, rooms: new Map() };
      this.axes.set(axis, memory);
    }
    if (columns > memory.columns) this.enlarge(axis, memory, columns);
    return memory;
  }

  private enlarge(axis: AxisId, memory: AxisMemory, columns: number): void {
    memory.columns = columns;
    if (memory.mask) this.arena.release(memory.mask.byteOffset);
    memory.mask = null;
    this.layout.rooms.forEach((room, index) => {
      if (room.axis !== axis) return;
      const former = memory.rooms.get(index);
      if (former !== undefined) this.arena.release(former);
      const place = this.arena.allocate(room.size * columns);
      memory.rooms.set(index, place);
      this.placeRoom(index, place, room.size);
    });
  }

  private placeRoom(index: number, place: number, step: number): void {
    this.table[this.layout.roomAt(index) / 4] = place;
    this.table[this.layout.roomAt(index) / 4 + 1] = step;
  }

  private bytes(length: number): Uint8Array {
    const place = this.arena.allocate(length); // may make the memory larger: its buffer is a new one then
    return new Uint8Array(this.arena.buffer, place, length);
  }
}
