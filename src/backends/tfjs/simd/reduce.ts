import type { LoopAxis } from "../layout.js";
import { FunctionWriter, i32, v128, type WasmMemory } from "./assembler.js";
import { LoopWriter } from "./loops.js";

/** Called with the number of samples and the addresses of the doubles to add to and of the input. */
export type NativeSum = (samples: number, sums: number, input: number) => void;

/**
 * Sums in double. Nest operands: the input and the sums (standing still along reduced axes). Null where the innermost loop
 * does not run over neighbours in the input.
 */
export function compileNativeSum(memory: WasmMemory, nest: readonly LoopAxis[]): NativeSum | null {
  const last = nest[nest.length - 1];
  if (!last || last.strides[0] !== 1 || (last.strides[1] !== 0 && last.strides[1] !== 1)) return null;
  const reduced = last.strides[1] === 0;
  const writer = new FunctionWriter([i32, i32, i32]);
  const [samples, sums, input] = [0, 1, 2];
  // The loops step in floats; sums are doubles, twice as far apart.
  const doubled = nest.map((axis) => ({
    ...axis,
    strides: [axis.strides[0] as number, 2 * (axis.strides[1] as number)],
  }));
  const loops = new LoopWriter(writer, doubled, samples, [input, sums]);
  const value = writer.local(v128);
  const lower = writer.local(v128);
  const upper = writer.local(v128);
  loops.write((axis, [from, to]) => {
    const cell = from as number;
    const sum = to as number;
    const innermost = axis as LoopAxis;
    if (!reduced) {
      loops.innermostOf(innermost, [cell, sum], true, (lanes) => {
        if (lanes === 1) {
          addDouble(sum, () =>
            writer.get(cell).load("v128.load32_zero").op("f64x2.promote_low_f32x4").extractDouble(0),
          );
          return;
        }
        writer.get(cell).load("v128.load").set(value);
        for (const [half, offset] of [
          [false, 0],
          [true, 16],
        ] as const) {
          writer.get(sum).get(sum).load("v128.load", offset);
          if (half) writer.upperHalf(value);
          else writer.get(value);
          writer.op("f64x2.promote_low_f32x4", "f64x2.add").store("v128.store", offset);
        }
      });
      return;
    }
    for (const total of [lower, upper]) writer.vector(0).set(total);
    loops.innermostOf(innermost, [cell, sum], true, (lanes) => {
      writer
        .get(cell)
        .load(lanes === 4 ? "v128.load" : "v128.load32_zero")
        .set(value);
      writer.get(lower).get(value).op("f64x2.promote_low_f32x4", "f64x2.add").set(lower);
      if (lanes === 4)
        writer.get(upper).upperHalf(value).op("f64x2.promote_low_f32x4", "f64x2.add").set(upper);
    });
    addDouble(sum, () => {
      writer.get(lower).get(upper).op("f64x2.add").set(lower);
      writer.get(lower).extractDouble(0).get(lower).extractDouble(1).op("f64.add");
    });
  });
  return writer.instantiate(memory);

  /** Adds the double that `push` leaves on the stack to the one at the address. */
  function addDouble(address: number, push: () => void): void {
    writer.get(address).get(address).load("f64.load");
    push();
    writer.op("f64.add").store("f64.store");
  }
}
