import { roundingOf } from "../../plan/fold-constants.js";
import type { RegionParameters } from "../../primitives/parameters.js";
import { operandAt, type KernelCompiler, type KernelRun } from "../host/kernel.js";
import type { Operand } from "../../primitives/instruction.js";
import { allColumns, cellAt, columnStart, countOf, numberAt, placesOf, type Place } from "./cells.js";

/*
 * Regions in CNTK's own arithmetic: whole numbers of 64 bits without sign.
 */

const unsigned = (x: bigint): bigint => BigInt.asUintN(64, x);
const half = 2 ** 63;

/** A double as C makes it a number of 64 bits without sign; what does not fit becomes 0. */
function toUnsigned(x: number): bigint {
  if (x < half) return unsigned(BigInt(Math.trunc(x)));
  const rest = x - half;
  return rest < half ? unsigned(BigInt(rest) + 2n ** 63n) : 0n;
}

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const rounded = (x: number): number => (x < 0 ? -Math.floor(0.5 - x) : Math.floor(x + 0.5));

/** A region's first cell, cells and cells per part of the grid along an axis. */
function sideOf(from: number, to: number, scale: number, parts: number, round: (x: number) => number) {
  const start = toUnsigned(rounded(from * scale));
  const cells = unsigned(toUnsigned(rounded(to * scale)) - start + 1n);
  const extent = cells === 0n ? 1n : cells;
  return { start, extent, step: round(round(Number(extent)) / parts) };
}

/** All cells of the grids: their place [part, part, channel, region], and which cell of x is their first maximum. */
function gridCells(
  run: KernelRun,
  { scale, grid }: RegionParameters,
  [input, regions]: readonly [Operand, Operand],
  column: number,
  round: (x: number) => number,
) {
  const [x, corners] = [run.view(input), run.view(regions)];
  const size = input.dims;
  return placesOf([...grid, size[2] ?? 1, regions.dims[1] ?? 1]).map((place) => {
    const region = place[3]!;
    const corner = (index: number) => numberAt(corners, columnStart(regions, column) + 4 * region + index);
    const sides = [0, 1].map((axis) => sideOf(corner(axis), corner(axis + 2), scale, grid[axis]!, round));
    const [across, down] = sides.map(({ start, step }, axis) => {
      const limit = BigInt(size[axis]!);
      const begin = toUnsigned(Math.floor(round(place[axis]! * step)));
      const end = toUnsigned(Math.ceil(round((place[axis]! + 1) * step)));
      return [begin, end].map((cell) => Number(least(unsigned(cell + start), limit)));
    });
    const covered = placesOf(size).filter(
      ([w, h, c]) =>
        c === place[2] && w! >= across![0]! && w! < across![1]! && h! >= down![0]! && h! < down![1]!,
    );
    const value = (at: Place) => numberAt(x, columnStart(input, column) + cellAt(size, at));
    const first: Place = [0, 0, place[2]!];
    const best = covered.reduce((found, at) => (value(at) > found.value ? { value: value(at), at } : found), {
      value: covered.length === 0 ? 0 : -3.4028234663852886e38,
      at: first,
    });
    return { place, sides, ...best };
  });
}

/** y = the largest value under each cell of the grid. */
export const regionPool: KernelCompiler<"regionPool"> = (instruction, { elementType }) => {
  const { reads, writes, parameters } = instruction;
  const operands = [operandAt(reads, 0), operandAt(reads, 1)] as const;
  const round = roundingOf(elementType);
  return (run) => {
    const y = run.view(writes);
    for (const column of allColumns(run, writes.axis)) {
      const cells = gridCells(run, parameters, operands, column, round);
      cells.forEach(({ value }, cell) => (y[column * cells.length + cell] = value));
    }
  };
};

/** x[first maximum of the cell] += g[cell], for the cells of the image that CNTK goes through. */
export const regionPoolGradient: KernelCompiler<"regionPoolGradient"> = (instruction, { elementType }) => {
  const { reads, writes, parameters } = instruction;
  const gradient = operandAt(reads, 0);
  const operands = [operandAt(reads, 1), operandAt(reads, 2)] as const;
  const round = roundingOf(elementType);
  const size = countOf(writes.dims);
  return (run) => {
    const [g, target] = [run.view(gradient), run.view(writes)];
    for (const column of allColumns(run, writes.axis)) {
      const sums = new Float64Array(size);
      gridCells(run, parameters, operands, column, round).forEach(({ place, sides, at }, cell) => {
        const isSeen = sides.every(({ start, extent, step }, axis) => {
          const own = BigInt(at[axis]!);
          if (own < start || own >= unsigned(start + extent)) return false;
          const inside = Number(own - start);
          return (
            place[axis]! >= Math.floor(round(inside / step)) &&
            place[axis]! < Math.ceil(round((inside + 1) / step))
          );
        });
        // CNTK's rows end where its columns do.
        if (isSeen && at[1]! < writes.dims[0]!) {
          sums[cellAt(writes.dims, at)]! += numberAt(g, columnStart(gradient, column) + cell);
        }
      });
      target.set(sums, column * size);
    }
  };
};
