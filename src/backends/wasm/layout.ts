import type { Plan } from "../../plan/plan.js";
import { scalarsOf } from "../../primitives/expression.js";
import type { AxisId, BufferId } from "../../primitives/instruction.js";
import { instructionsOf } from "../../plan/plan.js";

/** Room that kernels work in: bytes, or bytes per column of an axis; with what stands in it from the beginning, if anything. */
export interface Room {
  readonly axis: AxisId | null;
  readonly place: number | string;
  size: number;
  readonly contents?: Int32Array;
}

/**
 * The table at the beginning of memory by which the module finds everything: an address for each buffer; columns, rows, steps
 * and gap mask (an address or 0) of each axis; an address for each room; the run-time numbers. Places are in bytes.
 */
export class TableLayout {
  readonly rooms: Room[] = [];
  readonly scalars: readonly string[];
  private readonly axesAt: number;
  private readonly roomsAt: number;

  constructor(plan: Plan) {
    this.axesAt = plan.buffers.length * 4;
    this.roomsAt = this.axesAt + plan.axes.length * 16;
    const names = new Set<string>();
    for (const entry of Object.values(plan.entries)) {
      for (const { kind, parameters } of instructionsOf(entry.steps)) {
        if (kind === "map") for (const name of scalarsOf(parameters.expression)) names.add(name);
      }
    }
    this.scalars = [...names];
  }

  buffer(id: BufferId): number {
    return id * 4;
  }

  axis(id: AxisId, field: "columns" | "rows" | "steps" | "gaps"): number {
    return this.axesAt + id * 16 + ["columns", "rows", "steps", "gaps"].indexOf(field) * 4;
  }

  /** Place of a room's address; rooms of one axis and place are one, as large as the largest wish. */
  room(axis: AxisId | null, place: number | string, size: number): number {
    let index = this.rooms.findIndex((known) => known.axis === axis && known.place === place);
    if (index < 0) index = this.rooms.push({ axis, place, size: 0 }) - 1;
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
    return this.roomAt(this.rooms.push({ axis: null, place, size: contents.byteLength, contents }) - 1);
  }

  roomAt(index: number): number {
    // Numbers stand before the rooms, whose count is known last.
    return this.roomsAt + this.scalars.length * 8 + index * 4 + 8;
  }

  /** Place of a run-time number, eight bytes. */
  scalar(name: string): number {
    return Math.ceil(this.roomsAt / 8) * 8 + this.scalars.indexOf(name) * 8;
  }

  /** Bytes of the whole table, when all rooms are known. */
  get size(): number {
    return this.roomAt(this.rooms.length);
  }
}
