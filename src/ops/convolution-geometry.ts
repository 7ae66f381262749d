import { CntkError } from "../diagnostics/diagnostic.js";
import type { NetworkNode, SampleShape } from "../network/network.js";
import { elementCount } from "../network/network.js";
import type { DumpedText } from "../network/op-definition.js";
import type { Geometry } from "../primitives/geometry.js";
import { at, formatDims, shapeProblem } from "./define-op.js";

/*
 * How windows lie over an input: sizes, paddings, positions. After Source/Math/ConvolveGeometry.h and the attribute
 * expansion of Source/ComputationNetworkLib/ConvolutionalNodes.h.
 */

/** Attributes of convolution and pooling nodes, expanded to one entry per axis of the input (mapCount may keep rank 1). */
export interface WindowAttributes {
  readonly kernelShape: readonly number[];
  readonly mapCount: readonly number[];
  readonly strideShape: readonly number[];
  readonly dimSharing: readonly boolean[];
  readonly dimPadding: readonly boolean[];
  readonly dimPadLower: readonly number[];
  readonly dimPadUpper: readonly number[];
}

/** The window attributes among a node's; pooling has neither maps nor sharing. */
export function windowAttributes(
  attributes: Omit<WindowAttributes, "mapCount" | "dimSharing"> & Partial<WindowAttributes>,
): WindowAttributes {
  const { kernelShape, strideShape, dimPadding, dimPadLower, dimPadUpper } = attributes;
  const { mapCount = [1], dimSharing = [true] } = attributes;
  return { kernelShape, mapCount, strideShape, dimSharing, dimPadding, dimPadLower, dimPadUpper };
}

/** Repeats the last value up to the filter's rank, then fills up to the input's rank. Empty lists stay empty. */
function expand<T>(
  values: readonly T[],
  filterRank: number,
  inputRank: number,
  fill: (axis: number) => T,
): readonly T[] {
  const result = [...values];
  if (result.length === 0) return result;
  while (result.length < filterRank) result.push(at(result, result.length - 1));
  while (result.length < inputRank) result.push(fill(result.length));
  return result;
}

/**
 * Brings all window attributes to the input's rank. Along axes that the kernel does not mention, a convolution reduces over
 * the whole input and pooling takes cell by cell.
 */
export function expandToRank(
  given: WindowAttributes,
  input: SampleShape,
  reducesRest: boolean,
): WindowAttributes {
  const filterRank = given.kernelShape.length;
  const rank = input.length;
  const rest = (axis: number): number => (reducesRest ? at(input, axis) : 1);
  return {
    kernelShape: expand(given.kernelShape, filterRank, rank, rest),
    mapCount: given.mapCount,
    strideShape: expand(given.strideShape, filterRank, rank, rest),
    dimSharing: expand(given.dimSharing, filterRank, rank, () => true),
    dimPadding: expand(given.dimPadding, filterRank, rank, () => false),
    dimPadLower: expand(given.dimPadLower, filterRank, rank, () => 0),
    dimPadUpper: expand(given.dimPadUpper, filterRank, rank, () => 0),
  };
}

/**
 * The window attributes of the older two-dimensional convolution of an image [W x H x C]: kernel and step go over all channels.
 */
export function imageWindows(given: WindowAttributes, image: SampleShape): WindowAttributes {
  const overChannels = (sides: readonly number[]): readonly number[] => [
    at(sides, 0),
    at(sides, 1),
    at(image, 2),
  ];
  const expanded = expandToRank({ ...given, kernelShape: given.kernelShape.slice(0, 2) }, image, true);
  return {
    ...expanded,
    kernelShape: overChannels(given.kernelShape),
    strideShape: overChannels(given.strideShape),
  };
}

/** Number of maps along an axis: a map count of rank 1 belongs to the last axis. */
function mapsAlong(windows: WindowAttributes, axis: number, rank: number): number {
  if (windows.mapCount.length > 1) return at(windows.mapCount, axis);
  return axis === rank - 1 ? at(windows.mapCount, 0) : 1;
}

/** Entry of a list that holds one value per axis, or one for all. */
const along = <T>(values: readonly T[], axis: number): T => at(values, values.length === 1 ? 0 : axis);

function checkRanks(
  node: NetworkNode,
  windows: WindowAttributes,
  shape: SampleShape,
  side: "input" | "output",
): void {
  const rank = shape.length;
  const fail = (what: string, rule: string): never => {
    throw shapeProblem(
      node,
      "convolution-rank",
      `Convolution ${what} tensor${what.includes(" and ") ? "s" : ""} must have ${rule}.`,
      `the ${side} is [${formatDims(shape)}], the kernel [${formatDims(windows.kernelShape)}]`,
    );
  };
  if (windows.kernelShape.length !== rank) fail(`${side} and kernel`, "the same rank");
  const rule = `rank 1 or the same as the ${side} tensor`;
  const perAxis: readonly [string, readonly unknown[]][] = [
    ["map", windows.mapCount],
    ["stride", windows.strideShape],
    ["sharing", windows.dimSharing],
    ["padding", windows.dimPadding],
    ["lower pad", windows.dimPadLower],
    ["upper pad", windows.dimPadUpper],
  ];
  for (const [what, values] of perAxis) if (values.length !== 1 && values.length !== rank) fail(what, rule);
}

/** More windows than this cannot be placed. */
const mostWindows = 2 ** 31;
/** More windows than this are not looked at one by one. */
const mostIrregularWindows = 2 ** 22;

/** Sizes that only a damaged file asks for: they are refused before any work is done for them. */
function checkExtent(node: NetworkNode, windows: WindowAttributes, counts: readonly number[]): void {
  if (elementCount(counts) <= mostWindows) return;
  throw shapeProblem(
    node,
    "too-many-windows",
    `Convolution would have ${formatDims(counts)} windows.`,
    `the kernel is [${formatDims(windows.kernelShape)}], the stride [${formatDims(windows.strideShape)}]`,
  );
}

function checkPads(node: NetworkNode, axis: number, pads: readonly number[], extent: number): void {
  const absurd = pads.find((pad) => pad > extent);
  if (absurd === undefined) return;
  throw shapeProblem(
    node,
    "padding-too-large",
    `Convolution padding ${absurd} is larger than input and kernel together (${extent}) along axis ${axis + 1}.`,
  );
}

const doesNotFill = "Convolution requires that kernel fills the entire space if auto-padding is disabled.";

/** Shape of the output for an input. Throws CNTK's messages where the kernel does not fit. */
export function outputShape(
  node: NetworkNode,
  windows: WindowAttributes,
  input: SampleShape,
  ceilOut = false,
): SampleShape {
  checkRanks(node, windows, input, "input");
  const counts = input.map((dim, axis) => {
    const kernel = at(windows.kernelShape, axis);
    const stride = along(windows.strideShape, axis);
    if (kernel > dim) {
      throw shapeProblem(
        node,
        "kernel-too-large",
        `Convolution operation requires that kernel dim ${kernel} <= input dim ${dim}.`,
        `along axis ${axis + 1}: the input is [${formatDims(input)}], the kernel [${formatDims(windows.kernelShape)}]; ` +
          "padding does not help, the kernel itself must fit into the input",
      );
    }
    const auto = along(windows.dimPadding, axis);
    const [lower, upper] = [along(windows.dimPadLower, axis), along(windows.dimPadUpper, axis)];
    checkPads(node, axis, [lower, upper], dim + kernel);
    const room = dim + (auto ? kernel - 1 : lower + upper);
    // CNTK computes this in single precision.
    const precise = Math.fround(Math.fround(Math.fround(room - kernel) / stride) + 1);
    const count = ceilOut ? Math.ceil(precise) : Math.floor(precise);
    if (!auto && (lower > 0 || upper > 0) && (count - 1) * stride + kernel !== room) {
      throw shapeProblem(
        node,
        "kernel-does-not-fill",
        doesNotFill,
        `along axis ${axis + 1}: input ${dim} + pads ${lower} and ${upper} = ${room}, but ${count} windows of ${kernel} ` +
          `at a stride of ${stride} cover ${(count - 1) * stride + kernel}`,
      );
    }
    return count;
  });
  checkExtent(node, windows, counts);
  return counts.map((count, axis) => count * mapsAlong(windows, axis, input.length));
}

/** Shape of the input that a convolution would map to `output`: the output of a transposed convolution. */
export function inputShapeFor(
  node: NetworkNode,
  windows: WindowAttributes,
  output: SampleShape,
): SampleShape {
  checkRanks(node, windows, output, "output");
  return output.map((dim, axis) => {
    const kernel = at(windows.kernelShape, axis);
    const count = Math.trunc(dim / mapsAlong(windows, axis, output.length));
    const span = (count - 1) * along(windows.strideShape, axis);
    if (along(windows.dimPadding, axis)) return span + 1;
    return span + kernel - along(windows.dimPadLower, axis) - along(windows.dimPadUpper, axis);
  });
}

/** The positions of all windows over `input`, as backends need them. `output` as `outputShape` gave it. */
export function windowGeometry(windows: WindowAttributes, input: SampleShape, output: SampleShape): Geometry {
  const rank = input.length;
  const maps = input.map((_, axis) => mapsAlong(windows, axis, rank));
  const counts = output.map((dim, axis) => dim / at(maps, axis));
  const stride = input.map((_, axis) => along(windows.strideShape, axis));
  const geometry: Geometry = {
    input,
    output,
    kernel: windows.kernelShape,
    windows: counts,
    maps,
    stride,
    start: input.map((dim, axis) => {
      if (!along(windows.dimPadding, axis)) return 0 - along(windows.dimPadLower, axis);
      // The cells that the windows' centers do not reach are split evenly, one more at the end.
      const extra = dim - ((at(counts, axis) - 1) * at(stride, axis) + 1);
      return Math.trunc(extra / 2) - Math.trunc((at(windows.kernelShape, axis) - 1) / 2);
    }),
    sharing: input.map((_, axis) => along(windows.dimSharing, axis)),
  };
  const tapsOf = mixedUpTaps(geometry);
  return tapsOf ? { ...geometry, tapsOf } : geometry;
}

/** In `tapsOf`: no window in particular, all taps. */
const wholeKernel = -1;

/**
 * CNTK files the valid taps of windows under a number made from how far each window hangs over the rim, in base kernel
 * size. Where that is more than the base allows for (an explicit padding beyond half the kernel, rounding up), different
 * windows get the same number and use the taps of the one that came first (ConvolveGeometry's `mpkeystarts`).
 */
function mixedUpTaps({ input, kernel, windows, stride, start }: Geometry): readonly number[] | undefined {
  const half = kernel.map((size) => Math.trunc((size - 1) / 2));
  /** Cells by which a window hangs over: negative at the lower rim, positive at the upper. */
  const overhang = (window: number, axis: number): number => {
    const first = at(start, axis) + window * at(stride, axis);
    if (first < 0) return first;
    return Math.max(0, first + at(kernel, axis) - at(input, axis));
  };
  const outOfRange = input.some((_, axis) =>
    [0, at(windows, axis) - 1].some((window) => {
      const digit = overhang(window, axis) + at(half, axis);
      return digit < 0 || digit >= at(kernel, axis);
    }),
  );
  if (!outOfRange) return undefined;
  if (elementCount(windows) > mostIrregularWindows) {
    throw new CntkError({
      code: "too-many-windows",
      message: `Convolution with a padding beyond half the kernel would have ${formatDims(windows)} windows.`,
    });
  }
  const number = (overhangs: readonly number[]): number =>
    overhangs.reduce((key, cells, axis) => key * at(kernel, axis) + cells + at(half, axis), 0);
  const nothing = input.map(() => 0);
  const firstWith = new Map([[number(nothing), { window: wholeKernel, overhangs: nothing }]]);
  const tapsOf: number[] = [];
  let isMixedUp = false;
  const place = windows.map(() => 0);
  for (let window = 0; window < elementCount(windows); window++) {
    const overhangs = place.map(overhang);
    const key = number(overhangs);
    const first = firstWith.get(key) ?? { window, overhangs };
    firstWith.set(key, first);
    tapsOf.push(first.window);
    isMixedUp ||= overhangs.some((cells, axis) => cells !== first.overhangs[axis]);
    advance(place, windows);
  }
  return isMixedUp ? tapsOf : undefined;
}

/** The next place of a box, first axis fastest. */
function advance(place: number[], box: readonly number[]): void {
  for (let axis = 0; axis < place.length; axis++) {
    const next = at(place, axis) + 1;
    place[axis] = next % at(box, axis);
    if (next < at(box, axis)) return;
  }
}

/** Number of kernels, that is of weights divided by the kernel's cells. */
export function kernelCount(geometry: Geometry): number {
  return elementCount(
    geometry.maps.map((maps, axis) => (geometry.sharing[axis] ? maps : at(geometry.output, axis))),
  );
}

/** CNTK's engines on a CPU: `legacy` for HWC, `GEMM` for shared weights, `reference` for the rest. */
export type EngineName = "GEMM" | "legacy" | "reference";

/** Which engine CNTK would take on a CPU (Source/Math/ConvolutionEngine.cpp). */
export function chooseEngine(windows: WindowAttributes, imageLayout: ImageLayout): EngineName {
  if (imageLayout === "HWC") return "legacy";
  return windows.dimSharing.every(Boolean) ? "GEMM" : "reference";
}

/** A geometry as CNTK writes it in its log and in dumps. */
export function geometryText(windows: WindowAttributes, input: SampleShape, output: SampleShape): string {
  const flags = (values: readonly boolean[]): string => `(${values.map(Number).join(", ")})`;
  const parts = [
    `Input: ${formatDims(input)}`,
    `Output: ${formatDims(output)}`,
    `Kernel: ${formatDims(windows.kernelShape)}`,
    `Map: ${formatDims(windows.mapCount)}`,
    `Stride: ${formatDims(windows.strideShape)}`,
    `Sharing: ${flags(windows.dimSharing)}`,
    `AutoPad: ${flags(windows.dimPadding)}`,
    `LowerPad: ${formatDims(windows.dimPadLower)}`,
    `UpperPad: ${formatDims(windows.dimPadUpper)}`,
  ];
  return parts.join(", ");
}

/** The line CNTK prints when it makes an engine. */
export function engineLine(
  node: NetworkNode,
  engine: EngineName,
  windows: WindowAttributes,
  input: SampleShape,
  output: SampleShape,
): string {
  const slow = engine === "reference" ? ", could be VERY SLOW" : "";
  return `${node.name}: using ${engine} convolution engine for geometry${slow}: ${geometryText(windows, input, output)}.\n`;
}

/** What a dump shows of a node with windows: its geometry and its kind of pooling, by number. */
export function dumpedWindows(
  windows: WindowAttributes,
  input: SampleShape,
  output: SampleShape,
  poolKind: number,
): DumpedText {
  const items = [
    "Geometry: ",
    geometryText(windows, input, output),
    "\n",
    "PoolKind: ",
    String(poolKind),
    "\n",
  ];
  return { items, evenWithoutMetadata: true };
}

/** Order of an image in memory: `CHW` is [W x H x C], `HWC` is [C x W x H]. */
export type ImageLayout = "CHW" | "HWC";

/** Reads `imageLayout`; `cudnn` and `legacy` are older names. Throws CNTK's message for others. */
export function imageLayoutOf(node: NetworkNode, text: string): ImageLayout {
  if (text === "CHW" || text === "cudnn") return "CHW";
  if (text === "HWC" || text === "legacy") return "HWC";
  throw shapeProblem(
    node,
    "unknown-image-layout",
    `ImageLayoutKindFrom: Unknown ImageLayoutKind '${text}', must be 'CHW' (cudnn) or 'HWC' (CNTK legacy)`,
  );
}
