import { call, f64x2, i32, local, type Local, memory, v128 } from "wasmati";
import { dataKey } from "../../../plan/rewrite.js";
import type { InstructionOf } from "../../../primitives/instruction.js";
import { operandAt } from "../../host/kernel.js";
import { planarGeometry, type PlanarGeometry } from "../../javascript/planar-convolution.js";
import type { Places, WantsPlaces } from "../places.js";
import { define, variable, type Routine } from "../emit/function.js";
import { moved, type Access } from "../emit/lanes.js";
import { advance, forEach, repeat, scope, when } from "../emit/loops.js";
import { framed, framesSize, type Frames } from "./images.js";
import { address, columns, gaps, room, sums, type Call, type WasmContext } from "./kernel.js";

/*
 * Convolutions of images that are zero but for one cell of every window (places.ts): only these cells are looked at. Of each sample
 * and map they are listed first, where they lie in an image with room around it and what they are, zeros left out.
 */

type Sizes = PlanarGeometry;
type Whole = Local<"i32">;
type V = Local<"v128">;

/** From so many images on products of everything are faster. */
const mostImages = 8;
/**
 * Where a window has fewer cells, too many of the image's are not zero. Kernels that are added around cells close to each other wait
 * for what the one before has stored.
 */
const fewestCells = { convolutionInputGradient: 16, convolutionWeightGradient: 4 } as const;
/** How many vectors of a kernel's rows are worked on at a time: they, and as many sums or cells, must fit into the registers. */
const mostVectors = 6;

/** The gradients of a planar convolution with few images, where most of the maps' cells are zero. */
export const wantsPlaces: WantsPlaces = (instruction, operand) => {
  const { kind, reads } = instruction;
  if (kind !== "convolutionInputGradient" && kind !== "convolutionWeightGradient") return false;
  return operand === reads[1] && sizesOf(instruction) !== undefined;
};

function sizesOf({
  parameters,
}: InstructionOf<"convolutionInputGradient" | "convolutionWeightGradient">): Sizes | undefined {
  const g = planarGeometry(parameters.geometry);
  if (!g || g.maps >= mostImages || g.channels >= mostImages) return undefined;
  return rowGroups(g, 1).length > 0 && g.kernelWidth * g.kernelHeight > 1 ? g : undefined;
}

/** Sizes and places where an instruction is better done here; undefined: it is not. */
function placed(
  instruction: InstructionOf<"convolutionInputGradient" | "convolutionWeightGradient">,
  { places }: WasmContext,
): { readonly sizes: Sizes; readonly places: Places } | undefined {
  const found = places?.of(operandAt(instruction.reads, 1));
  const sizes = found && sizesOf(instruction);
  if (!found || !sizes) return undefined;
  const { outputWidth, outputHeight, maps } = sizes;
  if (found.width !== outputWidth || found.height !== outputHeight || found.images !== maps) return undefined;
  if (found.windows * fewestCells[instruction.kind] > found.width * found.height) return undefined;
  return { sizes, places: found };
}

/** Every map's cells are multiplied by the kernels and added to the images around them. */
export function inputGradientByPlaces(
  context: WasmContext,
  instruction: InstructionOf<"convolutionInputGradient">,
): Call[] | undefined {
  const found = placed(instruction, context);
  if (!found) return undefined;
  const { sizes, places } = found;
  const { bytes } = context.lanes;
  const { reads, writes } = instruction;
  return [
    {
      routine: addedKernels(context, sizes, places),
      arguments: [
        address(operandAt(reads, 0)),
        address(operandAt(reads, 1)),
        places.room,
        address(writes),
        columns(writes.axis),
        room(0, framesSize(around(sizes), sizes.channels) * bytes),
        room(1, listSize(places, context)),
      ],
    },
  ];
}

/** The images around every map's cells, times these, are added up over the samples; gaps add nothing. */
export function weightGradientByPlaces(
  context: WasmContext,
  instruction: InstructionOf<"convolutionWeightGradient">,
): Call[] | undefined {
  const found = placed(instruction, context);
  if (!found) return undefined;
  const { sizes, places } = found;
  const { lanes } = context;
  const { reads, writes } = instruction;
  const [input, gradient] = [operandAt(reads, 0), operandAt(reads, 1)];
  const { kernelWidth, kernelHeight, channels, maps } = sizes;
  return [
    {
      routine: addedImages(context, sizes, places),
      arguments: [
        address(input),
        address(gradient),
        places.room,
        sums,
        columns(input.axis),
        gaps(input.axis),
        room(0, (framesSize(around(sizes), channels) + lanes.count) * lanes.bytes),
        room(1, listSize(places, context)),
      ],
      sums: { count: kernelWidth * kernelHeight * channels * maps, scale: 1, target: writes },
    },
  ];
}

/** Images of the input with room around them for the kernels of all cells. */
function around(g: Sizes): Frames {
  return {
    width: g.width,
    height: g.height,
    rowLength: g.outputWidth + g.kernelWidth - 1,
    rows: g.outputHeight + g.kernelHeight - 1,
    startX: g.startX,
    startY: g.startY,
  };
}

/** Of each listed cell: its place, four bytes, and its value. */
const listStep = (bytes: number): number => 4 + bytes;
const listSize = ({ windows }: Places, { lanes }: WasmContext): number => windows * listStep(lanes.bytes);

/** (images, places, list) → the end of the list: the cells of one map that are not zero, by their place in the room around it. */
function listed(context: WasmContext, { windows, width }: Places, rowLength: number): Routine {
  const { single, bytes, shift } = context.lanes;
  return context.routine(`listed cells ${windows} ${width} ${rowLength}`, () =>
    define(["i32", "i32", "i32", "i32"], ["i32"], ([images, places, first, list]) => {
      const value = variable("v128");
      repeat(variable("i32", windows), () => {
        const place = variable("i32", i32.load({}, places));
        local.set(value, single.load(variable("i32", i32.add(place, images))));
        local.set(place, i32.sub(place, first));
        const row = variable("i32", i32.div_u(i32.shr_u(place, shift), width));
        i32.store({}, list, i32.add(place, i32.mul(row, (rowLength - width) * bytes)));
        single.store(list, 4, () => local.get(value));
        // A zero is overwritten by the next one.
        const isKept = v128.any_true(context.lanes.ne(value, context.lanes.constant(0)));
        advance(list, i32.mul(isKept, listStep(bytes)));
        advance(places, bytes);
      });
      local.get(list);
    }),
  );
}

/** Rows of a kernel that are worked on together, and the vectors of each. */
interface RowGroup {
  readonly first: number;
  readonly rows: number;
}

function rowGroups({ kernelHeight }: Sizes, vectorsOfRow: number): RowGroup[] {
  const together = Math.floor(mostVectors / vectorsOfRow);
  if (together === 0) return [];
  const groups: RowGroup[] = [];
  for (let first = 0; first < kernelHeight; first += together) {
    groups.push({ first, rows: Math.min(together, kernelHeight - first) });
  }
  return groups;
}

/** A vector's worth of a kernel's row, or one number of it. */
interface Piece {
  readonly access: Access;
  readonly offset: number;
}

/** The pieces of a row of `width` numbers. */
function piecesOf({ lanes }: WasmContext, width: number): Piece[] {
  const whole = Math.floor(width / lanes.count);
  return [
    ...Array.from({ length: whole }, (_, i) => ({ access: lanes.whole, offset: i * 16 })),
    ...Array.from({ length: width - whole * lanes.count }, (_, i) => ({
      access: lanes.single,
      offset: whole * 16 + i * lanes.bytes,
    })),
  ];
}

/** Every cell of the list: `body` gets its place and its value in all lanes. */
function forListed(
  { lanes }: WasmContext,
  list: Whole,
  end: Whole,
  image: Whole,
  body: (place: Whole, value: V) => void,
): void {
  const entry = variable("i32", list);
  const count = variable("i32", i32.div_u(i32.sub(end, list), listStep(lanes.bytes)));
  const value = variable("v128");
  repeat(count, () => {
    const place = variable("i32", i32.add(i32.load({}, entry), image));
    local.set(value, lanes.spread(entry, 4));
    body(place, value);
    advance(entry, listStep(lanes.bytes));
  });
}

/** (weights, maps, places, result, columns, frames, list) */
function addedKernels(context: WasmContext, g: Sizes, places: Places): Routine {
  const { lanes } = context;
  const { bytes } = lanes;
  const frames = around(g);
  const image = frames.rowLength * frames.rows * bytes;
  const kernel = g.kernelWidth * g.kernelHeight * bytes;
  const pieces = piecesOf(context, g.kernelWidth);
  const back: Frames = {
    ...{ width: frames.rowLength, height: frames.rows, rowLength: g.width, rows: g.height },
    ...{ startX: -g.startX, startY: -g.startY },
  };
  return context.routine(`added kernels ${dataKey([g, places.windows])}`, () =>
    define(
      ["i32", "i32", "i32", "i32", "i32", "i32", "i32"],
      [],
      ([weights, maps, where, result, count, room, list]) => {
        repeat(count, () => {
          local.get(room);
          i32.const(0);
          i32.const(image * g.channels);
          memory.fill();
          forMaps(
            context,
            g,
            places,
            [maps, where, list],
            (end, kernels) => {
              const target = variable("i32", room);
              repeat(variable("i32", g.channels), () => {
                for (const { first, rows } of rowGroups(g, pieces.length)) {
                  const group = pieces.flatMap((piece) =>
                    Array.from({ length: rows }, (_, row) => ({ ...piece, row: first + row })),
                  );
                  const taps = group.map(({ access, offset, row }) =>
                    variable("v128", access.load(kernels, row * g.kernelWidth * bytes + offset)),
                  );
                  forListed(context, list, end, target, (place, value) => {
                    group.forEach(({ access, offset, row }, i) => {
                      const at = row * frames.rowLength * bytes + offset;
                      access.store(place, at, () =>
                        lanes.multiplyAdd(value, taps[i]!, variable("v128", access.load(place, at))),
                      );
                    });
                  });
                }
                advance(kernels, kernel);
                advance(target, image);
              });
            },
            weights,
          );
          call(framed(context, back, g.channels), [room, result]);
          advance(maps, places.images * places.width * places.height * bytes);
          advance(where, places.images * places.windows * bytes);
          advance(result, g.width * g.height * g.channels * bytes);
        });
      },
    ),
  );
}

/** Every map of a sample: its cells are listed, `body` gets the end of the list and where the map's kernels begin. */
function forMaps(
  context: WasmContext,
  g: Sizes,
  places: Places,
  [maps, where, list]: readonly [Whole, Whole, Whole],
  body: (end: Whole, kernels: Whole) => void,
  weights: Whole,
): void {
  const { bytes } = context.lanes;
  const kernels = variable("i32", weights);
  const first = variable("i32", 0);
  const from = variable("i32", where);
  repeat(variable("i32", g.maps), () => {
    const cells = listed(context, places, around(g).rowLength);
    call(cells, [maps, from, first, list]);
    const end = variable("i32");
    local.set(end);
    body(end, kernels);
    advance(from, places.windows * bytes);
    advance(first, places.width * places.height * bytes);
  });
}

/** (input, maps, places, sums, columns, gaps, frames, list) */
function addedImages(context: WasmContext, g: Sizes, places: Places): Routine {
  const { lanes } = context;
  const { bytes } = lanes;
  const frames = around(g);
  const image = frames.rowLength * frames.rows * bytes;
  const taps = g.kernelWidth * g.kernelHeight;
  return context.routine(`added images ${dataKey([g, places.windows])}`, () =>
    define(
      ["i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32"],
      [],
      ([input, maps, where, totals, count, mask, room, list]) => {
        local.get(totals);
        i32.const(0);
        i32.const(taps * g.channels * g.maps * 8);
        memory.fill();
        forEach(0, count, 1, (column) => {
          scope((leave) => {
            when(local.get(mask), () => when(i32.load8_u({}, i32.add(mask, column)), () => leave()));
            call(framed(context, frames, g.channels), [input, room]);
            forMaps(
              context,
              g,
              places,
              [maps, where, list],
              (end, to) => {
                const source = variable("i32", room);
                repeat(variable("i32", g.channels), () => {
                  addImage(context, g, [list, end, source, to]);
                  advance(source, image);
                  advance(to, taps * 8);
                });
              },
              totals,
            );
          });
          advance(input, g.width * g.height * g.channels * bytes);
          advance(maps, places.images * places.width * places.height * bytes);
          advance(where, places.images * places.windows * bytes);
        });
      },
    ),
  );
}

/** Adds what lies around the listed cells, times these, to the double sums of one kernel. */
function addImage(
  context: WasmContext,
  g: Sizes,
  [list, end, source, to]: readonly [Whole, Whole, Whole, Whole],
): void {
  const { lanes } = context;
  const vectors = Math.ceil(g.kernelWidth / lanes.count);
  const { rowLength } = around(g);
  for (const { first, rows } of rowGroups(g, vectors)) {
    const totals = Array.from({ length: rows * vectors }, () => variable("v128", lanes.constant(0)));
    const cells = variable("v128");
    forListed(context, list, end, source, (place, value) => {
      totals.forEach((total, i) => {
        const row = first + Math.floor(i / vectors);
        local.set(cells, lanes.whole.load(place, row * rowLength * lanes.bytes + (i % vectors) * 16));
        local.set(total, lanes.multiplyAdd(cells, value, total));
      });
    });
    totals.forEach((total, i) => {
      const tap = (i % vectors) * lanes.count;
      const offset = ((first + Math.floor(i / vectors)) * g.kernelWidth + tap) * 8;
      addToDoubles(context, to, offset, total, Math.min(lanes.count, g.kernelWidth - tap));
    });
  }
}

/** Adds the lowest `count` lanes to doubles. */
function addToDoubles({ lanes }: WasmContext, to: Whole, offset: number, total: V, count: number): void {
  for (let lane = 0; lane < count; lane += 2) {
    const pair = lane === 0 ? total : variable("v128", moved(total, [1, 0], 8));
    const doubles = variable("v128", lanes.elementType === "float" ? f64x2.promote_low_f32x4(pair) : pair);
    const at = offset + lane * 8;
    if (count - lane > 1) {
      v128.store({ offset: at, align: 4 }, to, f64x2.add(v128.load({ offset: at, align: 4 }, to), doubles));
      continue;
    }
    local.get(to);
    f64x2.add(v128.load64_zero({ offset: at }, to), doubles);
    v128.store64_lane({ offset: at }, 0);
  }
}
