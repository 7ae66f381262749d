import { i32, local, memory } from "wasmati";
import { dataKey } from "../../../plan/rewrite.js";
import { define, variable, type Routine } from "../emit/function.js";
import { advance, repeat } from "../emit/loops.js";
import type { WasmContext } from "./kernel.js";

/**
 * Images with room around them: cell (x, y) of the `rowLength` by `rows` cells of each holds cell (x + startX, y + startY) of
 * the `width` by `height` original, 0 outside of it. Sizes in numbers.
 */
export interface Frames {
  readonly width: number;
  readonly height: number;
  readonly rowLength: number;
  readonly rows: number;
  readonly startX: number;
  readonly startY: number;
}

/** Numbers that `images` of them take. */
export function framesSize({ rowLength, rows }: Frames, images: number): number {
  return rowLength * rows * images;
}

/** (from, to): copies `images` images into their frames. */
export function framed(context: WasmContext, frames: Frames, images: number): Routine {
  const { width, height, rowLength, rows, startX, startY } = frames;
  const { lanes } = context;
  const { bytes } = lanes;
  const [firstX, firstY] = [Math.max(0, -startX), Math.max(0, -startY)];
  const copiedWidth = Math.min(rowLength, width - startX) - firstX;
  const copiedRows = Math.min(rows, height - startY) - firstY;
  return context.routine(`framed ${dataKey(frames)} ${images}`, () =>
    define(["i32", "i32"], [], ([from, to]) => {
      local.get(to);
      i32.const(0);
      i32.const(framesSize(frames, images) * bytes);
      memory.fill();
      if (copiedWidth <= 0 || copiedRows <= 0) return;
      advance(from, ((firstY + startY) * width + firstX + startX) * bytes);
      advance(to, (firstY * rowLength + firstX) * bytes);
      repeat(variable("i32", images), () => {
        const source = variable("i32", from);
        const target = variable("i32", to);
        repeat(variable("i32", copiedRows), () => {
          copyRow(context, source, target, copiedWidth);
          advance(source, width * bytes);
          advance(target, rowLength * bytes);
        });
        advance(from, width * height * bytes);
        advance(to, rowLength * rows * bytes);
      });
    }),
  );
}

/** Copies `count` numbers; the places stay. */
function copyRow(
  { lanes }: WasmContext,
  source: ReturnType<typeof variable<"i32">>,
  target: ReturnType<typeof variable<"i32">>,
  count: number,
): void {
  const [from, to] = [variable("i32", source), variable("i32", target)];
  for (const access of [lanes.whole, lanes.single]) {
    const steps = access === lanes.whole ? Math.floor(count / lanes.count) : count % lanes.count;
    if (steps > 8) {
      repeat(variable("i32", steps), () => {
        access.store(to, 0, () => access.load(from));
        advance(from, access.count * lanes.bytes);
        advance(to, access.count * lanes.bytes);
      });
      continue;
    }
    for (let i = 0; i < steps; i++) {
      const offset = i * access.count * lanes.bytes;
      access.store(to, offset, () => access.load(from, offset));
    }
    advance(from, steps * access.count * lanes.bytes);
    advance(to, steps * access.count * lanes.bytes);
  }
}
