import type { Geometry } from "../../primitives/geometry.js";

/** A convolution or pooling of images, as TensorFlow.js knows it: two spatial axes, one channel axis. */
export interface ImageGeometry {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly kernelWidth: number;
  readonly kernelHeight: number;
  /** Positions of the window: width and height of the output. */
  readonly windowsX: number;
  readonly windowsY: number;
  readonly maps: number;
  readonly strideX: number;
  readonly strideY: number;
  /** First input cell of window 0; negative where the input is padded. */
  readonly startX: number;
  readonly startY: number;
}

interface Axis {
  readonly input: number;
  readonly kernel: number;
  readonly windows: number;
  readonly maps: number;
  readonly stride: number;
  readonly start: number;
}

const emptyAxis: Axis = { input: 1, kernel: 1, windows: 1, maps: 1, stride: 1, start: 0 };

function axesOf(geometry: Geometry): readonly [Axis, Axis, Axis] | null {
  const axes: Axis[] = geometry.input.map((input, i) => ({
    input,
    kernel: geometry.kernel[i] as number,
    windows: geometry.windows[i] as number,
    maps: geometry.maps[i] as number,
    stride: geometry.stride[i] as number,
    start: geometry.start[i] as number,
  }));
  while (axes.length > 3) {
    const last = axes.pop() as Axis;
    if (last.input !== 1 || last.kernel !== 1 || last.windows !== 1 || last.maps !== 1 || last.start !== 0)
      return null;
  }
  return [axes[0] ?? emptyAxis, axes[1] ?? emptyAxis, axes[2] ?? emptyAxis];
}

function imageOf([x, y, c]: readonly [Axis, Axis, Axis], maps: number): ImageGeometry {
  return {
    width: x.input,
    height: y.input,
    channels: c.input,
    kernelWidth: x.kernel,
    kernelHeight: y.kernel,
    windowsX: x.windows,
    windowsY: y.windows,
    maps,
    strideX: x.stride,
    strideY: y.stride,
    startX: x.start,
    startY: y.start,
  };
}

/**
 * The geometry of a convolution as an image convolution, or null where it is not one: more than three axes, a kernel
 * that does not take in all channels, weights not shared between window positions, maps on several axes.
 */
export function convolutionAsImage(geometry: Geometry): ImageGeometry | null {
  const axes = axesOf(geometry);
  if (!axes) return null;
  if (geometry.sharing.some((shared, i) => !shared && (geometry.windows[i] as number) > 1)) return null;
  const [x, y, c] = axes;
  if (c.kernel !== c.input || c.windows !== 1 || c.start !== 0) return null;
  // Maps are the slowest index of the output only if no window position stands behind them.
  if (x.maps > 1 && (y.windows > 1 || y.maps > 1 || c.maps > 1)) return null;
  if (y.maps > 1 && c.maps > 1) return null;
  return imageOf(axes, x.maps * y.maps * c.maps);
}

/** The geometry of a pooling as image pooling (each channel by itself), or null where it is not one. */
export function poolingAsImage(geometry: Geometry): ImageGeometry | null {
  const axes = axesOf(geometry);
  if (!axes) return null;
  const [x, y, c] = axes;
  if (x.maps * y.maps * c.maps !== 1) return null;
  if (c.kernel !== 1 || c.windows !== c.input || c.stride !== 1 || c.start !== 0) return null;
  return imageOf(axes, c.input);
}

/** Cells to add (positive) or to cut off (negative) around the input so that the windows fit it exactly. */
export interface Margins {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Margins that make the input exactly as large as the windows' extent. */
export function marginsOf(g: ImageGeometry): Margins {
  return {
    left: -g.startX,
    right: g.startX + (g.windowsX - 1) * g.strideX + g.kernelWidth - g.width,
    top: -g.startY,
    bottom: g.startY + (g.windowsY - 1) * g.strideY + g.kernelHeight - g.height,
  };
}
