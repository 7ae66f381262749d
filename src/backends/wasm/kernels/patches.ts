import { i32, local, memory, type Local } from "wasmati";
import { elementCount } from "../../../network/network.js";
import type { Geometry } from "../../../primitives/geometry.js";
import { dataKey } from "../../../plan/rewrite.js";
import { mergedAxes, type LoopAxis } from "../../javascript/loop-nest.js";
import { define, variable, type Routine } from "../emit/function.js";
import { joined, type Lanes } from "../emit/lanes.js";
import { advance, repeat } from "../emit/loops.js";
import type { WasmContext } from "./kernel.js";
import { panelRows } from "./panels.js";
import { walk } from "./walk.js";

/**
 * The cells of a sample that lie under the windows of a convolution: cell `tap` of window w is number `windows[w] + taps[tap]`
 * of the sample, or of a frame around it where windows reach beyond its border.
 */
export interface Patches {
  /** Where each window begins, and where its cells are from there. */
  readonly windows: readonly number[];
  readonly taps: readonly number[];
  /** Numbers of a sample. */
  readonly sampleSize: number;
  /** The frame's size and the loops (steps in the frame, steps in the sample) that visit the sample's cells in it. */
  readonly frame: Frame | null;
}

export interface Frame {
  readonly size: number;
  readonly axes: readonly LoopAxis[];
  /** The first cell of the frame that is in the sample, and its number there. */
  readonly firstInFrame: number;
  readonly firstInSample: number;
}

/**
 * The patches of a convolution with one set of kernels for all windows and its maps one behind another; undefined for others.
 */
export function patchesOf(geometry: Geometry): Patches | undefined {
  const { input, kernel, windows, stride, start, maps, sharing, tapsOf } = geometry;
  if (tapsOf || sharing.some((shared, i) => !shared && windows[i] !== 1)) return undefined;
  const lastWithWindows = windows.reduce((last, count, i) => (count > 1 ? i : last), -1);
  if (maps.some((count, i) => count > 1 && i < lastWithWindows)) return undefined;
  const spans = input.map((_, i) => ((windows[i] ?? 1) - 1) * (stride[i] ?? 1) + (kernel[i] ?? 1));
  const reaches = input.some((size, i) => (start[i] ?? 0) < 0 || (start[i] ?? 0) + spans[i]! > size);
  const sizes = reaches ? spans : input;
  const steps = stepsOf(sizes);
  const origin = reaches ? 0 : sum(steps.map((step, i) => step * (start[i] ?? 0)));
  return {
    windows: places(
      windows,
      steps.map((step, i) => step * (stride[i] ?? 1)),
      origin,
    ),
    taps: places(kernel, steps, 0),
    sampleSize: elementCount(input),
    frame: reaches ? frameOf(input, spans, start) : null,
  };
}

export function frameOf(input: readonly number[], spans: readonly number[], start: readonly number[]): Frame {
  const [steps, inputSteps] = [stepsOf(spans), stepsOf(input)];
  const first = start.map((begin) => Math.max(0, begin));
  const axes = spans.map((span, i): LoopAxis => {
    const end = Math.min(input[i] ?? 1, (start[i] ?? 0) + span);
    const size = Math.max(0, end - (first[i] ?? 0));
    return { size, isColumns: false, strides: [steps[i] ?? 0, inputSteps[i] ?? 0] };
  });
  return {
    size: elementCount(spans),
    axes: mergedAxes(axes),
    firstInFrame: sum(first.map((cell, i) => (cell - (start[i] ?? 0)) * (steps[i] ?? 0))),
    firstInSample: sum(first.map((cell, i) => cell * (inputSteps[i] ?? 0))),
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, x) => total + x, 0);

/** Steps in memory of each axis. */
function stepsOf(sizes: readonly number[]): number[] {
  let step = 1;
  return sizes.map((size) => {
    const own = step;
    step *= size;
    return own;
  });
}

/** The places of all cells of a box, first axis fastest. */
function places(sizes: readonly number[], steps: readonly number[], origin: number): number[] {
  return sizes.reduce<number[]>(
    (known, size, i) =>
      Array.from({ length: size }, (_, cell) => known.map((place) => place + cell * (steps[i] ?? 0))).flat(),
    [origin],
  );
}

/** How neighbouring windows lie: a vector of them is loaded at once, as every second number of two vectors, or one by one. */
export type Spacing = "neighbours" | "everySecond" | "apart";

/** The spacing that all vectors of windows have. */
export function spacingOf({ windows }: Patches, { count }: Lanes): Spacing {
  const all = (step: number) =>
    windows.length % count === 0 &&
    windows.every((place, w) => w % count === 0 || place === windows[w - 1]! + step);
  if (all(1)) return "neighbours";
  return count === 4 && all(2) ? "everySecond" : "apart";
}

/** Tables in bytes: the windows (the last once more, or the last vector of them, up to whole panels), and the taps. */
export function tablesOf({ windows, taps }: Patches, lanes: Lanes): { windows: number[]; taps: number[] } {
  const inBytes = (place: number) => place * lanes.bytes;
  const again = windows.length % lanes.count === 0 ? lanes.count : 1;
  const padded = [...windows];
  while (padded.length % panelRows(lanes) !== 0) padded.push(padded.at(-again)!);
  return { windows: padded.map(inBytes), taps: taps.map(inBytes) };
}

/** Bytes of a frame's room: what is loaded beside the last cell included. */
export const frameBytes = ({ frame }: Patches, { bytes }: Lanes): number =>
  frame ? frame.size * bytes + 16 : 0;

/** (frame): fills a frame with zeros. */
export function clearedFrame(context: WasmContext, patches: Patches): Routine {
  const size = frameBytes(patches, context.lanes);
  return context.routine(`cleared frame ${size}`, () =>
    define(["i32"], [], ([at]) => {
      local.get(at);
      i32.const(0);
      i32.const(size);
      memory.fill();
    }),
  );
}

/** (frame, sample): copies a sample into its frame, or with `back` the frame's inner cells into the sample. */
export function frameCopied(context: WasmContext, frame: Frame, back = false): Routine {
  const { lanes } = context;
  const { axes, firstInFrame, firstInSample } = frame;
  return context.routine(`frame copied ${back} ${dataKey([axes, firstInFrame, firstInSample])}`, () =>
    define(["i32", "i32"], [], ([inFrame, inSample]) => {
      advance(inFrame, firstInFrame * lanes.bytes);
      advance(inSample, firstInSample * lanes.bytes);
      const [inner, ...outer] = axes;
      if (axes.some(({ size }) => size === 0)) return;
      const runs = inner?.strides.every((step) => step === 1) ? inner.size : 1;
      const loops = runs > 1 ? outer : axes;
      walk(loops, [inFrame, inSample], variable("i32", 1), lanes.bytes, ([framed, given]) => {
        const [to, from] = back ? [given!, framed!] : [framed!, given!];
        copied(lanes, from, to, runs);
      });
    }),
  );
}

/** Copies `count` numbers; moves the places on. */
function copied(lanes: Lanes, from: Local<"i32">, to: Local<"i32">, count: number): void {
  for (const access of [lanes.whole, lanes.single]) {
    const turns = access === lanes.whole ? Math.floor(count / lanes.count) : count % lanes.count;
    if (turns === 0) continue;
    const step = () => {
      access.store(to, 0, () => access.load(from));
      advance(from, access.count * lanes.bytes);
      advance(to, access.count * lanes.bytes);
    };
    if (turns === 1) step();
    else repeat(variable("i32", turns), step);
  }
}

/** (source, windows, taps, count, panel): packs the cells of as many windows as a panel has rows; windows and taps are tables. */
export function panelOfPatches(context: WasmContext, spacing: Spacing): Routine {
  const { lanes } = context;
  const height = panelRows(lanes);
  return context.routine(`panel of patches ${spacing}`, () =>
    define(["i32", "i32", "i32", "i32", "i32"], [], ([source, windows, taps, count, panel]) => {
      const every = spacing === "apart" ? 1 : lanes.count;
      const places = Array.from({ length: height / every }, (_, i) =>
        variable("i32", i32.add(i32.load({ offset: i * every * 4 }, windows), source)),
      );
      const cells = variable("v128");
      repeat(count, () => {
        const tap = variable("i32", i32.load({}, taps));
        for (let v = 0; v < height / lanes.count; v++) {
          gathered(lanes, spacing, places, v, tap, cells);
          lanes.whole.store(panel, v * 16, () => local.get(cells));
        }
        advance(taps, 4);
        advance(panel, height * lanes.bytes);
      });
    }),
  );
}

/** Sets `cells` to vector number v of the windows' cells at a tap. */
export function gathered(
  lanes: Lanes,
  spacing: Spacing,
  places: readonly Local<"i32">[],
  v: number,
  tap: Local<"i32">,
  cells: Local<"v128">,
): void {
  if (spacing === "apart") {
    const [first, ...others] = places.slice(v * lanes.count, (v + 1) * lanes.count);
    local.set(cells, lanes.single.load(i32.add(first!, tap)));
    others.forEach((place, lane) =>
      local.set(cells, lanes.loadLane(lane + 1, i32.add(place, tap), 0, cells)),
    );
    return;
  }
  const at = variable("i32", i32.add(places[v]!, tap));
  if (spacing === "neighbours") local.set(cells, lanes.whole.load(at));
  else local.set(cells, joined(lanes.whole.load(at), lanes.whole.load(at, 12), [0, 2, 5, 7], 4));
}
