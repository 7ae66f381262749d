import type { ImageGeometry } from "../image-geometry.js";
import { plain, type Layout } from "../layout.js";
import { generate } from "./generated.js";

/** Distances in memory of an image operand. */
interface ImageStrides {
  readonly x: number;
  readonly y: number;
  readonly channel: number;
  readonly sample: number;
}

function imageStrides(width: number, height: number, channels: number, layout: Layout): ImageStrides {
  const sample = width * height * channels;
  if (layout === plain) return { x: 1, y: width, channel: width * height, sample };
  return { x: channels, y: width * channels, channel: 1, sample };
}

/**
 * JavaScript text that walks over all windows, x fastest, then y, within each channel of each sample. The body finds
 * - `cell`: place of the window's first cell inside the input, in the large operands (all of layout `large`),
 * - `columns`, `rows`: how many of its cells lie inside the input,
 * - `p0`, `p1`, …: place of the window's value in the pooled operands of the layouts `small`.
 */
function writeWindows(
  g: ImageGeometry,
  large: Layout,
  small: readonly Layout[],
  body: readonly string[],
): string[] {
  const input = imageStrides(g.width, g.height, g.channels, large);
  const pooled = small.map((layout) => imageStrides(g.windowsX, g.windowsY, g.channels, layout));
  const channelLoop = `for (let c = 0; c < ${g.channels}; c++) {`;
  const outside = large === plain;
  return [
    "for (let n = 0; n < samples; n++) {",
    ...(outside ? [channelLoop] : []),
    `for (let wy = 0; wy < ${g.windowsY}; wy++) {`,
    ...writeRange("wy", "top", "rows", g.startY, g.strideY, g.kernelHeight, g.height, g.windowsY),
    `for (let wx = 0; wx < ${g.windowsX}; wx++) {`,
    ...writeRange("wx", "left", "columns", g.startX, g.strideX, g.kernelWidth, g.width, g.windowsX),
    ...(outside ? [] : [channelLoop]),
    `const cell = n * ${input.sample} + c * ${input.channel} + top * ${input.y} + left * ${input.x};`,
    ...pooled.map((s, i) => `const p${i} = n * ${s.sample} + c * ${s.channel} + wy * ${s.y} + wx * ${s.x};`),
    ...body,
    "}}}}",
  ];
}

/** First input cell and number of cells of window number `window` along one axis, clipped to the input. */
function writeRange(
  window: string,
  first: string,
  count: string,
  start: number,
  stride: number,
  kernel: number,
  size: number,
  windows: number,
): string[] {
  const unclipped = `${window} * ${stride} + ${start}`;
  const inside = start >= 0 && start + (windows - 1) * stride + kernel <= size;
  if (inside) return [`const ${first} = ${unclipped}, ${count} = ${kernel};`];
  return [
    `const ${first} = Math.max(0, ${unclipped}), ${count} = Math.max(0, Math.min(${size}, ${unclipped} + ${kernel}) - ${first});`,
  ];
}

/** JavaScript text that runs `statement` for each cell `at` of a window, x fastest. */
function writeCells(g: ImageGeometry, large: Layout, statement: string): string[] {
  const { x, y } = imageStrides(g.width, g.height, g.channels, large);
  return [
    `for (let j = 0, row = cell; j < rows; j++, row += ${y}) {`,
    `for (let i = 0, at = row; i < columns; i++, at += ${x}) { ${statement} }`,
    `}`,
  ];
}

/** Largest value of each window. */
export function maxPool(g: ImageGeometry, inputLayout: Layout, pooledLayout: Layout) {
  return generate<(samples: number, input: Float32Array, pooled: Float32Array) => void>(
    ["samples", "input", "pooled"],
    writeWindows(
      g,
      inputLayout,
      [pooledLayout],
      [
        "let largest = -Infinity;",
        ...writeCells(g, inputLayout, "const v = input[at]; if (v > largest) largest = v;"),
        "pooled[p0] = largest;",
      ],
    ),
  );
}

/** Mean of each window's cells inside the input; with `includePad` the sum over the kernel's size. */
export function averagePool(
  g: ImageGeometry,
  inputLayout: Layout,
  pooledLayout: Layout,
  includePad: boolean,
) {
  return generate<(samples: number, input: Float32Array, pooled: Float32Array) => void>(
    ["samples", "input", "pooled"],
    writeWindows(
      g,
      inputLayout,
      [pooledLayout],
      [
        "let sum = 0;",
        ...writeCells(g, inputLayout, "sum += input[at];"),
        `pooled[p0] = Math.fround(sum) / ${divisor(g, includePad)};`,
      ],
    ),
  );
}

function divisor(g: ImageGeometry, includePad: boolean): string {
  return includePad ? String(g.kernelWidth * g.kernelHeight) : "(rows * columns)";
}

/**
 * Gives each window's gradient to its first cell (x fastest) that is not below the pooled value; windows that meet in
 * a cell add up. `output` must be zero.
 */
export function maxPoolGradient(
  g: ImageGeometry,
  inputLayout: Layout,
  pooledLayout: Layout,
  gradientLayout: Layout,
) {
  return generate<
    (
      samples: number,
      input: Float32Array,
      pooled: Float32Array,
      gradient: Float32Array,
      output: Float32Array,
    ) => void
  >(
    ["samples", "input", "pooled", "gradient", "output"],
    writeWindows(
      g,
      inputLayout,
      [pooledLayout, gradientLayout],
      [
        "const largest = pooled[p0];",
        "search: {",
        ...writeCells(
          g,
          inputLayout,
          "if (input[at] >= largest) { output[at] += gradient[p1]; break search; }",
        ),
        "}",
      ],
    ),
  );
}

/** Spreads each window's gradient evenly over its cells. `output` must be zero. */
export function averagePoolGradient(
  g: ImageGeometry,
  outputLayout: Layout,
  gradientLayout: Layout,
  includePad: boolean,
) {
  return generate<(samples: number, gradient: Float32Array, output: Float32Array) => void>(
    ["samples", "gradient", "output"],
    writeWindows(
      g,
      outputLayout,
      [gradientLayout],
      [
        `const share = Math.fround(gradient[p0] / ${divisor(g, includePad)});`,
        ...writeCells(g, outputLayout, "output[at] += share;"),
      ],
    ),
  );
}

/**
 * Writes each pooled value where its window in `poolInput` has its first maximum; a later window overwrites an
 * earlier one. `output` must be zero.
 */
export function maxUnpool(g: ImageGeometry, inputLayout: Layout, pooledLayout: Layout) {
  return generate<
    (samples: number, pooled: Float32Array, poolInput: Float32Array, output: Float32Array) => void
  >(
    ["samples", "pooled", "poolInput", "output"],
    writeWindows(
      g,
      inputLayout,
      [pooledLayout],
      [
        "if (rows * columns > 0) {",
        "let largest = poolInput[cell], place = cell;",
        ...writeCells(
          g,
          inputLayout,
          "const v = poolInput[at]; if (v > largest) { largest = v; place = at; }",
        ),
        "output[place] = pooled[p0];",
        "}",
      ],
    ),
  );
}
