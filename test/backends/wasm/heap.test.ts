import { describe, expect, it } from "vitest";
import { LinearHeap } from "../../../src/backends/wasm/heap.js";
import { TableLayout } from "../../../src/backends/wasm/layout.js";
import { PlanBuilder, singleFrames } from "../../support/plan-builder.js";

function emptyHeap() {
  const builder = new PlanBuilder("double");
  builder.output("y", builder.input("x", [1]));
  const table = new TableLayout(builder.plan());
  return { heap: new LinearHeap(table, "double"), table };
}

/** How many cache lines a fresh heap gives before its memory grows. */
function linesUntilGrowth(): number {
  const { heap } = emptyHeap();
  const before = heap.memory.buffer.byteLength;
  let lines = 0;
  for (; heap.memory.buffer.byteLength === before; lines++) heap.allocate("double", 8);
  return lines - 1;
}

describe("LinearHeap", () => {
  it("lays out an axis with gaps when its memory is full to the last byte", () => {
    const { heap, table } = emptyHeap();
    for (let line = linesUntilGrowth(); line > 0; line--) heap.allocate("double", 8);
    const before = heap.memory.buffer.byteLength;
    const gaps = Uint8Array.from({ length: 78 }, (_, column) => column % 2);
    heap.laidOut(0, singleFrames(78), gaps);
    expect(heap.memory.buffer.byteLength).toBeGreaterThan(before);
    const place = new Int32Array(heap.memory.buffer)[table.axis(0, "gaps") / 4]!;
    expect([...new Uint8Array(heap.memory.buffer, place, 78)]).toEqual([...gaps]);
  });
});
