import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { nthElement } from "../../src/numerics/nth-element.js";

interface Recorded {
  readonly count: number;
  readonly columns: readonly { readonly values: readonly number[]; readonly order: readonly number[] }[];
}

/*
 * What std::nth_element of GNU's library (gcc) made of lists of indices that go on from column to column: few and many elements,
 * many and few equal ones, and orders that drive it into its heap.
 */
const file = new URL("../fixtures/numerics/nth-element.json", import.meta.url);
const cases = JSON.parse(readFileSync(file, "utf8")) as Recorded[];

describe("nthElement", () => {
  it.each(cases.map((recorded, index) => [index, recorded] as const))(
    "swaps as the C++ library does: list %i",
    (_, { count, columns }) => {
      const order = Int32Array.from(columns[0]?.values ?? [], (__, index) => index);
      for (const column of columns) {
        const value = (index: number): number => column.values[index] ?? NaN;
        nthElement(order, count, (a, b) => value(a) > value(b));
        expect([...order]).toEqual(column.order);
      }
    },
  );

  it("does nothing to an empty list, nor where all elements are asked for", () => {
    nthElement(new Int32Array(0), 0, () => true);
    const elements = Int32Array.of(3, 1, 2);
    nthElement(elements, 3, (a, b) => a < b);
    expect([...elements]).toEqual([3, 1, 2]);
  });
});
