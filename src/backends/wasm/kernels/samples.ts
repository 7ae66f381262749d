import { i32, local, memory } from "wasmati";
import { define, variable, type Routine } from "../emit/function.js";
import { advance, forEach, when } from "../emit/loops.js";
import type { WasmContext } from "./kernel.js";

/** (from, to, size, gaps, columns) → the number of columns that are no gaps, which are put one behind another; size in bytes. */
export function samplesTogether(context: WasmContext): Routine {
  return context.routine("samples together", () =>
    define(["i32", "i32", "i32", "i32", "i32"], ["i32"], ([from, to, size, gaps, columns]) => {
      const samples = variable("i32", 0);
      forEach(0, columns, 1, (column) => {
        when(i32.eqz(i32.load8_u({}, i32.add(gaps, column))), () => {
          local.get(to);
          local.get(from);
          local.get(size);
          memory.copy();
          advance(to, size);
          advance(samples, 1);
        });
        advance(from, size);
      });
      local.get(samples);
    }),
  );
}
