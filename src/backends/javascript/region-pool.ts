import type { Values } from "../../numerics/values.js";
import { roundingOf } from "../../plan/fold-constants.js";
import type { Operand } from "../../primitives/instruction.js";
import type { RegionParameters } from "../../primitives/parameters.js";
import { operandAt, type KernelCompiler } from "../host/kernel.js";

/** Beyond this a number does not fit into CNTK's 64 bits without sign; the processor then gives 0. */
const tooLarge = 2 ** 64;

/** One side of a region, in cells of the feature map. */
interface Side {
  /** First cell; negative where the region begins outside. */
  readonly start: number;
  /** Cells from the first to the last; huge (2^64, about) where the region ends before it begins. */
  readonly extent: number;
  /** Cells per cell of the grid. */
  readonly step: number;
}

/** Half away from zero, as C rounds. */
const rounded = (x: number): number => Math.sign(x) * Math.floor(Math.abs(x) + 0.5);

function sideOf(from: number, to: number, scale: number, parts: number, round: (x: number) => number): Side {
  const start = rounded(from * scale);
  const cells = rounded(to * scale) - start + 1;
  // CNTK counts without sign: a negative number of cells is a huge one.
  const extent = cells < 0 ? cells + tooLarge : Math.max(cells, 1);
  return { start, extent, step: round(round(extent) / parts) };
}

/** A place of the side as a cell of the image, which has `size` of them along it. */
function cellOf(place: number, { start }: Side, size: number): number {
  const cell = (place < tooLarge ? place : 0) + start;
  return cell < 0 ? size : Math.min(cell, size);
}

/** The cells [begin, end) of the image that a part of the side covers. */
function coveredBy(side: Side, part: number, size: number, round: (x: number) => number): [number, number] {
  return [
    cellOf(Math.floor(round(part * side.step)), side, size),
    cellOf(Math.ceil(round((part + 1) * side.step)), side, size),
  ];
}

/** The smallest number that counts in a maximum. */
const lowest = -3.4028234663852886e38;

/** What both directions go through: every cell of every region's grid in every channel. */
interface GridCell {
  /** Number of the cell in a column of the result. */
  readonly number: number;
  readonly column: number;
  readonly channel: number;
  readonly part: readonly [number, number];
  readonly sides: readonly [Side, Side];
  /** The first maximum as an offset in the channel (0 where there is none), and its value. */
  readonly place: number;
  readonly maximum: number;
}

type Visit = (cell: GridCell) => void;

function walkGrid(
  { scale, grid }: RegionParameters,
  [input, regions]: readonly [Operand, Operand],
  round: (x: number) => number,
) {
  const [width = 1, height = 1, channels = 1] = input.dims;
  const [, count = 1] = regions.dims;
  const [gridWidth, gridHeight] = grid;
  const [imageSize, cornersSize] = [width * height * channels, 4 * count];
  return (x: Values, corners: Values, columns: number, visit: Visit): void => {
    for (let column = 0; column < columns; column++) {
      for (let region = 0; region < count; region++) {
        const at = (regions.axis === null ? 0 : column * cornersSize) + 4 * region;
        const sides = [
          sideOf(corners[at]!, corners[at + 2]!, scale, gridWidth, round),
          sideOf(corners[at + 1]!, corners[at + 3]!, scale, gridHeight, round),
        ] as const;
        for (let channel = 0; channel < channels; channel++) {
          const image = (input.axis === null ? 0 : column * imageSize) + channel * width * height;
          for (let v = 0; v < gridHeight; v++) {
            const [top, bottom] = coveredBy(sides[1], v, height, round);
            for (let u = 0; u < gridWidth; u++) {
              const [left, right] = coveredBy(sides[0], u, width, round);
              let place = 0;
              let maximum = bottom <= top || right <= left ? 0 : lowest;
              for (let h = top; h < bottom; h++) {
                for (let w = left; w < right; w++) {
                  const value = x[image + w + h * width]!;
                  if (value > maximum) [maximum, place] = [value, w + h * width];
                }
              }
              const number = u + gridWidth * (v + gridHeight * (channel + channels * region));
              visit({ number, column, channel, part: [u, v], sides, place, maximum });
            }
          }
        }
      }
    }
  };
}

/** The largest value under each cell of each region's grid (CPUMatrixImpl.h, MaxROIPoolingForward). */
export const compileRegionPool: KernelCompiler<"regionPool"> = (instruction, { elementType }) => {
  const { reads, writes, parameters } = instruction;
  const operands = [operandAt(reads, 0), operandAt(reads, 1)] as const;
  const walk = walkGrid(parameters, operands, roundingOf(elementType));
  const size = writes.dims.reduce((product, dim) => product * dim, 1);
  return (run) => {
    const y = run.view(writes);
    walk(run.view(operands[0]), run.view(operands[1]), run.columns(writes.axis), (cell) => {
      y[cell.column * size + cell.number] = cell.maximum;
    });
  };
};

/** The adjoint, with CNTK's limits (CPUMatrixImpl.h, MaxROIPoolingBackward). */
export const compileRegionPoolGradient: KernelCompiler<"regionPoolGradient"> = (instruction, context) => {
  const { reads, writes, parameters } = instruction;
  const gradient = operandAt(reads, 0);
  const operands = [operandAt(reads, 1), operandAt(reads, 2)] as const;
  const round = roundingOf(context.elementType);
  const walk = walkGrid(parameters, operands, round);
  const [width = 1, height = 1, channels = 1] = writes.dims;
  const gradientSize = gradient.dims.reduce((product, dim) => product * dim, 1);
  return (run) => {
    const columns = run.columns(writes.axis);
    const [g, target] = [run.view(gradient), run.view(writes)];
    target.fill(0, 0, columns * width * height * channels);
    walk(run.view(operands[0]), run.view(operands[1]), columns, (cell) => {
      const { sides, part, place, column, channel, number } = cell;
      const place2 = [place % width, Math.floor(place / width)] as const;
      if (place2[1] >= width) return;
      for (const axis of [0, 1] as const) {
        if (!reaches(sides[axis], place2[axis], part[axis], parameters.grid[axis], round)) return;
      }
      const at = (column * channels + channel) * width * height + place;
      target[at] = target[at]! + g[column * gradientSize + number]!;
    });
  };
};

/** Does CNTK look for a cell of the image in a part of the side? */
function reaches(
  side: Side,
  cell: number,
  part: number,
  parts: number,
  round: (x: number) => number,
): boolean {
  const { start, extent, step } = side;
  if (start < 0 || cell < start || extent >= tooLarge / 2 || cell >= start + extent) return false;
  const first = Math.min(Math.floor(round((cell - start) / step)), parts);
  const end = Math.min(Math.ceil(round((cell - start + 1) / step)), parts);
  return part >= first && part < end;
}
