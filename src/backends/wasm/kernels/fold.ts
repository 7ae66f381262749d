import { $, call, f32, f64, local, type Local, select } from "wasmati";
import { dataKey } from "../../../plan/rewrite.js";
import type { Operand } from "../../../primitives/instruction.js";
import type { ReduceOperation } from "../../../primitives/parameters.js";
import { loopNest, type LoopAxis } from "../../javascript/loop-nest.js";
import { define, variable, type Routine } from "../emit/function.js";
import { advance, when } from "../emit/loops.js";
import { elementaryOfDouble } from "./elementary.js";
import { hostFunction } from "./host-functions.js";
import { address, columns, type Call, type WasmContext } from "./kernel.js";
import { walk } from "./walk.js";

/*
 * Reductions along the axes of a sample that are no sums: extremes and their places, products, ln Σ e^x; one cell after the other,
 * in double.
 */

type Fold = Exclude<ReduceOperation, "sum">;
type Number = Local<"f64">;

/** writes = the fold of x over the axes that writes lacks, times the scale; both have the same columns. */
export function fold(
  context: WasmContext,
  operation: Fold,
  scale: number,
  [x, writes]: readonly [Operand, Operand],
): Call[] {
  const axes = loopNest(x, [writes, x]);
  return [
    {
      routine: foldRoutine(context, operation, scale, axes),
      arguments: [address(writes), address(x), columns(x.axis)],
    },
  ];
}

/** (result, x, columns) */
function foldRoutine(
  context: WasmContext,
  operation: Fold,
  scale: number,
  axes: readonly LoopAxis[],
): Routine {
  const { lanes } = context;
  const isFloat = lanes.elementType === "float";
  const kept = axes.filter(({ strides }) => strides[0] !== 0);
  const reduced = axes
    .filter(({ strides }) => strides[0] === 0)
    .map((axis) => ({ ...axis, strides: axis.strides.slice(1) }));
  return context.routine(`fold ${operation} ${scale} ${dataKey(axes)}`, () =>
    define(["i32", "i32", "i32"], [], ([to, from, count]) => {
      walk(kept, [to, from], count, lanes.bytes, ([target, source]) => {
        const cells: Cells = (body) =>
          walk(reduced, [source!], count, lanes.bytes, ([at]) => {
            const x = isFloat ? f64.promote_f32(f32.load({}, at!)) : f64.load({}, at!);
            body(variable("f64", x));
          });
        const total = folds[operation](context, cells);
        local.get(target!);
        if (isFloat) {
          f32.demote_f64(total);
          if (scale !== 1) f32.mul($, scale);
          f32.store({});
        } else {
          local.get(total);
          if (scale !== 1) f64.mul($, scale);
          f64.store({});
        }
      });
    }),
  );
}

/** Runs code for every cell, in the order of memory. */
type Cells = (body: (x: Number) => void) => void;
type Folding = (context: WasmContext, cells: Cells) => Number;

/** a if the condition holds, else b. */
function chosen(a: Number, b: Number, condition: () => unknown): void {
  local.get(a);
  local.get(b);
  condition();
  select();
}

/** As CNTK compares: of a number and what is no number the later one counts. */
const extreme =
  (start: number, beats: "gt" | "lt"): Folding =>
  (_, cells) => {
    const best = variable("f64", start);
    cells((x) => {
      chosen(best, x, () => f64[beats](best, x));
      local.set(best);
    });
    return best;
  };

/** The number of the first cell with the extreme. */
const placeOf =
  (start: number, beats: "gt" | "lt"): Folding =>
  (_, cells) => {
    const best = variable("f64", start);
    const place = variable("i32", 0);
    const counter = variable("i32", 0);
    cells((x) => {
      when(f64[beats](x, best), () => {
        local.set(best, local.get(x));
        local.set(place, local.get(counter));
      });
      advance(counter, 1);
    });
    return variable("f64", f64.convert_i32_s(place));
  };

/** The largest number is taken out, so that nothing overflows; where it is infinite it is the result. */
const logSum: Folding = (context, cells) => {
  const largest = extreme(-Infinity, "gt")(context, cells);
  const result = variable("f64", local.get(largest));
  when(f64.lt(f64.abs(largest), Infinity), () => {
    const total = variable("f64", 0);
    cells((x) => {
      applied(context, "exponential", () => f64.sub(x, largest));
      local.set(total, f64.add($, total));
    });
    applied(context, "logarithm", () => local.get(total));
    local.set(result, f64.add($, largest));
  });
  return result;
};

/** Leaves f(argument): a series where the result is rounded to float, else the host's. */
function applied(context: WasmContext, name: "exponential" | "logarithm", argument: () => unknown): void {
  const isFloat = context.lanes.elementType === "float";
  const routine = isFloat ? elementaryOfDouble(context, name) : hostFunction(name);
  argument();
  call(routine);
}

const folds: Readonly<Record<Fold, Folding>> = {
  max: extreme(-Infinity, "gt"),
  min: extreme(Infinity, "lt"),
  argmax: placeOf(-Infinity, "gt"),
  argmin: placeOf(Infinity, "lt"),
  product: (_, cells) => {
    const total = variable("f64", 1);
    cells((x) => local.set(total, f64.mul(total, x)));
    return total;
  },
  logSum,
};
