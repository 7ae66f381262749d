import { roundingOf } from "../../plan/fold-constants.js";
import type { Expression } from "../../primitives/expression.js";
import type { ReduceOperation } from "../../primitives/parameters.js";
import { binaryFunctions, unaryFunctions, type Rounding } from "../../primitives/scalar-functions.js";
import { operandAt, type KernelCompiler, type KernelRun } from "../host/kernel.js";
import { allColumns, cellAt, columnStart, countOf, numberAt, placesOf, sampleColumns } from "./cells.js";

/** The value of an expression, every operation's result rounded. */
function evaluate(
  expression: Expression,
  args: readonly number[],
  scalars: Readonly<Record<string, number>>,
  round: Rounding,
): number {
  const value = (e: Expression): number => {
    switch (e.kind) {
      case "argument":
        return args[e.index] ?? NaN;
      case "constant":
        return round(e.value);
      case "scalar":
        return scalars[e.name] ?? NaN;
      case "unary":
        return round(unaryFunctions[e.operator](value(e.x), round));
      case "binary":
        return round(binaryFunctions[e.operator](value(e.a), value(e.b), round));
      case "select":
        return value(e.test) !== 0 ? value(e.whenTrue) : value(e.whenFalse);
      default:
        return e satisfies never;
    }
  };
  return value(expression);
}

/** result[place, column] = expression(x[place, column], …), operands stretched. */
export const map: KernelCompiler<"map"> = ({ reads, writes, parameters }, { elementType }) => {
  const round = roundingOf(elementType);
  const places = placesOf(writes.dims);
  const cells = reads.map(({ dims }) => places.map((place) => cellAt(dims, place)));
  return (run) => {
    const inputs = reads.map((x) => run.view(x));
    const target = run.view(writes);
    for (let column = 0; column < run.columns(writes.axis); column++) {
      for (let cell = 0; cell < places.length; cell++) {
        const args = reads.map((x, k) => numberAt(inputs[k]!, columnStart(x, column) + cells[k]![cell]!));
        target[column * places.length + cell] = evaluate(parameters.expression, args, run.scalars, round);
      }
    }
  };
};

/** In each column that `touched` lists: result[place] = expression(touched[place], x[place], …); zero elsewhere. */
export const mapTouched: KernelCompiler<"mapTouched"> = ({ reads, writes, parameters }, { elementType }) => {
  const touched = operandAt(reads, 0);
  const round = roundingOf(elementType);
  const places = placesOf(touched.dims);
  return (run) => {
    const { list, count, height } = run.touched(touched);
    const columns = [...list.subarray(0, count)];
    const values = columns.map((column) =>
      places.slice(column * height, (column + 1) * height).map((place) => {
        const args = reads.map((x) => numberAt(run.view(x), cellAt(x.dims, place)));
        return evaluate(parameters.expression, args, run.scalars, round);
      }),
    );
    const result = run.touched(writes);
    result.clear();
    columns.forEach((column, i) => {
      result.touch(column);
      result.values.set(values[i]!, column * height);
    });
  };
};

/** An axis of the operand in a reduction: its length and the distance of neighbours in memory. */
interface ReducedAxis {
  readonly size: number;
  readonly step: number;
}

/**
 * result[kept] = scale · round(operation over all reduced cells). A sum adds neighbouring reduced axes up as one; a group of
 * axes with kept ones between it and the next gives a total of its own, rounded.
 */
export const reduce: KernelCompiler<"reduce"> = ({ reads, writes, parameters }, { elementType }) => {
  const x = operandAt(reads, 0);
  const { operation, scale, gaps } = parameters;
  const round = roundingOf(elementType);
  const size = countOf(x.dims);
  const contracts = x.axis !== null && writes.axis === null;
  /** Groups of neighbouring reduced axes within a column, innermost first; are the outermost ones next to the columns? */
  const { groups, endsReduced } = reducedGroups(x.dims, writes.dims);
  const keptDims = x.dims.map((dim, axis) => ((writes.dims[axis] ?? 1) === 1 ? 1 : dim));
  return (run) => {
    const [from, target] = [run.view(x), run.view(writes)];
    /** Cells of a reduction, group by group, as distances from its first one. */
    const offsetGroups = (columns: readonly number[]): number[][] => {
      const offsets = groups.map(offsetsOf);
      if (!contracts) return offsets;
      const starts = columns.map((column) => column * size);
      const inner = endsReduced ? offsets.pop() : undefined;
      offsets.push(starts.flatMap((start) => (inner ?? [0]).map((offset) => start + offset)));
      return offsets;
    };
    const everything = allColumns(run, x.axis);
    const offsets = offsetGroups(gaps === "counted" ? everything : sampleColumns(run, x));
    // The flat index that argmax gives counts gaps as well.
    const numbers = new Map(crossed(offsetGroups(everything)).map((offset, index) => [offset, index]));
    const cells = crossed(offsets);
    for (const column of contracts ? [0] : allColumns(run, x.axis)) {
      placesOf(keptDims).forEach((place, cell) => {
        const at = columnStart(x, column) + cellAt(x.dims, place);
        const value = (index: number) => numberAt(from, index);
        let total = 0;
        if (operation === "sum") total = sumOf(value, offsets, offsets.length - 1, at, round);
        else if (operation === "argmax" || operation === "argmin") {
          const best = extreme[operation](cells.map((offset) => value(at + offset)));
          total = numbers.get(cells[best] ?? 0) ?? 0;
        } else total = folds[operation](cells.map((offset) => value(at + offset)));
        target[columnStart(writes, column) + cell] = scale === 1 ? total : round(total) * round(scale);
      });
    }
  };
};

function reducedGroups(dims: readonly number[], kept: readonly number[]) {
  const groups: ReducedAxis[][] = [];
  let step = 1;
  let isOpen = false;
  dims.forEach((size, axis) => {
    if (size > 1 && (kept[axis] ?? 1) === 1) {
      if (!isOpen) groups.push([]);
      groups.at(-1)?.push({ size, step });
      isOpen = true;
    } else if (size > 1) isOpen = false;
    step *= size;
  });
  return { groups, endsReduced: isOpen };
}

/** Distances from the first cell of a group to all its cells, in order of memory. */
function offsetsOf(group: readonly ReducedAxis[]): number[] {
  return placesOf(group.map(({ size }) => size)).map((place) =>
    group.reduce((offset, { step }, axis) => offset + step * (place[axis] ?? 0), 0),
  );
}

function sumOf(
  value: (index: number) => number,
  groups: readonly number[][],
  level: number,
  at: number,
  round: Rounding,
): number {
  const offsets = groups[level];
  if (!offsets) return value(at);
  let total = 0;
  for (const offset of offsets) {
    total += level === 0 ? value(at + offset) : round(sumOf(value, groups, level - 1, at + offset, round));
  }
  return total;
}

/** All sums of one offset of each group, the first group's changing fastest. */
function crossed(groups: readonly number[][]): number[] {
  return groups.reduce<number[]>(
    (all, group) => group.flatMap((outer) => all.map((inner) => outer + inner)),
    [0],
  );
}

/** The first of the largest, or smallest, cells. */
const extreme = {
  argmax: (cells: number[]) => cells.reduce((best, x, i) => (x > (cells[best] ?? NaN) ? i : best), 0),
  argmin: (cells: number[]) => cells.reduce((best, x, i) => (x < (cells[best] ?? NaN) ? i : best), 0),
};

type Fold = Exclude<ReduceOperation, "sum" | keyof typeof extreme>;
const folds: Readonly<Record<Fold, (cells: number[]) => number>> = {
  product: (cells) => cells.reduce((product, x) => product * x, 1),
  // As CNTK compares: of a number and what is no number the later one counts.
  max: (cells) => cells.reduce((most, x) => (most > x ? most : x), -Infinity),
  min: (cells) => cells.reduce((least, x) => (least < x ? least : x), Infinity),
  logSum: (cells) => {
    const most = cells.reduce((high, x) => (high > x ? high : x), -Infinity);
    if (!Number.isFinite(most)) return most;
    return most + Math.log(cells.reduce((sum, x) => sum + Math.exp(x - most), 0));
  },
};

/** Per element u ≤ rate ? 0 : 1/(1−rate), u drawn from the engine; all ones at rate 0. */
export const dropoutMask: KernelCompiler<"dropoutMask"> = ({ writes, parameters }, { elementType }) => {
  const round = roundingOf(elementType);
  return (run: KernelRun) => {
    const rate = run.doubles[parameters.rate] ?? 0;
    const random = run.engines.get(parameters.engine);
    if (!random) throw new Error(`the plan has no random engine ${parameters.engine}`);
    const target = run.view(writes);
    for (let i = 0; i < countOf(writes.dims) * run.columns(writes.axis); i++) {
      if (rate === 0) target[i] = 1;
      else target[i] = random.nextUniform(elementType) <= round(rate) ? 0 : 1 / (1 - rate);
    }
  };
};
