import { f64x2, i32, i32x4, i64, i64x2, local, type Local, v128 } from "wasmati";
import { dataKey } from "../../../plan/rewrite.js";
import type { LoopAxis } from "../../javascript/loop-nest.js";
import { define, variable, type Routine } from "../emit/function.js";
import { joined, type Lanes, lanesOf, moved, type Vector } from "../emit/lanes.js";
import { advance, forStretches, repeat } from "../emit/loops.js";
import type { WasmContext } from "./kernel.js";
import type { InsideWindows } from "./windows.js";
import { walk } from "./walk.js";

/*
 * Pooling over windows side by side, each as wide as the step from one to the next: a vector of windows at a time. What lies
 * under them is neighbours in memory, which are dealt out: lane i of cell t's vector is that of window i.
 */

type Whole = Local<"i32">;
type V = Local<"v128">;

/** Windows of which a vector's worth stands in a row. */
export interface WindowRows {
  /** How many stand in a row. */
  readonly length: number;
  /** Cells of a window in a row of the image: two or four. */
  readonly width: number;
  /** Where the rows of a window's cells begin. */
  readonly rows: readonly number[];
  /** The loops over the rows of windows. */
  readonly axes: readonly LoopAxis[];
  /** Numbers of a sample, and of its windows. */
  readonly inputSize: number;
  readonly count: number;
  /** Does every cell lie under a window, and under one only? */
  readonly isCovered: boolean;
}

/** The rows of windows that vectors can go along; undefined: they cannot. */
export function windowRows({ count: lanes }: Lanes, windows: InsideWindows): WindowRows | undefined {
  const { axes, cells, apart, count, inputSize } = windows;
  const [row, ...others] = axes;
  const [step, width = 0] = row?.strides ?? [];
  if (!row || row.isColumns || step !== 1 || (width !== 2 && width !== 4) || row.size < lanes)
    return undefined;
  const areNeighbours = cells.every((cell, i) => i % width === 0 || cell === (cells[i - 1] ?? 0) + 1);
  if (!areNeighbours || cells.length % width !== 0) return undefined;
  return {
    length: row.size,
    width,
    rows: cells.filter((_, i) => i % width === 0),
    axes: others,
    inputSize,
    count,
    isCovered: apart && count * cells.length === inputSize,
  };
}

/** (pooled, x, columns): the maxima. */
export function maximaOfRows(context: WasmContext, windows: WindowRows): Routine {
  const { lanes } = context;
  return eachVector(context, "maxima", windows, [0, 1], ([pooled, x]) => {
    const [best, ...others] = cellsOf(lanes, windows, x!) as [V, ...V[]];
    for (const cells of others) local.set(best, lanes.pmax(local.get(best), cells));
    lanes.whole.store(pooled!, 0, () => local.get(best));
  });
}

/** (pooled, x, columns): the averages. Sums are added in double, cell after cell. */
export function averagesOfRows(context: WasmContext, windows: WindowRows): Routine {
  const { lanes } = context;
  return eachVector(context, "averages", windows, [0, 1], ([pooled, x]) => {
    const cells = cellsOf(lanes, windows, x!);
    const isFloat = lanes.elementType === "float";
    // Of floats a vector has twice as many as of doubles.
    const sums = (isFloat ? [0, 2] : [0]).map((first) => {
      const sum = variable("v128", lanesOf.double.constant(0));
      for (const values of cells) {
        const half = first === 0 ? values : variable("v128", moved(values, [2, 3, 0, 1], lanes.bytes));
        local.set(sum, f64x2.add(isFloat ? f64x2.promote_low_f32x4(half) : half, sum));
      }
      return sum;
    }) as [V, ...V[]];
    const [low, high] = sums.map((sum) => variable("v128", lanes.fromDouble(sum))) as [V, ...V[]];
    const all = high ? variable("v128", joined(low, high, [0, 1, 4, 5], lanes.bytes)) : low;
    lanes.whole.store(pooled!, 0, () => lanes.div(all, lanes.constant(cells.length)));
  });
}

/** (gradient, target, columns): each gradient shared out among the cells of its window. */
export function sharesOfRows(context: WasmContext, windows: WindowRows): Routine {
  const { lanes } = context;
  const { rows, width } = windows;
  return eachVector(context, "shares", windows, [0, 1], ([slopes, target]) => {
    const share = variable("v128", lanes.div(lanes.whole.load(slopes!), lanes.constant(rows.length * width)));
    const vectors = woven(
      lanes,
      Array.from({ length: width }, () => share),
    );
    for (const row of rows)
      vectors.forEach((vector, i) =>
        lanes.whole.store(target!, (row + i * lanes.count) * lanes.bytes, () => local.get(vector)),
      );
  });
}

/** (values, x, target, columns): each value at the place of its window's first maximum in x, zero at the others. */
export function unpooledRows(context: WasmContext, windows: WindowRows): Routine {
  const { lanes } = context;
  return eachVector(context, "unpooled", windows, [0, 1, 1], ([values, x, target]) => {
    const found = firstMaxima(lanes, cellsOf(lanes, windows, x!), (cell) => wholes(lanes, () => cell));
    putInCells(lanes, windows, variable("v128", lanes.whole.load(values!)), found, target!);
  });
}

/** (gradient, pooled, x, target, columns): each gradient at the first cell of its window that is not less than the maximum. */
export function gradientOfRows(context: WasmContext, windows: WindowRows): Routine {
  const { lanes } = context;
  return eachVector(context, "max gradient", windows, [0, 0, 1, 1], ([slopes, pooled, x, target]) => {
    const largest = variable("v128", lanes.whole.load(pooled!));
    const found = variable(
      "v128",
      wholes(lanes, () => 0),
    );
    const cells = cellsOf(lanes, windows, x!);
    for (let cell = cells.length - 1; cell > 0; cell--) {
      const reaches = variable("v128", lanes.ge(cells[cell]!, largest));
      local.set(
        found,
        v128.bitselect(
          wholes(lanes, () => cell),
          found,
          reaches,
        ),
      );
    }
    const isFirst = variable("v128", lanes.ge(cells[0]!, largest));
    local.set(found, v128.andnot(local.get(found), isFirst));
    putInCells(lanes, windows, variable("v128", lanes.whole.load(slopes!)), found, target!);
  });
}

/** (places, x, columns): where the first maximum of each window is, in bytes from the beginning of its sample. */
export function placesInRows(context: WasmContext, windows: WindowRows): Routine {
  const { lanes } = context;
  const { rows, width, count, inputSize } = windows;
  const isFloat = lanes.elementType === "float";
  return context.routine(`places of maxima ${dataKey(windows)}`, () =>
    define(["i32", "i32", "i32"], [], ([places, x, samples]) => {
      const one = variable("i32", 1);
      repeat(samples, () => {
        forVectors(lanes, windows, [0, 1], [places, x], one, ([place, image]) => {
          const found = firstMaxima(lanes, cellsOf(lanes, windows, image!), (cell) => {
            const at = (rows[Math.floor(cell / width)] ?? 0) + (cell % width);
            return wholes(lanes, (lane) => (at + lane * width) * lanes.bytes);
          });
          const begin = variable("i32", i32.sub(image!, x));
          const all = variable("v128", isFloat ? i32x4.splat(begin) : i64x2.splat(i64.extend_i32_u(begin)));
          lanes.whole.store(place!, 0, () => (isFloat ? i32x4 : i64x2).add(found, all));
        });
        advance(places, count * lanes.bytes);
        advance(x, inputSize * lanes.bytes);
      });
    }),
  );
}

/** A whole number in each lane, as wide as numbers are. */
function wholes({ elementType, count }: Lanes, of: (lane: number) => number): Vector {
  const numbers = Array.from({ length: count }, (_, lane) => of(lane));
  return elementType === "float"
    ? v128.const("i32x4", numbers as [number, number, number, number])
    : v128.const("i64x2", numbers.map(BigInt) as [bigint, bigint]);
}

/** `name` of each window's first maximum: that of its number among the cells. */
function firstMaxima(lanes: Lanes, [first, ...others]: readonly V[], name: (cell: number) => Vector): V {
  const best = variable("v128", first);
  const found = variable("v128", name(0));
  others.forEach((cells, i) => {
    const isLarger = variable("v128", lanes.gt(cells, best));
    local.set(found, v128.bitselect(name(i + 1), found, isLarger));
    local.set(best, lanes.pmax(best, cells));
  });
  return found;
}

/** Each window's value in the cell with the number `found`, zero in the others. */
function putInCells(lanes: Lanes, { rows, width }: WindowRows, values: V, found: V, target: Whole): void {
  const { eq } = lanes.elementType === "float" ? i32x4 : i64x2;
  rows.forEach((row, y) => {
    const cells = Array.from({ length: width }, (_, x) => {
      const isHere = eq(
        found,
        wholes(lanes, () => y * width + x),
      );
      return variable("v128", v128.and(isHere, values));
    });
    woven(lanes, cells).forEach((vector, i) =>
      lanes.whole.store(target, (row + i * lanes.count) * lanes.bytes, () => local.get(vector)),
    );
  });
}

/** The vectors of all cells under as many windows as a vector has lanes. */
function cellsOf(lanes: Lanes, { rows, width }: WindowRows, x: Whole): V[] {
  return rows.flatMap((row) => {
    const neighbours = Array.from({ length: width }, (_, i) =>
      variable("v128", lanes.whole.load(x, (row + i * lanes.count) * lanes.bytes)),
    );
    return dealtOut(lanes, neighbours);
  });
}

/** Numbers in a row, dealt out to as many vectors as they fill: the first to the first, and so on. */
function dealtOut(lanes: Lanes, vectors: readonly V[]): V[] {
  if (vectors.length === 1) return [...vectors];
  const everySecond = (first: number) =>
    pairs(vectors).map(([a, b]) => {
      const order = Array.from({ length: lanes.count }, (_, lane) => first + 2 * lane);
      return variable("v128", joined(a, b, order, lanes.bytes));
    });
  const [even, odd] = [dealtOut(lanes, everySecond(0)), dealtOut(lanes, everySecond(1))];
  return even.flatMap((vector, i) => [vector, odd[i]!]);
}

/** What has been dealt out, in a row again. */
function woven(lanes: Lanes, vectors: readonly V[]): V[] {
  if (vectors.length === 1) return [...vectors];
  const even = woven(
    lanes,
    vectors.filter((_, i) => i % 2 === 0),
  );
  const odd = woven(
    lanes,
    vectors.filter((_, i) => i % 2 === 1),
  );
  const { count, bytes } = lanes;
  return even.flatMap((a, i) =>
    [0, count / 2].map((first) => {
      const order = Array.from({ length: count }, (_, lane) => first + (lane >> 1) + (lane % 2) * count);
      return variable("v128", joined(a, odd[i]!, order, bytes));
    }),
  );
}

const pairs = (vectors: readonly V[]): (readonly [V, V])[] =>
  Array.from({ length: vectors.length / 2 }, (_, i) => [vectors[2 * i]!, vectors[2 * i + 1]!] as const);

/** (operand…, columns): `body` for every vector of windows; operands 0 hold a number a window, operands 1 images. */
function eachVector(
  context: WasmContext,
  name: string,
  windows: WindowRows,
  operands: readonly (0 | 1)[],
  body: (places: readonly Whole[]) => void,
): Routine {
  return context.routine(`${name} ${dataKey(windows)}`, () =>
    define(["i32", ...operands.map(() => "i32" as const)], [], (parameters) => {
      const columns = parameters[operands.length] as Whole;
      forVectors(context.lanes, windows, operands, parameters.slice(0, operands.length), columns, body);
    }),
  );
}

/** Every vector of windows of so many columns: `body` gets where it is in each operand. */
function forVectors(
  lanes: Lanes,
  { axes, length, width }: WindowRows,
  operands: readonly (0 | 1)[],
  places: readonly Whole[],
  columns: Whole,
  body: (places: readonly Whole[]) => void,
): void {
  const loops = axes.map((axis) => ({ ...axis, strides: operands.map((k) => axis.strides[k] ?? 0) }));
  walk(loops, places, columns, lanes.bytes, (row) => {
    forStretches(length, lanes.count, (window) => {
      const step = (k: number) => lanes.bytes * (operands[k] === 0 ? 1 : width);
      body(row.map((place, k) => variable("i32", i32.add(i32.mul(window, step(k)), place))));
    });
  });
}
