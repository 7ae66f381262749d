import { expect, it } from "vitest";
import type { Kernel, KernelRun } from "../../../src/backends/host/kernel.js";
import { TouchedMatrix } from "../../../src/backends/host/touched.js";
import {
  compileMapTouched,
  compilePutTouched,
  compileReduceTouched,
} from "../../../src/backends/javascript/sparse.js";
import type { Values } from "../../../src/numerics/values.js";
import { add, argument } from "../../../src/primitives/expression.js";
import type { Operand, Storage } from "../../../src/primitives/instruction.js";

const [height, columns] = [3, 1000];

/** Numbers that count how often somebody reads or writes one of them. */
class Counted {
  reads = 0;
  readonly written = new Set<number>();
  readonly values: Values;

  constructor(numbers: Values) {
    this.values = new Proxy(numbers, {
      get: (target, key) => {
        if (typeof key === "string" && /^\d+$/.test(key)) {
          this.reads++;
          return target[Number(key)];
        }
        throw new Error(`the whole array is asked for '${String(key)}'`);
      },
      set: (target, key, value: number) => {
        this.written.add(Number(key));
        target[Number(key)] = value;
        return true;
      },
    });
  }
}

const operand = (buffer: number, storage: Storage, dims = [height, columns]): Operand => ({
  buffer,
  dims,
  axis: null,
  storage,
});

/** A run in which buffer 0 is a touched matrix, 1 a touched result and 2 a dense matrix that counts. */
function counting() {
  const given = new TouchedMatrix("double", height, columns);
  const result = new TouchedMatrix("double", height, columns);
  const dense = new Counted(new Float64Array(height * columns).fill(1));
  const total = new Float64Array(1);
  const views = [given.values, result.values, dense.values, total];
  const touched = [given, result];
  const run = {
    view: ({ buffer }: Operand) => views[buffer],
    touched: ({ buffer }: Operand) => touched[buffer],
    scalars: {},
  } as unknown as KernelRun;
  return { given, result, dense, total, start: (kernel: Kernel) => kernel(run) };
}

const context = { elementType: "double", isFixed: () => false } as const;

it("what is done to touched columns reads and writes no others", () => {
  const { given, result, dense, total, start } = counting();
  const places = [7, 7 + 1, 400].flatMap((column) =>
    Array.from({ length: height }, (_, row) => column * height + row),
  );
  for (const at of places) {
    given.touch(Math.floor(at / height));
    given.values[at] = at;
  }
  const map = compileMapTouched(
    {
      kind: "mapTouched",
      reads: [operand(0, "touched"), operand(2, "dense")],
      writes: operand(1, "touched"),
      parameters: { expression: add(argument(0), argument(1)) },
    },
    context,
  );
  start(map);
  expect(dense.reads).toBe(places.length);
  expect(Array.from(result.values.entries()).filter(([, value]) => value !== 0)).toEqual(
    places.map((at) => [at, at + 1]),
  );
  const put = compilePutTouched(
    {
      kind: "putTouched",
      reads: [operand(2, "dense"), operand(1, "touched")],
      writes: operand(2, "dense"),
      parameters: {},
    },
    context,
  );
  start(put);
  expect([...dense.written]).toEqual(places);
  expect(dense.reads).toBe(places.length);
  const reduce = compileReduceTouched(
    {
      kind: "reduceTouched",
      reads: [operand(0, "touched")],
      writes: operand(3, "dense", [1]),
      parameters: { operation: "mean" },
    },
    context,
  );
  start(reduce);
  expect(total[0]).toBeCloseTo(places.reduce((sum, at) => sum + at, 0) / places.length, 10);
});
