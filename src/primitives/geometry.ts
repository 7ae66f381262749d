/**
 * Geometry of a convolution or pooling, all arrays of the input's rank (Source/Math/ConvolveGeometry.h).
 * Along axis i the windows are numbered 0 … windows[i]−1 and window w covers input cells
 * start[i] + w·stride[i] + (0 … kernel[i]−1); cells outside the input are skipped.
 * The output has windows[i]·maps[i] cells on axis i: cell = window + windows[i]·map.
 */
export interface Geometry {
  readonly input: readonly number[];
  readonly output: readonly number[];
  readonly kernel: readonly number[];
  readonly windows: readonly number[];
  /** Number of output maps per axis (1 but for the channel axis, as a rule). */
  readonly maps: readonly number[];
  readonly stride: readonly number[];
  /** First input cell of window 0: minus the lower padding; may be positive (auto-padding with large strides). */
  readonly start: readonly number[];
  /** false on an axis: every window position along it has kernel weights of its own. */
  readonly sharing: readonly boolean[];
  /**
   * Per window (first axis fastest) the window whose taps it uses: a tap counts if it lies inside the input there, and is
   * then taken at this window's place in memory, if that is inside the sample; −1 = all taps. Absent: every window its own.
   * CNTK mixes up windows where an explicit padding exceeds half the kernel.
   */
  readonly tapsOf?: readonly number[];
}

/** The geometry as text: `kernel 3:3:1, stride 1:1:1, start -1:-1:0`. */
export function geometryText(geometry: Geometry): string {
  const axes = (values: readonly (number | boolean)[]) => values.map(Number).join(":");
  const parts = [
    `kernel ${axes(geometry.kernel)}`,
    `stride ${axes(geometry.stride)}`,
    `start ${axes(geometry.start)}`,
  ];
  if (geometry.maps.some((maps) => maps !== 1)) parts.push(`maps ${axes(geometry.maps)}`);
  if (geometry.sharing.includes(false)) parts.push(`sharing ${axes(geometry.sharing)}`);
  return parts.join(", ");
}
