import { f64x2, i32, i32x4, local, type Local, memory, select, v128 } from "wasmati";
import { dataKey } from "../../../plan/rewrite.js";
import type { Instruction, Operand } from "../../../primitives/instruction.js";
import { operandAt } from "../../host/kernel.js";
import { define, variable, type Routine } from "../emit/function.js";
import { lanesOf } from "../emit/lanes.js";
import { advance, repeat } from "../emit/loops.js";
import { address, columns, type Call, type WasmCompiler, type WasmContext } from "./kernel.js";
import { insideWindows, type InsideWindows } from "./windows.js";
import {
  averagesOfRows,
  gradientOfRows,
  maximaOfRows,
  placesInRows,
  sharesOfRows,
  unpooledRows,
  windowRows,
} from "./pool-vectors.js";
import { walk } from "./walk.js";

/*
 * Pooling over windows that lie inside the image; others are the host's. Where windows stand side by side, a vector of them is pooled
 * at a time (pool-vectors.ts); elsewhere each window's cells are written out, loaded one by one into the lowest lane.
 */

type Whole = Local<"i32">;

/** pooled cell = maximum or average of the cells under its window. */
export const compilePool: WasmCompiler<"pool"> = ({ reads, writes, parameters }, context) => {
  const { mode, geometry } = parameters;
  const windows = insideWindows(geometry);
  if (!windows) return undefined;
  const given = [address(writes), address(operandAt(reads, 0)), columns(writes.axis)];
  const rows = windowRows(context.lanes, windows);
  if (rows) {
    const routine = mode === "max" ? maximaOfRows(context, rows) : averagesOfRows(context, rows);
    return [{ routine, arguments: given }];
  }
  const routine = eachWindow(context, `${mode} pool`, windows, 2, ([pooled, x]) => {
    const value = mode === "max" ? maximum(context, windows, x!) : average(context, windows, x!);
    context.lanes.single.store(pooled!, 0, () => local.get(value));
  });
  return [{ routine, arguments: given }];
};

/** Each value at the place of the first maximum of its window in poolInput, zero elsewhere; later windows overwrite. */
export const compileMaxUnpool: WasmCompiler<"maxUnpool"> = (instruction, context) => {
  const { reads, writes, parameters } = instruction;
  const windows = insideWindows(parameters.geometry);
  if (!windows) return undefined;
  const { lanes } = context;
  const [values, x] = [operandAt(reads, 0), operandAt(reads, 1)];
  const placed = placedCalls(context, instruction, windows, values);
  if (placed) return placed;
  const given = [address(values), address(x), address(writes), columns(writes.axis)];
  const rows = windowRows(lanes, windows);
  if (rows && windows.apart) {
    const calls = [{ routine: unpooledRows(context, rows), arguments: given }];
    return rows.isCovered ? calls : [cleared(context, windows, writes), ...calls];
  }
  const routine = eachWindow(context, "unpool", windows, 3, ([value, cells, target]) => {
    const place = firstMaximum(context, windows, cells!);
    const at = variable("i32", i32.add(place, target!));
    lanes.single.store(at, 0, () => lanes.single.load(value!));
  });
  return [cleared(context, windows, writes), { routine, arguments: given }];
};

/** Each pooled cell's gradient shared out among its window's cells, or given to the first that reaches the maximum. */
export const compilePoolGradient: WasmCompiler<"poolGradient"> = (instruction, context) => {
  const { reads, writes, parameters } = instruction;
  const { mode, geometry } = parameters;
  const windows = insideWindows(geometry);
  const [gradient, x, pooled] = reads;
  if (!windows?.apart || !gradient) return undefined;
  const { lanes } = context;
  const { single, bytes } = lanes;
  if (mode === "average") {
    const inRows = windowRows(lanes, windows);
    const called = [address(gradient), address(writes), columns(writes.axis)];
    if (inRows) {
      const calls = [{ routine: sharesOfRows(context, inRows), arguments: called }];
      return inRows.isCovered ? calls : [cleared(context, windows, writes), ...calls];
    }
    const routine = eachWindow(context, "average pool gradient", windows, 2, ([slope, target]) => {
      const share = lanes.div(single.load(slope!), lanes.constant(windows.cells.length));
      const value = variable("v128", share);
      for (const cell of windows.cells) single.store(target!, cell * bytes, () => local.get(value));
    });
    return [cleared(context, windows, writes), { routine, arguments: called }];
  }
  if (!x || !pooled) return undefined;
  const placed = placedCalls(context, instruction, windows, gradient);
  if (placed) return placed;
  const given = [...[gradient, pooled, x, writes].map((operand) => address(operand)), columns(writes.axis)];
  const rows = windowRows(lanes, windows);
  if (rows) {
    const calls = [{ routine: gradientOfRows(context, rows), arguments: given }];
    return rows.isCovered ? calls : [cleared(context, windows, writes), ...calls];
  }
  const routine = eachWindow(
    context,
    "max pool gradient",
    windows,
    4,
    ([slope, largest, cells, target]) => {
      const place = firstNotLess(context, windows, cells!, variable("v128", single.load(largest!)));
      const at = variable("i32", i32.add(place, target!));
      single.store(at, 0, () => single.load(slope!));
    },
    2,
  );
  return [cleared(context, windows, writes), { routine, arguments: given }];
};

/**
 * The calls of an instruction that puts a number of each window at the place of its first maximum in x, the second operand, where
 * the places are kept: found once, and used again by whoever wants the same ones. Undefined: they are not.
 */
function placedCalls(
  context: WasmContext,
  instruction: Instruction,
  windows: InsideWindows,
  values: Operand,
): Call[] | undefined {
  const { writes, reads } = instruction;
  const places = context.places?.of(writes);
  if (!places) return undefined;
  const count = columns(writes.axis);
  const calls = [cleared(context, windows, writes)];
  if (context.places?.isFoundBy(instruction)) {
    const x = address(operandAt(reads, 1));
    const rows = windowRows(context.lanes, windows);
    const routine = rows ? placesInRows(context, rows) : foundPlaces(context, windows);
    calls.push({ routine, arguments: [places.room, x, count] });
  }
  const given = [address(values), places.room, address(writes), count];
  calls.push({ routine: putInPlaces(context, windows), arguments: given });
  return calls;
}

/** (places, x, columns): where the first maximum of each window is, in bytes from the beginning of its sample. */
function foundPlaces(context: WasmContext, windows: InsideWindows): Routine {
  const { bytes } = context.lanes;
  return context.routine(`found places ${dataKey(windows)}`, () =>
    define(["i32", "i32", "i32"], [], ([places, x, count]) => {
      const one = variable("i32", 1);
      repeat(count, () => {
        walk(windows.axes, [places, x], one, bytes, ([place, cells]) => {
          const distance = firstMaximum(context, windows, cells!);
          i32.store({}, place!, i32.sub(i32.add(distance, cells!), x));
        });
        advance(places, windows.count * bytes);
        advance(x, windows.inputSize * bytes);
      });
    }),
  );
}

/** (values, places, target, columns): every window's number at its place. */
function putInPlaces(context: WasmContext, windows: InsideWindows): Routine {
  const { single, bytes } = context.lanes;
  return context.routine(`put in places ${windows.count} ${windows.inputSize}`, () =>
    define(["i32", "i32", "i32", "i32"], [], ([values, places, target, count]) => {
      repeat(count, () => {
        repeat(variable("i32", windows.count), () => {
          const at = variable("i32", i32.add(i32.load({}, places), target));
          single.store(at, 0, () => single.load(values));
          advance(values, bytes);
          advance(places, bytes);
        });
        advance(target, windows.inputSize * bytes);
      });
    }),
  );
}

/** Fills the result with zeros. */
function cleared(context: WasmContext, { inputSize }: InsideWindows, target: Operand): Call {
  const { lanes } = context;
  const routine = context.routine("cleared", () =>
    define(["i32", "i32"], [], ([at, size]) => {
      local.get(at);
      i32.const(0);
      local.get(size);
      memory.fill();
    }),
  );
  return { routine, arguments: [address(target), columns(target.axis, inputSize * lanes.bytes)] };
}

/** (pooled…, image…, columns): `body` for every window of every column; the first `ofWindows` operands hold a number a window. */
function eachWindow(
  context: WasmContext,
  name: string,
  windows: InsideWindows,
  operands: number,
  body: (places: readonly Whole[]) => void,
  ofWindows = 1,
): Routine {
  const axes = windows.axes.map((axis) => ({
    ...axis,
    strides: Array.from({ length: operands }, (_, k) => axis.strides[k < ofWindows ? 0 : 1] ?? 0),
  }));
  const key = `${name} ${dataKey([windows, operands])}`;
  return context.routine(key, () =>
    define(
      Array.from({ length: operands + 1 }, () => "i32" as const),
      [],
      (parameters) => {
        const count = parameters[operands] as Whole;
        walk(axes, parameters.slice(0, operands), count, context.lanes.bytes, body);
      },
    ),
  );
}

function maximum({ lanes }: WasmContext, { cells }: InsideWindows, x: Whole): Local<"v128"> {
  const { single, bytes } = lanes;
  const [first = 0, ...others] = cells;
  const best = variable("v128", single.load(x, first * bytes));
  for (const cell of others) {
    local.set(best, lanes.pmax(local.get(best), single.load(x, cell * bytes)));
  }
  return best;
}

/** The sum, in double, rounded; over the number of cells. */
function average({ lanes }: WasmContext, { cells }: InsideWindows, x: Whole): Local<"v128"> {
  const { single, bytes } = lanes;
  const sum = variable("v128", lanesOf.double.constant(0));
  for (const cell of cells) {
    const value = single.load(x, cell * bytes);
    local.set(sum, f64x2.add(lanes.elementType === "float" ? f64x2.promote_low_f32x4(value) : value, sum));
  }
  return variable("v128", lanes.div(lanes.fromDouble(sum), lanes.constant(cells.length)));
}

/** Distance in bytes of the first cell with the largest value. */
function firstMaximum({ lanes }: WasmContext, { cells }: InsideWindows, x: Whole): Whole {
  const { single, bytes } = lanes;
  const [first = 0, ...others] = cells;
  const best = variable("v128", single.load(x, first * bytes));
  const place = variable("i32", first * bytes);
  const value = variable("v128");
  for (const cell of others) {
    local.set(value, single.load(x, cell * bytes));
    i32.const(cell * bytes);
    local.get(place);
    v128.any_true(lanes.gt(value, best));
    select();
    local.set(place);
    local.set(best, lanes.pmax(best, value));
  }
  return place;
}

/** Distance in bytes of the first cell that is not less than the maximum; there is one. */
function firstNotLess(
  { lanes }: WasmContext,
  { cells }: InsideWindows,
  x: Whole,
  maximum: Local<"v128">,
): Whole {
  const { single, bytes } = lanes;
  const place = variable("i32", 0);
  for (const cell of [...cells].reverse()) {
    i32.const(cell * bytes);
    local.get(place);
    i32x4.extract_lane(0, lanes.ge(single.load(x, cell * bytes), maximum));
    select();
    local.set(place);
  }
  return place;
}
