import { call, i32, local, memory } from "wasmati";
import { elementCount } from "../../../network/network.js";
import type { Geometry } from "../../../primitives/geometry.js";
import type { Operand } from "../../../primitives/instruction.js";
import { define, variable, type Routine } from "../emit/function.js";
import { advance, forEach, repeat, smaller, when } from "../emit/loops.js";
import {
  address,
  columns,
  handedOn,
  number,
  room,
  table,
  type Argument,
  type Call,
  type WasmContext,
} from "./kernel.js";
import { blockBytes, edgeSize, packedStrips, panelRows, productOfPanels, stripWidth } from "./panels.js";
import {
  clearedFrame,
  frameBytes,
  frameCopied,
  panelOfPatches,
  spacingOf,
  tablesOf,
  type Patches,
} from "./patches.js";

/*
 * Convolutions of any geometry as products: the cells under the windows, [windows x taps], times the kernels, [taps x maps].
 */

/** What the products need to know of one convolution. */
export interface PatchSizes {
  readonly patches: Patches;
  readonly windows: number;
  readonly taps: number;
  readonly maps: number;
}

export function patchSizes(patches: Patches, { maps }: Geometry): PatchSizes {
  return {
    patches,
    windows: patches.windows.length,
    taps: patches.taps.length,
    maps: elementCount(maps),
  };
}

/** writes = the patches of x times the kernels, sample after sample; `steps` of the kernels in memory, from tap to tap and map to map. */
export function convolutionByPatches(
  context: WasmContext,
  sizes: PatchSizes,
  [weights, x, writes]: readonly [Operand, Operand, Operand],
  steps: readonly [number, number] = [1, sizes.taps],
): Call[] {
  const { lanes } = context;
  const { taps, maps, patches } = sizes;
  const [strips, pack] = packedKernels(context, address(weights), taps, maps, steps);
  const tables = tablesOf(patches, lanes);
  return [
    pack,
    {
      routine: everySample(context, sizes),
      arguments: [
        address(x),
        address(writes),
        columns(writes.axis),
        strips,
        room(0, frameBytes(patches, lanes)),
        room(1, panelsTogether(context, taps) * panelRows(lanes) * taps * lanes.bytes),
        room(2, edgeSize),
        table(tables.windows),
        table(tables.taps),
      ],
    },
  ];
}

/** Packs kernels, k by n, into strips: where they are, and the call that does it. Steps in numbers. */
export function packedKernels(
  context: WasmContext,
  weights: Argument,
  k: number,
  n: number,
  [kStep, columnStep]: readonly [number, number],
): readonly [Argument, Call] {
  const { bytes } = context.lanes;
  const strips = handedOn(0, Math.ceil(n / stripWidth) * stripWidth * k * bytes);
  const steps = [number(kStep * bytes), number(columnStep * bytes)];
  return [
    strips,
    {
      routine: packedStrips(context),
      arguments: [weights, strips, number(k), number(n), ...steps],
      once: true,
    },
  ];
}

/** How many panels of depth k are worked on together. */
const panelsTogether = ({ lanes }: WasmContext, k: number): number =>
  Math.max(1, Math.floor(blockBytes / (k * panelRows(lanes) * lanes.bytes)));

/** (x, result, columns, strips, frame, panels, edge, windows, taps) */
function everySample(context: WasmContext, { patches, windows, taps, maps }: PatchSizes): Routine {
  const { lanes } = context;
  const { frame, sampleSize } = patches;
  const height = panelRows(lanes);
  const together = panelsTogether(context, taps);
  const spacing = spacingOf(patches, lanes);
  const key = `convolution by patches ${JSON.stringify([frame, sampleSize, windows, taps, maps, spacing])}`;
  return context.routine(key, () =>
    define(
      ["i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32"],
      [],
      ([x, result, count, strips, room, panels, edge, places, offsets]) => {
        if (frame) call(clearedFrame(context, patches), [room]);
        repeat(count, () => {
          if (frame) call(frameCopied(context, frame), [room, x]);
          forEach(0, windows, height * together, (window) => {
            const rows = smaller(variable("i32", i32.sub(windows, window)), height * together);
            const panel = variable("i32", panels);
            const place = variable("i32", i32.add(places, i32.shl(window, 2)));
            forEach(0, rows, height, () => {
              call(panelOfPatches(context, spacing), [frame ? room : x, place, offsets, taps, panel]);
              advance(panel, height * taps * lanes.bytes);
              advance(place, height * 4);
            });
            const to = variable("i32", i32.add(i32.shl(window, lanes.shift), result));
            call(productOfPanels(context), [
              panels,
              strips,
              to,
              rows,
              maps,
              taps,
              windows * lanes.bytes,
              edge,
            ]);
          });
          advance(x, sampleSize * lanes.bytes);
          advance(result, windows * maps * lanes.bytes);
        });
      },
    ),
  );
}

/** The adjoint for x: gradients times kernels give what every window adds to its cells. */
export function inputGradientByPatches(
  context: WasmContext,
  sizes: PatchSizes,
  [weights, gradient, writes]: readonly [Operand, Operand, Operand],
): Call[] {
  const { lanes } = context;
  const { taps, maps, windows, patches } = sizes;
  const height = panelRows(lanes);
  if (isOneToOne(patches)) {
    // Each cell lies under one window, at the same place: windows of the gradients, whose taps are the maps.
    const adjoint = { patches: slopesOf(sizes), windows, taps: maps, maps: taps };
    return convolutionByPatches(context, adjoint, [weights, gradient, writes], [taps, 1]);
  }
  const [strips, pack] = packedKernels(context, address(weights), maps, taps, [taps, 1]);
  const tables = tablesOf(patches, lanes);
  const slopes = tablesOf(slopesOf(sizes), lanes);
  return [
    pack,
    {
      routine: scattered(context, sizes),
      arguments: [
        address(gradient),
        address(writes),
        columns(writes.axis),
        strips,
        room(0, frameBytes(patches, lanes)),
        room(1, height * maps * lanes.bytes),
        room(2, height * Math.ceil(taps / stripWidth) * stripWidth * lanes.bytes),
        room(3, edgeSize),
        ...[tables.windows, tables.taps, slopes.windows, slopes.taps].map(table),
        number(windows),
      ],
    },
  ];
}

/** Do the cells of all windows make up the sample, tap by tap? */
const isOneToOne = ({ windows, taps, sampleSize, frame }: Patches): boolean =>
  !frame &&
  windows.length * taps.length === sampleSize &&
  windows.every((place, window) => place === window) &&
  taps.every((place, tap) => place === tap * windows.length);

/** The gradients of a sample as patches: of each window one number of every map. */
function slopesOf({ windows, maps }: PatchSizes): Patches {
  return {
    windows: Array.from({ length: windows }, (_, window) => window),
    taps: Array.from({ length: maps }, (_, map) => map * windows),
    sampleSize: windows * maps,
    frame: null,
  };
}

/** (gradient, result, columns, strips, frame, panel, patches, edge, windows, taps, slopes, maps, count of windows) */
function scattered(context: WasmContext, sizes: PatchSizes): Routine {
  const { lanes } = context;
  const { windows, taps, maps, patches } = sizes;
  const { frame, sampleSize } = patches;
  const height = panelRows(lanes);
  const spacing = spacingOf(slopesOf(sizes), lanes);
  const key = `scattered patches ${JSON.stringify([frame, sampleSize, taps, maps, spacing])}`;
  return context.routine(key, () =>
    define(
      ["i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32"],
      [],
      ([
        gradient,
        result,
        count,
        strips,
        room,
        panel,
        cells,
        edge,
        places,
        offsets,
        slopes,
        steps,
        total,
      ]) => {
        const size = sampleSize * lanes.bytes;
        repeat(count, () => {
          call(cleared(context), [result, size]);
          if (frame) call(clearedFrame(context, patches), [room]);
          forEach(0, total, height, (window) => {
            const rows = smaller(variable("i32", i32.sub(total, window)), height);
            const at = (first: typeof places) => variable("i32", i32.add(first, i32.shl(window, 2)));
            call(panelOfPatches(context, spacing), [gradient, at(slopes), steps, maps, panel]);
            call(productOfPanels(context), [
              panel,
              strips,
              cells,
              height,
              taps,
              maps,
              height * lanes.bytes,
              edge,
            ]);
            call(addedPatches(context), [cells, frame ? room : result, at(places), offsets, taps, rows]);
          });
          if (frame) call(frameCopied(context, frame, true), [room, result]);
          advance(gradient, windows * maps * lanes.bytes);
          advance(result, size);
        });
      },
    ),
  );
}

type Whole = ReturnType<typeof variable<"i32">>;

/** (place, size): fills with zeros. */
export function cleared(context: WasmContext): Routine {
  return context.routine("cleared", () =>
    define(["i32", "i32"], [], ([at, size]) => {
      local.get(at);
      i32.const(0);
      local.get(size);
      memory.fill();
    }),
  );
}

/** (cells, target, windows, taps, count, rows): adds a panel's cells to their places. */
function addedPatches(context: WasmContext): Routine {
  const { lanes } = context;
  const { single } = lanes;
  const height = panelRows(lanes);
  return context.routine("added patches", () =>
    define(["i32", "i32", "i32", "i32", "i32", "i32"], [], ([cells, target, windows, taps, count, rows]) => {
      const add = (from: Whole, offset: number, place: Whole, tap: Whole) => {
        const to = variable("i32", i32.add(place, tap));
        single.store(to, 0, () => lanes.add(single.load(from, offset), single.load(to)));
      };
      const whole = () => {
        const places = Array.from({ length: height }, (_, i) =>
          variable("i32", i32.add(i32.load({ offset: i * 4 }, windows), target)),
        );
        repeat(count, () => {
          const tap = variable("i32", i32.load({}, taps));
          places.forEach((place, i) => add(cells, i * lanes.bytes, place, tap));
          advance(taps, 4);
          advance(cells, height * lanes.bytes);
        });
      };
      const part = () =>
        repeat(rows, () => {
          const place = variable("i32", i32.add(i32.load({}, windows), target));
          const [from, offset] = [variable("i32", cells), variable("i32", taps)];
          repeat(count, () => {
            add(from, 0, place, variable("i32", i32.load({}, offset)));
            advance(offset, 4);
            advance(from, height * lanes.bytes);
          });
          advance(windows, 4);
          advance(cells, lanes.bytes);
        });
      when(i32.eq(rows, height), whole, part);
    }),
  );
}
