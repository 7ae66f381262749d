import { workOf } from "../../plan/work.js";
import type { Plan } from "../../plan/plan.js";
import type { AxisId, Instruction } from "../../primitives/instruction.js";
import { signatureOf } from "../../primitives/signatures.js";
import { elementCount } from "../../network/network.js";
import type { Call } from "./kernels/kernel.js";

/*
 * Calls that can be cut are put together to phases: one piece of the columns (or of other units of work) goes through all calls of
 * a phase before the next piece begins, on any thread. How a phase is cut follows from its shapes alone, so that the same numbers
 * are added in the same order, however many threads there are.
 */

/** Calls that are carried out piece by piece; pieces do not know each other. */
export interface Phase {
  readonly kind: "phase";
  /** The axis whose columns are dealt out; null: `units` of work are. */
  readonly axis: AxisId | null;
  readonly units: number;
  readonly calls: readonly PhaseCall[];
  readonly cut: Cut;
}

export interface PhaseCall extends Call {
  /** Number of its instruction in the phase. */
  readonly order: number;
}

/** What decides how large the pieces are. */
export interface Cut {
  /** Multiplications of a column or unit, about. */
  readonly work: number;
  /** More of them, for each column of an axis that is not dealt out. */
  readonly workAlong: ReadonlyMap<AxisId, number>;
  /** Columns or units that stay together. */
  readonly grain: number;
  readonly most: number;
}

/** Calls that are carried out once, on one thread. */
export interface Whole {
  readonly kind: "whole";
  readonly calls: readonly Call[];
}

/** More pieces than this would only be more sums to add up. */
const mostPieces = 16;
/** Bytes that all sums of one call may take. */
const mostSums = 2 ** 25;
/** Units know nothing of each other; small pieces even out better. */
const mostUnitPieces = 64;

/** Multiplications of a column or unit, about; `columns` of an axis. */
export function workOfEach({ work, workAlong }: Cut, columns: (axis: AxisId) => number): number {
  let each = work;
  for (const [axis, more] of workAlong) each += more * columns(axis);
  return each;
}

/** How many columns or units a piece has, the last one excepted: of `each` work, `smallest` and more a piece. */
export function pieceSize({ grain, most }: Cut, total: number, each: number, smallest: number): number {
  const wanted = Math.max(Math.ceil(total / most), Math.ceil(smallest / Math.max(each, 1)));
  return Math.max(1, Math.min(total, Math.ceil(wanted / grain) * grain));
}

/** Puts the calls of instructions together, in their order. */
export class PhaseBuilder {
  readonly items: (Phase | Whole)[] = [];
  private open: OpenPhase | undefined;

  constructor(private readonly plan: Plan) {}

  /** The next instruction's calls. */
  add(instruction: Instruction, calls: readonly Call[]): void {
    const axis = this.axisOf(instruction, calls);
    if (axis !== null) {
      const isApart = calls.some(({ apart }) => apart);
      if (isApart) this.close();
      this.join(new Piecewise(axis, 0, workOf(instruction)), this.accesses(instruction), calls);
      if (isApart) this.close();
      return;
    }
    for (const given of calls) {
      if (!given.units) this.whole(given);
      else {
        const { count, work, along } = given.units;
        this.join(new Piecewise(null, count, work, along), this.unitAccesses(given, instruction), [given]);
      }
    }
  }

  /** Whatever follows sees the work of all calls so far. */
  close(): void {
    if (this.open) this.items.push(this.open.phase());
    this.open = undefined;
  }

  private whole(given: Call): void {
    this.close();
    this.items.push({ kind: "whole", calls: [given] });
  }

  private join(shape: Piecewise, accesses: readonly Access[], calls: readonly Call[]): void {
    if (!this.open?.takes(shape, accesses)) {
      this.close();
      this.open = new OpenPhase(shape);
    }
    this.open?.add(shape, accesses, calls);
  }

  /** The axis whose columns do not know each other in this instruction, or only in its sums; null: there is none. */
  private axisOf({ kind, reads, writes, parameters }: Instruction, calls: readonly Call[]): AxisId | null {
    const { wholeAxis, mixesAxes, pure } = signatureOf(kind);
    const operands = [writes, ...reads];
    const axes = new Set(operands.flatMap(({ axis }) => (axis === null ? [] : [axis])));
    const [axis = null, ...others] = axes;
    const hasSums = calls.some(({ sums }) => sums);
    if (axis === null || others.length > 0 || wholeAxis || mixesAxes || !pure) return null;
    if (hasSums ? writes.axis !== null : writes.axis === null) return null;
    if (calls.some(({ units }) => units)) return null;
    const isPlain = operands.every(
      ({ buffer, axis: seen, storage }) =>
        storage === "dense" && (this.plan.buffers[buffer]?.axis ?? null) === seen,
    );
    if (!isPlain) return null;
    // A product of columns with columns, or over them, is none of its columns' own.
    const isOwn = kind !== "matmul" || (reads[0]?.axis === null && !parameters.transposeB);
    return isOwn ? axis : null;
  }

  private accesses({ reads, writes }: Instruction): Access[] {
    const of = ({ buffer, axis, dims }: Instruction["writes"], writing: boolean): Access => ({
      memory: this.memoryOf(buffer),
      step: axis === null ? 0 : elementCount(dims),
      writes: writing,
    });
    return [of(writes, true), ...reads.map((read) => of(read, false))];
  }

  private unitAccesses({ arguments: given }: Call, { writes }: Instruction): Access[] {
    return given.flatMap((argument): Access[] => {
      if (argument.kind === "room") {
        return [
          { memory: `room ${argument.axis} ${argument.place}`, step: argument.unitStep ?? 0, writes: false },
        ];
      }
      if (argument.kind !== "address") return [];
      const { buffer } = argument.operand;
      const step = argument.unitStep ?? 0;
      return [{ memory: this.memoryOf(buffer), step, writes: buffer === writes.buffer }];
    });
  }

  /** Temporaries of one slot are one piece of memory. */
  private memoryOf(buffer: number): string {
    const slot = this.plan.memory.slotOf[buffer];
    return slot == null ? `buffer ${buffer}` : `slot ${slot}`;
  }
}

/** Memory as a call uses it: so far from column to column or from unit to unit; step 0: all pieces see the same. */
interface Access {
  readonly memory: string;
  readonly step: number;
  readonly writes: boolean;
}

/** What is dealt out, and the work of one column or unit. */
class Piecewise {
  constructor(
    readonly axis: AxisId | null,
    readonly units: number,
    readonly work: number,
    /** The work is that of a column of this axis. */
    readonly along: AxisId | null = null,
  ) {}
}

class OpenPhase {
  private readonly calls: PhaseCall[] = [];
  private instructions = 0;
  private readonly steps = new Map<string, number>();
  private readonly written = new Set<string>();
  /** What is only there when all pieces are done. */
  private readonly results = new Set<string>();
  private work = 0;
  private readonly workAlong = new Map<AxisId, number>();
  private grain = 1;
  private most: number;

  constructor(private readonly shape: Piecewise) {
    this.most = shape.axis === null ? mostUnitPieces : mostPieces;
  }

  /** Does a call see nothing in a piece but what belongs to the piece, or does not change? */
  takes({ axis, units }: Piecewise, accesses: readonly Access[]): boolean {
    if (axis !== this.shape.axis || units !== this.shape.units) return false;
    return accesses.every(({ memory, step, writes }) => {
      if (this.results.has(memory)) return false;
      const known = this.steps.get(memory);
      if (known === undefined) return true;
      // A sum over the columns is stored when all pieces are done: whoever read the memory before is done, too.
      if (axis !== null && writes && step === 0) return !this.written.has(memory);
      if (known !== step) return false;
      return step !== 0 || !(writes || this.written.has(memory));
    });
  }

  add({ axis, work, along }: Piecewise, accesses: readonly Access[], calls: readonly Call[]): void {
    for (const { memory, step, writes } of accesses) {
      if (axis !== null && writes && step === 0) this.results.add(memory);
      else {
        this.steps.set(memory, step);
        if (writes) this.written.add(memory);
      }
    }
    if (along === null) this.work += work;
    else this.workAlong.set(along, (this.workAlong.get(along) ?? 0) + work);
    for (const call of calls) {
      this.calls.push({ ...call, order: this.instructions });
      this.grain = Math.max(this.grain, call.grain ?? call.units?.grain ?? 1);
      const bytes = (call.sums?.count ?? 0) * 8;
      if (bytes > 0) this.most = Math.max(1, Math.min(this.most, Math.floor(mostSums / bytes)));
    }
    this.instructions++;
  }

  phase(): Phase {
    const { calls, work, workAlong, grain, most } = this;
    const { axis, units } = this.shape;
    return { kind: "phase", axis, units, calls, cut: { work, workAlong, grain, most } };
  }
}
