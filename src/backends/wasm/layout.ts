import type { Plan } from "../../plan/plan.js";
import { scalarsOf } from "../../primitives/expression.js";
import type { AxisId, BufferId } from "../../primitives/instruction.js";
import { instructionsOf } from "../../plan/plan.js";

/** Room that kernels work in: bytes, or bytes per column of an axis; with what stands in it from the beginning, if anything. */
export interface Room {
  readonly axis: AxisId | null;
  readonly place: number | string;
  size: number;
  /** Is there one for all threads rather than one for each? Along an axis every thread has its columns' part. */
  readonly isShared: boolean;
  readonly contents?: Int32Array;
}

/**
 * The table at the beginning of memory by which the module finds everything: the number of pieces of the phase at work; an address
 * for each buffer; columns, rows, steps and gap mask (an address or 0) of each axis; address and step (bytes from thread to thread,
 * or from column to column) of each room; the run-time numbers. Places are in bytes.
 */
export class TableLayout {
  readonly rooms: Room[] = [];
  readonly scalars: readonly string[];
  /** How many pieces the phase at work has. */
  readonly pieces = 0;
  private readonly buffersAt = 8;
  private readonly axesAt: number;
  private readonly scalarsAt: number;

  constructor(plan: Plan) {
    this.axesAt = this.buffersAt + plan.buffers.length * 4;
    this.scalarsAt = Math.ceil((this.axesAt + plan.axes.length * 16) / 8) * 8;
    const names = new Set<string>();
    for (const entry of Object.values(plan.entries)) {
      for (const { kind, parameters } of instructionsOf(entry.steps)) {
        if (kind === "map") for (const name of scalarsOf(parameters.expression)) names.add(name);
      }
    }
    this.scalars = [...names];
  }

  buffer(id: BufferId): number {
    return this.buffersAt + id * 4;
  }

  axis(id: AxisId, field: "columns" | "rows" | "steps" | "gaps"): number {
    return this.axesAt + id * 16 + ["columns", "rows", "steps", "gaps"].indexOf(field) * 4;
  }

  /** Place of a room's address, its step behind it; rooms of one axis and place are one, as large as the largest wish. */
  room(axis: AxisId | null, place: number | string, size: number, isShared = axis !== null): number {
    let index = this.rooms.findIndex(
      (known) => known.axis === axis && known.place === place && known.isShared === isShared,
    );
    if (index < 0) index = this.rooms.push({ axis, place, size: 0, isShared }) - 1;
    const room = this.rooms[index] as Room;
    room.size = Math.max(room.size, size);
    return this.roomAt(index);
  }

  /** Place of the address of numbers that stand there from the beginning. */
  table(numbers: readonly number[]): number {
    const place = `table ${numbers.join()}`;
    const index = this.rooms.findIndex((known) => known.place === place);
    if (index >= 0) return this.roomAt(index);
    const contents = Int32Array.from(numbers);
    const size = contents.byteLength;
    return this.roomAt(this.rooms.push({ axis: null, place, size, isShared: true, contents }) - 1);
  }

  /** The rooms stand last: their number is known when all is compiled. */
  roomAt(index: number): number {
    return this.scalarsAt + this.scalars.length * 8 + index * 8;
  }

  /** Place of a run-time number, eight bytes. */
  scalar(name: string): number {
    return this.scalarsAt + this.scalars.indexOf(name) * 8;
  }

  /** Bytes of the whole table, when all rooms are known. */
  get size(): number {
    return this.roomAt(this.rooms.length);
  }
}
