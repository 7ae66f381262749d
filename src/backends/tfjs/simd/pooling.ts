import type { ImageGeometry } from "../image-geometry.js";
import { FunctionWriter, i32, v128, type ValueType, type WasmMemory } from "./assembler.js";

/**
 * Max pooling of images in CNTK's order whose windows all lie inside the image: no jump depends on the numbers, since
 * the processor could not guess which cell of a window is the largest.
 */

/** Are there loops for this geometry? Windows that overlap the margin are left to JavaScript. */
export function suitsNativePooling(g: ImageGeometry): boolean {
  const inside = (start: number, windows: number, stride: number, kernel: number, size: number) =>
    start >= 0 && start + (windows - 1) * stride + kernel <= size;
  return (
    inside(g.startX, g.windowsX, g.strideX, g.kernelWidth, g.width) &&
    inside(g.startY, g.windowsY, g.strideY, g.kernelHeight, g.height) &&
    g.kernelWidth * g.kernelHeight <= 64
  );
}

/** Do the windows cover every cell exactly once? Then no cell has to be set to zero first. */
export function windowsTile(g: ImageGeometry): boolean {
  return (
    g.startX === 0 &&
    g.startY === 0 &&
    g.strideX === g.kernelWidth &&
    g.strideY === g.kernelHeight &&
    g.windowsX * g.kernelWidth === g.width &&
    g.windowsY * g.kernelHeight === g.height
  );
}

/** Offsets in bytes of a window's cells from its first cell, x fastest. */
function cellOffsets(g: ImageGeometry): number[] {
  const offsets: number[] = [];
  for (let y = 0; y < g.kernelHeight; y++) {
    for (let x = 0; x < g.kernelWidth; x++) offsets.push(4 * (y * g.width + x));
  }
  return offsets;
}

/**
 * Writes the walk over all windows: `large` and `small` are pointers into images and into pooled values, which stand at
 * the window's first cell and at its value when `body` runs.
 */
function writeWindows(
  writer: FunctionWriter,
  g: ImageGeometry,
  large: readonly number[],
  small: readonly number[],
  body: () => void,
): void {
  const advance = (pointers: readonly number[], cells: number) => {
    for (const pointer of pointers) writer.advance(pointer, 4 * cells);
  };
  writer.repeatLocal(0, () => {
    writer.repeat(g.channels, () => {
      advance(large, g.startY * g.width + g.startX);
      writer.repeat(g.windowsY, () => {
        writer.repeat(g.windowsX, () => {
          body();
          advance(large, g.strideX);
          advance(small, 1);
        });
        advance(large, g.strideY * g.width - g.windowsX * g.strideX);
      });
      advance(large, (g.height - g.windowsY * g.strideY - g.startY) * g.width - g.startX);
    });
  });
}

function functionOfAddresses(count: number): FunctionWriter {
  return new FunctionWriter(Array.from({ length: 1 + count }, (): ValueType => i32));
}

/** Called with the number of samples and the addresses of the output and the inputs. */
export type NativePooling = (samples: number, output: number, ...inputs: number[]) => void;

/** Largest value of each window; input: the image. */
export function compileMaxPool(memory: WasmMemory, g: ImageGeometry): NativePooling {
  const writer = functionOfAddresses(2);
  const [output, image] = [1, 2];
  writeWindows(writer, g, [image], [output], () => {
    writer.get(output);
    cellOffsets(g).forEach((offset, i) => {
      writer.get(image).load("v128.load32_zero", offset);
      if (i > 0) writer.op("f32x4.pmax");
    });
    writer.storeLane0();
  });
  return writer.instantiate(memory);
}

/**
 * Writes for each cell of a window the mask of the first cell that is at least `largest`, and hands it to `use` on the
 * stack.
 */
function writeFirstAtLeast(
  writer: FunctionWriter,
  g: ImageGeometry,
  image: number,
  largest: number,
  use: (offset: number, mask: number) => void,
): void {
  const found = writer.local(v128);
  const mask = writer.local(v128);
  writer.vector(0).set(found);
  for (const offset of cellOffsets(g)) {
    writer
      .get(image)
      .load("v128.load32_zero", offset)
      .get(largest)
      .op("f32x4.ge")
      .get(found)
      .op("v128.andnot");
    writer.set(mask).get(found).get(mask).op("v128.or").set(found);
    use(offset, mask);
  }
}

/**
 * Gradient of max pooling; inputs: the image, the pooled values, their gradient. The output must be zero unless the
 * windows tile the image.
 */
export function compileMaxPoolGradient(memory: WasmMemory, g: ImageGeometry): NativePooling {
  const writer = functionOfAddresses(4);
  const [output, image, pooled, gradient] = [1, 2, 3, 4];
  const tiled = windowsTile(g);
  const largest = writer.local(v128);
  const share = writer.local(v128);
  writeWindows(writer, g, [output, image], [pooled, gradient], () => {
    writer
      .get(pooled)
      .load("v128.load32_zero")
      .set(largest)
      .get(gradient)
      .load("v128.load32_zero")
      .set(share);
    writeFirstAtLeast(writer, g, image, largest, (offset, mask) => {
      writer.get(output).get(share).get(mask).op("v128.and");
      if (!tiled) writer.get(output).load("v128.load32_zero", offset).op("f32x4.add");
      writer.storeLane0(offset);
    });
  });
  return writer.instantiate(memory);
}

/**
 * Unpooling; inputs: the pooled values, the image whose maxima say where they go. The output must be zero unless the
 * windows tile the image.
 */
export function compileMaxUnpool(memory: WasmMemory, g: ImageGeometry): NativePooling {
  const writer = functionOfAddresses(3);
  const [output, pooled, image] = [1, 2, 3];
  const tiled = windowsTile(g);
  const largest = writer.local(v128);
  const value = writer.local(v128);
  writeWindows(writer, g, [output, image], [pooled], () => {
    cellOffsets(g).forEach((offset, i) => {
      writer.get(image).load("v128.load32_zero", offset);
      if (i > 0) writer.op("f32x4.pmax");
    });
    writer.set(largest).get(pooled).load("v128.load32_zero").set(value);
    writeFirstAtLeast(writer, g, image, largest, (offset, mask) => {
      writer.get(output);
      if (tiled) writer.get(value).get(mask).op("v128.and");
      else {
        // A later window overwrites where it has its maximum, and leaves the other cells alone.
        writer.get(value).get(output).load("v128.load32_zero", offset).get(mask).op("v128.bitselect");
      }
      writer.storeLane0(offset);
    });
  });
  return writer.instantiate(memory);
}
