import { $, call, i32, type importFunc, local, type Local, select } from "wasmati";
import { elementCount } from "../../network/network.js";
import type { AxisId } from "../../primitives/instruction.js";
import { variable, type Routine } from "./emit/function.js";
import { addedSums } from "./kernels/added-sums.js";
import type { Argument, Call, RoutineLibrary } from "./kernels/kernel.js";
import type { TableLayout } from "./layout.js";

/** A piece of the columns of an axis (or of units of work, `axis` null) that calls are about. */
export interface Piece {
  readonly axis: AxisId | null;
  readonly first: Local<"i32">;
  readonly count: Local<"i32">;
  /** Where in rooms along the axis the piece's own part begins; absent: at their beginning. */
  readonly roomFirst?: Local<"i32">;
  /** Number of the piece, and of the thread that works on it; absent: the only ones. */
  readonly index?: Local<"i32">;
  readonly thread?: Local<"i32">;
}

/** Sums of a call are apart from those of others in its phase: places of their rooms. */
const firstSumsPlace = 1000;

export type Imported = ReturnType<typeof importFunc>;

/** Writes calls of routines into the function that is being defined. */
export class CallWriter {
  constructor(
    private readonly layout: TableLayout,
    private readonly library: RoutineLibrary,
    /** Routines that are another module's. */
    private readonly imported: ReadonlyMap<Routine, Imported>,
  ) {}

  /**
   * A call about a piece, or about everything. `order` and `most`: the number of its instruction in its phase, and of how many
   * pieces that can be.
   */
  call(given: Call, piece: Piece | null, order = 0, most = 1): void {
    for (const argument of given.arguments) {
      if (argument.kind === "sums") this.sums(given, order, most, piece?.index);
      else if (argument.kind === "units") this.units(given, piece);
      else this.argument(argument, piece, order);
    }
    call(this.imported.get(given.routine) ?? given.routine);
  }

  /** When all pieces are done: their sums become the result; `pieces` absent: there was one. */
  finish(given: Call, piece: Piece | null, order = 0, most = 1): void {
    const { sums } = given;
    if (!sums) return;
    const routine = addedSums(this.library, sums.scale);
    this.sums(given, order, most);
    if (most > 1) i32.load({ offset: this.layout.pieces }, 0);
    else i32.const(1);
    i32.const(sums.count);
    this.argument({ kind: "address", operand: sums.target }, piece, order);
    const { count, length, kept } = sums.rows ?? { count: 1, length: sums.count, kept: sums.count };
    for (const number of [count, length, kept]) i32.const(number);
    call(this.imported.get(routine) ?? routine);
  }

  /** A number of an axis, from the table. */
  axisField(axis: AxisId, field: "steps" | "rows" | "columns" | "gaps"): Local<"i32"> {
    return variable("i32", i32.load({ offset: this.layout.axis(axis, field) }, 0));
  }

  /** Leaves an argument on the stack. */
  private argument(
    argument: Exclude<Argument, { kind: "sums" | "units" }>,
    piece: Piece | null,
    order: number,
  ): void {
    switch (argument.kind) {
      case "number":
        i32.const(argument.value);
        return;
      case "scalar":
        i32.const(this.layout.scalar(argument.name));
        return;
      case "room":
        this.room(argument, piece);
        return;
      case "handedOn": {
        // What is done once for a phase is there as long as its pieces are worked on.
        const place = `handed on ${argument.place} ${order}`;
        i32.load({ offset: this.layout.room(null, place, argument.size, true) }, 0);
        return;
      }
      case "table":
        i32.load({ offset: this.layout.table(argument.numbers) }, 0);
        return;
      case "address": {
        const { buffer, axis, dims } = argument.operand;
        i32.load({ offset: this.layout.buffer(buffer) }, 0);
        if (!piece) return;
        if (piece.axis === null) this.moved(piece.first, argument.unitStep ?? 0);
        else if (axis === piece.axis) this.moved(piece.first, elementCount(dims) * this.library.lanes.bytes);
        return;
      }
      case "columns": {
        if (argument.axis === null) {
          i32.const(argument.times);
          return;
        }
        if (piece?.axis === argument.axis) local.get(piece.count);
        else i32.load({ offset: this.layout.axis(argument.axis, "columns") }, 0);
        if (argument.times !== 1) i32.mul($, argument.times);
        return;
      }
      case "gaps":
        this.gaps(argument.axis, piece);
        return;
      default:
        argument satisfies never;
    }
  }

  /** Adds `step` bytes for each column or unit before the piece. */
  private moved(first: Local<"i32">, step: number): void {
    if (step === 0) return;
    i32.mul(first, step);
    i32.add();
  }

  private room(room: Extract<Argument, { kind: "room" }>, piece: Piece | null): void {
    const { axis, place, size, unitStep = 0 } = room;
    const offset = this.layout.room(axis, place, size);
    i32.load({ offset }, 0);
    const along = axis !== null && axis === piece?.axis ? piece.roomFirst : undefined;
    const part = axis === null ? piece?.thread : along;
    if (part) {
      i32.mul(part, i32.load({ offset: offset + 4 }, 0));
      i32.add();
    }
    if (piece && piece.axis === null) this.moved(piece.first, unitStep);
  }

  private units({ units }: Call, piece: Piece | null): void {
    if (piece && piece.axis === null) local.get(piece.count);
    else i32.const(units?.count ?? 0);
  }

  /** The address of a piece's sums. */
  private sums({ sums }: Call, order: number, most: number, index?: Local<"i32">): void {
    const bytes = (sums?.count ?? 0) * 8;
    i32.load({ offset: this.layout.room(null, firstSumsPlace + order, bytes * most, true) }, 0);
    if (index) this.moved(index, bytes);
  }

  /** The address of the piece's gap mask, or 0. */
  private gaps(axis: AxisId | null, piece: Piece | null): void {
    if (axis === null) {
      i32.const(0);
      return;
    }
    const mask = this.axisField(axis, "gaps");
    if (piece?.axis !== axis) {
      local.get(mask);
      return;
    }
    i32.add(mask, piece.first);
    i32.const(0);
    local.get(mask);
    select();
  }
}
