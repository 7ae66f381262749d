import type { Geometry } from "../../../src/primitives/geometry.js";
import type { ConformanceCase } from "../../support/conformance-case.js";
import { geometry } from "../../support/geometry.js";
import { sizeOf, tensor, valueAt, windowsOf, type Tensor } from "../../support/naive.js";
import { eighths } from "../../support/plan-builder.js";

const geometries: readonly [string, Geometry][] = [
  ["2x2", geometry({ input: [6, 4, 3], kernel: [2, 2, 1], stride: [2, 2, 1] })],
  ["4x4", geometry({ input: [8, 8, 1], kernel: [4, 4, 1], stride: [4, 4, 1] })],
  ["2x2, long rows", geometry({ input: [10, 4, 3], kernel: [2, 2, 1], stride: [2, 2, 1] })],
  ["2x2, long rows, cells left over", geometry({ input: [13, 5, 2], kernel: [2, 2, 1], stride: [2, 2, 1] })],
  ["4x4, long rows", geometry({ input: [20, 8, 2], kernel: [4, 4, 1], stride: [4, 4, 1] })],
  ["overlapping, long rows", geometry({ input: [12, 3, 2], kernel: [4, 1, 1], stride: [2, 1, 1] })],
  ["overlapping 3x3, stride 2", geometry({ input: [7, 5, 2], kernel: [3, 3, 1], stride: [2, 2, 1] })],
  [
    "overlapping with pads",
    geometry({ input: [6, 6, 2], kernel: [3, 3, 1], stride: [2, 2, 1], lower: [1, 1, 0], upper: [1, 1, 0] }),
  ],
  [
    "one more pad at the end",
    geometry({ input: [5, 5, 1], kernel: [2, 2, 1], stride: [2, 2, 1], upper: [1, 1, 0] }),
  ],
  [
    "windows farther apart than wide, first inside",
    { ...geometry({ input: [8, 7, 1], kernel: [2, 1, 1], stride: [3, 3, 1] }), start: [1, 0, 0] },
  ],
  ["1-D", geometry({ input: [9], kernel: [3], stride: [2] })],
  ["3-D", geometry({ input: [4, 4, 4, 2], kernel: [2, 2, 2, 1], stride: [2, 2, 2, 1] })],
  ["over the channels", geometry({ input: [3, 2, 4], kernel: [1, 1, 2], stride: [1, 1, 2] })],
  ["the whole image", geometry({ input: [5, 4, 3], kernel: [5, 4, 1] })],
];

/** Values with many ties: 0, 1 or 2. */
function ties(count: number, seed: number): number[] {
  return eighths(count, seed).map((x) => Math.abs(Math.trunc(x * 1.4)));
}

const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;

/** Calls `visit` for every window of every sample. */
function eachWindow(
  g: Geometry,
  samples: number,
  visit: (outputPlace: number[], inputPlaces: number[][]) => void,
): void {
  const windows = windowsOf(g);
  for (let n = 0; n < samples; n++) {
    for (const { output, cells } of windows)
      visit(
        [...output, n],
        cells.map((cell) => [...cell, n]),
      );
  }
}

function flat(dims: readonly number[], place: readonly number[]): number {
  return place.reduceRight((index, coordinate, axis) => index * (dims[axis] ?? 1) + coordinate, 0);
}

/** The first place (first axis fastest) of the largest value. */
function firstMaximum(x: Tensor, places: readonly number[][]): number[] {
  const values = places.map((place) => valueAt(x, place)!);
  return places[values.indexOf(Math.max(...values))]!;
}

type PoolCase = { mode: "max" | "average"; includePad: boolean };
const kinds: readonly [string, PoolCase][] = [
  ["max", { mode: "max", includePad: false }],
  ["average", { mode: "average", includePad: false }],
  ["average with padding", { mode: "average", includePad: true }],
];

function poolCases(
  [name, g]: readonly [string, Geometry],
  [kindName, kind]: readonly [string, PoolCase],
): ConformanceCase[] {
  const kernelSize = sizeOf(g.kernel);
  const divisor = (cells: readonly unknown[]) => (kind.includePad ? kernelSize : cells.length);
  const pool = (x: Tensor, samples: number) => {
    const y = new Array<number>(sizeOf(g.output) * samples);
    eachWindow(g, samples, (to, cells) => {
      const values = cells.map((cell) => valueAt(x, cell)!);
      y[flat(g.output, to)] =
        kind.mode === "max" ? Math.max(...values) : (mean(values) * values.length) / divisor(values);
    });
    return y;
  };
  return [
    {
      name: `${kindName} pool, ${name}`,
      build: (b) => {
        const output = b.temporary(g.output);
        b.emit("pool", [b.input("x", g.input)], output, { ...kind, geometry: g }).output("y", output);
      },
      inputs: (samples) => ({ x: eighths(sizeOf(g.input) * samples, samples) }),
      expected: ({ x = [] }, samples) => ({ y: pool(tensor([...g.input, samples], x), samples) }),
    },
    {
      name: `${kindName} pool gradient, ${name}`,
      build: (b) => {
        const output = b.temporary(g.input);
        const outputGradient = b.input("g", g.output);
        const input = b.input("x", g.input);
        const pooled = b.temporary(g.output);
        b.emit("pool", [input], pooled, { ...kind, geometry: g });
        const reads = kind.mode === "max" ? [outputGradient, input, pooled] : [outputGradient];
        b.emit("poolGradient", reads, output, { ...kind, geometry: g });
        b.output("dx", output);
      },
      inputs: (samples) => ({
        x: ties(sizeOf(g.input) * samples, samples),
        g: eighths(sizeOf(g.output) * samples, samples + 5),
      }),
      expected: (inputs, samples) => {
        const x = tensor([...g.input, samples], inputs["x"] ?? []);
        const dx = new Array<number>(x.values.length).fill(0);
        eachWindow(g, samples, (from, cells) => {
          const gradient = (inputs["g"] ?? [])[flat(g.output, from)]!;
          if (kind.mode === "max") dx[flat(g.input, firstMaximum(x, cells))]! += gradient;
          else for (const cell of cells) dx[flat(g.input, cell)]! += gradient / divisor(cells);
        });
        return { dx };
      },
    },
  ];
}

function unpoolCase([name, g]: readonly [string, Geometry]): ConformanceCase {
  return {
    name: `max unpool, ${name}`,
    build: (b) => {
      const output = b.temporary(g.input);
      const reads = [b.input("p", g.output), b.input("x", g.input)];
      b.emit("maxUnpool", reads, output, { geometry: g }).output("y", output);
    },
    inputs: (samples) => ({
      x: ties(sizeOf(g.input) * samples, samples),
      p: eighths(sizeOf(g.output) * samples, samples + 2),
    }),
    expected: ({ x = [], p = [] }, samples) => {
      const y = new Array<number>(x.length).fill(0);
      eachWindow(g, samples, (from, cells) => {
        const place = firstMaximum(tensor([...g.input, samples], x), cells);
        y[flat(g.input, place)] = p[flat(g.output, from)]!;
      });
      return { y };
    },
  };
}

export const poolingCases: ConformanceCase[] = [
  ...geometries.flatMap((g) => kinds.flatMap((kind) => poolCases(g, kind))),
  ...geometries.map(unpoolCase),
];
