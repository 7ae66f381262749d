import { f32x4, f64x2, i32, type Local, local } from "wasmati";
import { elementCount } from "../../../network/network.js";
import { dataKey } from "../../../plan/rewrite.js";
import { operandAt } from "../../host/kernel.js";
import { loopNest, type LoopAxis } from "../../javascript/loop-nest.js";
import { define, variable, type Routine } from "../emit/function.js";
import { joined, lanesOf, moved, type Access } from "../emit/lanes.js";
import { advance, forEach, repeat, when } from "../emit/loops.js";
import { fold } from "./fold.js";
import { address, columns, gaps, number, sums, type WasmCompiler, type WasmContext } from "./kernel.js";
import { turns, walk } from "./walk.js";

/**
 * Sums, in double: over neighbouring reduced axes as one; a group of axes with kept ones between it and the next gives a total
 * of its own, rounded to the element type (as reference has it). Vectors run along the kept axis if that is contiguous, else,
 * in float, along the reduced one; in double each sum is added up in the order of memory.
 */
export const compileReduce: WasmCompiler<"reduce"> = ({ reads, writes, parameters }, context) => {
  const x = operandAt(reads, 0);
  const { operation } = parameters;
  if (operation !== "sum") {
    return x.axis === writes.axis ? fold(context, operation, parameters.scale, [x, writes]) : undefined;
  }
  const axes = loopNest(x, [writes, x]);
  const mask = x.axis === writes.axis || parameters.gaps === "counted" ? number(0) : gaps(x.axis);
  const { scale } = parameters;
  if (x.axis === writes.axis) {
    const routine = reduceRoutine(context, axes, scale, false);
    return [{ routine, arguments: [address(writes), address(x), columns(x.axis), mask] }];
  }
  const routine = reduceRoutine(context, axes, "sums", mask.kind === "gaps");
  return [
    {
      routine,
      arguments: [sums, address(x), columns(x.axis), mask],
      sums: { count: elementCount(writes.dims), scale, target: writes },
    },
  ];
};

type V = Local<"v128">;
/** Doubles side by side: those of a vector of doubles, or the low and the high half of a vector of floats. */
type Doubles = readonly V[];

/** (result, x, columns, gaps); `scale` "sums": the result is the double sums themselves. */
function reduceRoutine(
  context: WasmContext,
  given: readonly LoopAxis[],
  scale: number | "sums",
  masked: boolean,
): Routine {
  const size = scale === "sums" ? 8 : context.lanes.bytes;
  // Steps of memory are counted in numbers of the element type.
  const axes = given.map((axis) => {
    const [to = 0, from = 0] = axis.strides;
    return { ...axis, strides: [(to * size) / context.lanes.bytes, from] };
  });
  const kept = axes.filter(({ strides }) => strides[0] !== 0);
  const reduced = axes.filter(({ strides }) => strides[0] === 0);
  const { lanes } = context;
  return context.routine(`sum ${dataKey([axes, scale, masked])}`, () =>
    define(["i32", "i32", "i32", "i32"], [], ([to, from, count, mask]) => {
      const body = (skips: boolean) => {
        const added = new Sums(context, reduced, count, skips ? mask : null);
        const [inner, ...outer] = kept;
        const runsAlong = inner?.strides[1] === 1 && inner.strides[0] === size / lanes.bytes;
        if (!inner || !runsAlong) {
          walk(kept, [to, from], count, lanes.bytes, ([target, source]) => {
            added.store(target!, scale, lanes.single, added.across(source!));
          });
          return;
        }
        walk(outer, [to, from], count, lanes.bytes, ([target, source]) => {
          const step = (access: Access) => () => {
            added.store(target!, scale, access, added.along(source!, access));
            advance(target!, access.count * size);
            advance(source!, access.count * lanes.bytes);
          };
          const total = turns(inner, count);
          repeat(variable("i32", i32.div_u(total, lanes.count)), step(lanes.whole));
          repeat(variable("i32", i32.and(total, lanes.count - 1)), step(lanes.single));
        });
      };
      if (!masked) body(false);
      else
        when(
          local.get(mask),
          () => body(true),
          () => body(false),
        );
    }),
  );
}

/** Sums of x over the reduced axes (innermost first), from a place of memory on. */
class Sums {
  private readonly isFloat: boolean;

  constructor(
    private readonly context: WasmContext,
    private readonly axes: readonly LoopAxis[],
    private readonly columns: Local<"i32">,
    private readonly mask: Local<"i32"> | null,
  ) {
    this.isFloat = context.lanes.elementType === "float";
  }

  /** The sums of `access.count` neighbours. */
  along(place: Local<"i32">, access: Access): Doubles {
    return this.level(this.axes.length - 1, place, (level, at) => this.loopOf(level, at, access), access);
  }

  /** The sum of one cell, in the lowest lane; neighbours in memory are added up side by side where the order is free. */
  across(place: Local<"i32">): Doubles {
    const { single } = this.context.lanes;
    const isContiguous = this.isFloat && this.axes[0]?.strides[1] === 1;
    const inner = isContiguous
      ? (level: LoopAxis, at: Local<"i32">) => this.sideBySide(level, at)
      : (level: LoopAxis, at: Local<"i32">) => this.loopOf(level, at, single);
    return this.level(this.axes.length - 1, place, inner, single);
  }

  /** Rounds, multiplies by the scale and stores; or stores the sums themselves. */
  store(to: Local<"i32">, scale: number | "sums", access: Access, [low, high]: Doubles): void {
    const { lanes } = this.context;
    if (scale === "sums") {
      lanesOf.double[access.count === 1 ? "single" : "whole"].store(to, 0, () => local.get(low!));
      if (high) lanesOf.double.whole.store(to, 16, () => local.get(high));
      return;
    }
    const value = variable("v128", low);
    if (this.isFloat && high) {
      local.set(value, joined(f32x4.demote_f64x2_zero(low!), f32x4.demote_f64x2_zero(high), [0, 2], 8));
    } else if (this.isFloat) local.set(value, f32x4.demote_f64x2_zero(low!));
    access.store(to, 0, () => (scale === 1 ? local.get(value) : lanes.mul(value, lanes.constant(scale))));
  }

  private level(
    level: number,
    place: Local<"i32">,
    innermost: (axis: LoopAxis, at: Local<"i32">) => Doubles,
    access: Access,
  ): Doubles {
    const axis = this.axes[level];
    if (!axis) return this.loaded(place, access);
    if (level === 0) return innermost(axis, place);
    const totals = this.zeros(access);
    this.loop(axis, place, (at) => {
      const inner = this.level(level - 1, at, innermost, access);
      inner.forEach((sum, i) => local.set(totals[i]!, f64x2.add(this.rounded(sum), totals[i]!)));
    });
    return totals;
  }

  private loopOf(axis: LoopAxis, place: Local<"i32">, access: Access): Doubles {
    const totals = this.zeros(access);
    this.loop(axis, place, (at) => this.add(totals, at, access));
    return totals;
  }

  private sideBySide(axis: LoopAxis, place: Local<"i32">): Doubles {
    const { lanes } = this.context;
    const totals = this.zeros(lanes.whole);
    const run = (count: Local<"i32">, at: Local<"i32">) => {
      for (const access of [lanes.whole, lanes.single]) {
        const steps =
          access === lanes.whole ? i32.div_u(count, lanes.count) : i32.and(count, lanes.count - 1);
        repeat(variable("i32", steps), () => {
          this.add(totals, at, access);
          advance(at, access.count * lanes.bytes);
        });
      }
    };
    if (axis.isColumns && this.mask) this.loop(axis, place, run.bind(null, variable("i32", axis.size)), true);
    else run(turns(axis, this.columns), variable("i32", place));
    const sum = variable("v128", f64x2.add(totals[0]!, totals[1]!));
    return [variable("v128", lanesOf.double.sumAcross(sum))];
  }

  /** `body` for every step of an axis, gaps left out; `byColumn`: once a column, however many cells it has. */
  private loop(
    axis: LoopAxis,
    place: Local<"i32">,
    body: (at: Local<"i32">) => void,
    byColumn = false,
  ): void {
    const step = (axis.strides[1] ?? 0) * this.context.lanes.bytes;
    const at = variable("i32", place);
    const { mask } = this;
    if (!axis.isColumns || !mask) {
      repeat(turns(axis, this.columns), () => {
        body(at);
        advance(at, step);
      });
      return;
    }
    forEach(0, this.columns, 1, (column) => {
      const within = variable("i32", at);
      when(i32.eqz(i32.load8_u({}, i32.add(mask, column))), () => {
        if (byColumn) body(within);
        else
          repeat(variable("i32", axis.size), () => {
            body(within);
            advance(within, step);
          });
      });
      advance(at, step * axis.size);
    });
  }

  private loaded(place: Local<"i32">, access: Access): Doubles {
    const totals = this.zeros(access);
    this.add(totals, place, access);
    return totals;
  }

  private zeros({ count }: Access): Doubles {
    const halves = this.isFloat && count > 1 ? 2 : 1;
    return Array.from({ length: halves }, () => variable("v128", lanesOf.double.constant(0)));
  }

  private add([low, high]: Doubles, at: Local<"i32">, access: Access): void {
    const x = variable("v128", access.load(at));
    if (!this.isFloat) {
      local.set(low!, f64x2.add(x, low!));
      return;
    }
    local.set(low!, f64x2.add(f64x2.promote_low_f32x4(x), low!));
    if (!high || access.count === 1) return;
    local.set(high, f64x2.add(f64x2.promote_low_f32x4(moved(x, [1, 0], 8)), high));
  }

  private rounded(x: V): V {
    return this.isFloat ? variable("v128", f64x2.promote_low_f32x4(f32x4.demote_f64x2_zero(x))) : x;
  }
}
