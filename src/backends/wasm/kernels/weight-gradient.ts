import { call, f64x2, i32, local, type Local, v128 } from "wasmati";
import type { Operand } from "../../../primitives/instruction.js";
import { dataKey } from "../../../plan/rewrite.js";
import { define, variable, type Routine } from "../emit/function.js";
import { moved, sumsAcross, type Lanes } from "../emit/lanes.js";
import { advance, forEach, repeat, scope, when } from "../emit/loops.js";
import { address, columns, gaps, room, sums, table, type Call, type WasmContext } from "./kernel.js";
import { cleared, type PatchSizes } from "./patch-convolution.js";
import { clearedFrame, frameBytes, frameCopied, gathered, spacingOf, type Spacing } from "./patches.js";

/*
 * The gradient of kernels: sums over samples and windows of cell (window, tap) times gradient (window, map). Vectors run along the
 * windows. What a few samples need is packed: cells in panels of four taps, gradients in strips of two maps, a vector of windows
 * behind the other. Their sums are of the element type; over all samples they are added up in double.
 */

export const tapsTogether = 4;
export const mapsTogether = 2;
/** So many windows are wanted before sums are added to those in double. */
const wantedWindows = 256;
/** Room for the panels. */
const panelBytes = 1 << 19;

/** How a sample's windows are cut, in windows: at most `chunk` at a time, and packed until there is no room in `packed`. */
interface Chunks {
  readonly chunk: number;
  readonly packed: number;
}

const upTo = (size: number, step: number): number => Math.ceil(size / step) * step;

function chunksOf({ windows, taps }: PatchSizes, lanes: Lanes): Chunks {
  const fits = Math.max(64, Math.floor(panelBytes / (taps * lanes.bytes) / 16) * 16);
  const chunk = Math.min(upTo(windows, lanes.count), fits);
  return { chunk, packed: chunk * Math.max(1, Math.floor(wantedWindows / chunk)) };
}

/** writes = the gradient; gaps add nothing. */
export function weightGradientByPatches(
  context: WasmContext,
  sizes: PatchSizes,
  [x, gradient, writes]: readonly [Operand, Operand, Operand],
): Call[] {
  const { lanes } = context;
  const { taps, maps, patches, windows } = sizes;
  const { packed } = chunksOf(sizes, lanes);
  const [allTaps, allMaps] = [upTo(taps, tapsTogether), upTo(maps, mapsTogether)];
  const again = windows % lanes.count === 0 ? lanes.count : 1;
  const places = [...patches.windows];
  while (places.length % lanes.count !== 0) places.push(places.at(-again)!);
  const offsets = Array.from({ length: allTaps }, (_, tap) => patches.taps[Math.min(tap, taps - 1)]!);
  const inBytes = (numbers: readonly number[]) => table(numbers.map((x) => x * lanes.bytes));
  return [
    {
      routine: overSamples(context, sizes),
      arguments: [
        address(x),
        address(gradient),
        sums,
        columns(x.axis),
        gaps(x.axis),
        room(0, frameBytes(patches, lanes)),
        room(1, allTaps * packed * lanes.bytes),
        room(2, allMaps * packed * lanes.bytes),
        inBytes(places),
        inBytes(offsets),
      ],
      sums: {
        count: allTaps * allMaps,
        scale: 1,
        target: writes,
        rows: { count: maps, length: allTaps, kept: taps },
      },
    },
  ];
}

type Whole = Local<"i32">;

/** (x, gradient, sums, columns, gaps, frame, panels, strips, windows, taps) */
function overSamples(context: WasmContext, sizes: PatchSizes): Routine {
  const { lanes } = context;
  const { patches, windows, taps, maps } = sizes;
  const { frame, sampleSize } = patches;
  const { chunk, packed } = chunksOf(sizes, lanes);
  const spacing = spacingOf(patches, lanes);
  const [allTaps, allMaps] = [upTo(taps, tapsTogether), upTo(maps, mapsTogether)];
  const key = `weight gradient ${dataKey([frame, sampleSize, windows, taps, maps, spacing])}`;
  return context.routine(key, () =>
    define(
      ["i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32"],
      [],
      ([x, gradient, totals, count, mask, room, panels, strips, places, offsets]) => {
        call(cleared(context), [totals, allTaps * allMaps * 8]);
        if (frame) call(clearedFrame(context, patches), [room]);
        const filled = variable("i32", 0);
        const multiply = () => {
          const vectors = variable("i32", i32.div_u(filled, lanes.count));
          call(addedProduct(context), [
            panels,
            strips,
            totals,
            vectors,
            packed / lanes.count,
            allTaps,
            allMaps,
          ]);
          local.set(filled, 0);
        };
        forEach(0, count, 1, (column) => {
          scope((leave) => {
            when(local.get(mask), () => when(i32.load8_u({}, i32.add(mask, column)), () => leave()));
            if (frame) call(frameCopied(context, frame), [room, x]);
            for (let window = 0; window < windows; window += chunk) {
              const now = Math.min(chunk, windows - window);
              const vectors = Math.ceil(now / lanes.count);
              when(i32.gt_s(i32.add(filled, vectors * lanes.count), packed), multiply);
              const shared = [vectors, packed / lanes.count] as const;
              const at = (first: Whole, step: number) =>
                variable("i32", i32.add(first, i32.mul(filled, step * lanes.bytes)));
              const from = variable("i32", i32.add(places, window * 4));
              call(packedTaps(context, spacing), [
                frame ? room : x,
                from,
                offsets,
                at(panels, tapsTogether),
                ...shared,
                allTaps / tapsTogether,
              ]);
              const slopes = variable("i32", i32.add(gradient, window * lanes.bytes));
              call(packedMaps(context, windows, now), [
                slopes,
                at(strips, mapsTogether),
                packed / lanes.count,
                maps,
              ]);
              advance(filled, vectors * lanes.count);
            }
          });
          advance(x, sampleSize * lanes.bytes);
          advance(gradient, windows * maps * lanes.bytes);
        });
        when(local.get(filled), multiply);
      },
    ),
  );
}

/** (source, windows, taps, panels, vectors, stride, count): cells of `vectors` vectors of windows; panels are `stride` vectors long. */
function packedTaps(context: WasmContext, spacing: Spacing): Routine {
  const { lanes } = context;
  return context.routine(`packed taps ${spacing}`, () =>
    define(
      ["i32", "i32", "i32", "i32", "i32", "i32", "i32"],
      [],
      ([source, windows, taps, panels, vectors, stride, count]) => {
        const every = spacing === "apart" ? 1 : lanes.count;
        const cells = variable("v128");
        repeat(count, () => {
          const offsets = Array.from({ length: tapsTogether }, (_, i) =>
            variable("i32", i32.load({ offset: i * 4 }, taps)),
          );
          const place = variable("i32", windows);
          const to = variable("i32", panels);
          repeat(vectors, () => {
            const at = Array.from({ length: lanes.count / every }, (_, i) =>
              variable("i32", i32.add(i32.load({ offset: i * every * 4 }, place), source)),
            );
            offsets.forEach((tap, i) => {
              gathered(lanes, spacing, at, 0, tap, cells);
              lanes.whole.store(to, i * 16, () => local.get(cells));
            });
            advance(place, lanes.count * 4);
            advance(to, tapsTogether * 16);
          });
          advance(taps, tapsTogether * 4);
          advance(panels, i32.mul(stride, tapsTogether * 16));
        });
      },
    ),
  );
}

/** (gradient, strips, stride, maps): `now` of the `windows` windows of every map, 0 behind them. */
function packedMaps(context: WasmContext, windows: number, now: number): Routine {
  const { lanes } = context;
  return context.routine(`packed maps ${windows} ${now}`, () =>
    define(["i32", "i32", "i32", "i32"], [], ([gradient, strips, stride, maps]) => {
      const step = mapsTogether * 16;
      const whole = Math.floor(now / lanes.count);
      const row = (from: Whole, to: Whole) => {
        if (whole > 0) {
          repeat(variable("i32", whole), () => {
            lanes.whole.store(to, 0, () => lanes.whole.load(from));
            advance(from, 16);
            advance(to, step);
          });
        }
        if (now === whole * lanes.count) return;
        const rest = variable("v128", lanes.constant(0));
        for (let lane = 0; lane < now - whole * lanes.count; lane++) {
          local.set(rest, lanes.loadLane(lane, from, lane * lanes.bytes, rest));
        }
        lanes.whole.store(to, 0, () => local.get(rest));
      };
      forEach(0, maps, 1, (map) => {
        const odd = i32.and(map, mapsTogether - 1);
        const to = variable("i32", i32.add(i32.mul(odd, 16), strips));
        row(variable("i32", gradient), to);
        advance(gradient, windows * lanes.bytes);
        when(i32.and(map, mapsTogether - 1), () => advance(strips, i32.mul(stride, step)));
      });
      // The last strip's second map, if there is none.
      when(i32.and(maps, mapsTogether - 1), () => {
        const to = variable("i32", i32.add(strips, 16));
        repeat(variable("i32", Math.ceil(now / lanes.count)), () => {
          lanes.whole.store(to, 0, () => lanes.constant(0));
          advance(to, step);
        });
      });
    }),
  );
}

/** (panels, strips, sums, vectors, stride, taps, maps): adds to the double sums[tap, map]; all panels, all strips. */
export function addedProduct(context: WasmContext): Routine {
  return context.routine("added product of patches", () =>
    define(
      ["i32", "i32", "i32", "i32", "i32", "i32", "i32"],
      [],
      ([panels, strips, sums, vectors, stride, taps, maps]) => {
        const column = variable("i32", i32.shl(taps, 3));
        forEach(0, taps, tapsTogether, () => {
          const strip = variable("i32", strips);
          const to = variable("i32", sums);
          forEach(0, maps, mapsTogether, () => {
            call(tile(context), [panels, strip, to, vectors, column]);
            advance(strip, i32.mul(stride, mapsTogether * 16));
            advance(to, i32.mul(column, mapsTogether));
          });
          advance(panels, i32.mul(stride, tapsTogether * 16));
          advance(sums, tapsTogether * 8);
        });
      },
    ),
  );
}

/** (panel, strip, sums, vectors, column): adds four taps of two maps; `column` bytes from map to map. */
function tile(context: WasmContext): Routine {
  const { lanes } = context;
  return context.routine("tile of taps", () =>
    define(["i32", "i32", "i32", "i32", "i32"], [], ([panel, strip, sums, vectors, column]) => {
      const totals = Array.from({ length: mapsTogether }, () =>
        Array.from({ length: tapsTogether }, () => variable("v128", lanes.constant(0))),
      );
      const slopes = totals.map(() => variable("v128"));
      const cell = variable("v128");
      repeat(vectors, () => {
        slopes.forEach((slope, map) => local.set(slope, lanes.whole.load(strip, map * 16)));
        for (let tap = 0; tap < tapsTogether; tap++) {
          local.set(cell, lanes.whole.load(panel, tap * 16));
          totals.forEach((row, map) =>
            local.set(row[tap]!, lanes.multiplyAdd(cell, slopes[map]!, row[tap]!)),
          );
        }
        advance(panel, tapsTogether * 16);
        advance(strip, mapsTogether * 16);
      });
      for (const row of totals) {
        summedPairs(lanes, row).forEach((pair, i) => {
          v128.store({ offset: i * 16 }, sums, f64x2.add(v128.load({ offset: i * 16 }, sums), pair));
        });
        advance(sums, column);
      }
    }),
  );
}

/** The sum across each of four vectors, in double, two in a vector. */
function summedPairs(lanes: Lanes, vectors: readonly Local<"v128">[]): Local<"v128">[] {
  if (lanes.elementType === "double")
    return [sumsAcross(lanes, vectors.slice(0, 2)), sumsAcross(lanes, vectors.slice(2))];
  const all = sumsAcross(lanes, vectors);
  return [
    variable("v128", f64x2.promote_low_f32x4(all)),
    variable("v128", f64x2.promote_low_f32x4(moved(all, [1, 0], 8))),
  ];
}
