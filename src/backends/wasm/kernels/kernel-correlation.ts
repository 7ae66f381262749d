import { call, f64x2, i32, local, v128, type Local } from "wasmati";
import { dataKey } from "../../../plan/rewrite.js";
import { define, variable, type Routine } from "../emit/function.js";
import { advance, repeat } from "../emit/loops.js";
import { mapsTogether, type CorrelationSizes, type Together } from "./correlation.js";
import type { WasmContext } from "./kernel.js";

/*
 * sums[map][tap] += Σ over y, x: gradient[map][y][x] · source[y + ky][x + kx], tap standing for source, ky and kx: a product of the
 * maps' gradients with the sources seen from every tap. A few maps times a few taps are summed up in registers.
 */

/** Taps for so many maps at a time: vectors of both, and the sums, must fit into 15 registers. */
const tapsFor: Readonly<Record<Together, number>> = { 4: 2, 3: 3, 2: 4, 1: 5 };

/** Where the taps are in the sources, in bytes; behind them the last one again, until every group of taps is whole. */
export function tapTable({ lanes }: WasmContext, sizes: CorrelationSizes): number[] {
  const { sources, sourceRows, rowLength, kernelHeight, kernelWidth } = sizes;
  const rows = Array.from({ length: sources * kernelHeight }, (_, i) => {
    const [source, ky] = [Math.floor(i / kernelHeight), i % kernelHeight];
    return (source * sourceRows + ky) * rowLength;
  });
  const taps = rows.flatMap((row) =>
    Array.from({ length: kernelWidth }, (_, kx) => (row + kx) * lanes.bytes),
  );
  while (taps.length < tapsLength(sizes)) taps.push(taps.at(-1) ?? 0);
  return taps;
}

/** Length of the table, and of a map's sums: those behind the taps' are no one's. */
export function tapsLength({ sources, kernelWidth, kernelHeight, maps }: CorrelationSizes): number {
  const taps = sources * kernelWidth * kernelHeight;
  const whole = (together: Together) => Math.ceil(taps / tapsFor[together]) * tapsFor[together];
  return Math.max(...mapsTogether(maps).map(whole));
}

/**
 * (sources, gradients, sums, taps): adds to the double sums of one sample. The gradients' rows are `gradientLength` numbers long, a
 * multiple of a vector, with zeros beyond the width.
 */
export function kernelCorrelation(
  context: WasmContext,
  sizes: CorrelationSizes,
  gradientLength: number,
): Routine {
  const { maps, height } = sizes;
  const { bytes } = context.lanes;
  return context.routine(`kernel correlation ${dataKey(sizes)} ${gradientLength}`, () =>
    define(["i32", "i32", "i32", "i32"], [], ([source, gradient, sums, taps]) => {
      for (const together of mapsTogether(maps)) {
        call(kernelsOfMaps(context, sizes, gradientLength, together), [source, gradient, sums, taps]);
        advance(gradient, together * gradientLength * height * bytes);
        advance(sums, together * tapsLength(sizes) * 8);
      }
    }),
  );
}

/** (sources, gradients, sums, taps): all taps of `maps` maps. */
function kernelsOfMaps(
  context: WasmContext,
  sizes: CorrelationSizes,
  gradientLength: number,
  maps: Together,
): Routine {
  const { kernelWidth, kernelHeight, sources, rowLength, height } = sizes;
  const { lanes } = context;
  const { bytes } = lanes;
  const together = tapsFor[maps];
  const groups = Math.ceil((sources * kernelWidth * kernelHeight) / together);
  return context.routine(`kernels of ${maps} maps ${dataKey(sizes)} ${gradientLength}`, () =>
    define(["i32", "i32", "i32", "i32"], [], ([source, gradient, sums, taps]) => {
      repeat(variable("i32", groups), () => {
        const places = Array.from({ length: together }, (_, tap) =>
          variable("i32", i32.add(i32.load({ offset: tap * 4 }, taps), source)),
        );
        const from = variable("i32", gradient);
        const totals = Array.from({ length: maps }, () =>
          places.map(() => variable("v128", lanes.constant(0))),
        );
        const slopes = totals.map(() => variable("v128"));
        const cells = variable("v128");
        repeat(variable("i32", height), () => {
          repeat(variable("i32", gradientLength / lanes.count), () => {
            slopes.forEach((slope, map) =>
              local.set(slope, lanes.whole.load(from, map * gradientLength * height * bytes)),
            );
            places.forEach((place, tap) => {
              local.set(cells, lanes.whole.load(place));
              totals.forEach((ofMap, map) =>
                local.set(ofMap[tap]!, lanes.multiplyAdd(cells, slopes[map]!, ofMap[tap]!)),
              );
              advance(place, 16);
            });
            advance(from, 16);
          });
          for (const place of places) advance(place, (rowLength - gradientLength) * bytes);
        });
        totals.forEach((ofMap, map) =>
          ofMap.forEach((total, tap) =>
            addToDouble(context, sums, (map * tapsLength(sizes) + tap) * 8, total),
          ),
        );
        advance(taps, together * 4);
        advance(sums, together * 8);
      });
    }),
  );
}

/** Adds all lanes of `total` to a double. */
function addToDouble({ lanes }: WasmContext, to: Local<"i32">, offset: number, total: Local<"v128">): void {
  const sum = variable("v128", lanes.sumAcross(total));
  if (lanes.elementType === "float") local.set(sum, f64x2.promote_low_f32x4(sum));
  local.get(to);
  f64x2.add(v128.load64_zero({ offset }, to), sum);
  v128.store64_lane({ offset }, 0);
}
