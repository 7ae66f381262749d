import { FunctionWriter, i32, v128, type WasmMemory } from "./assembler.js";

/**
 * Convolutions of images in CNTK's order (each channel's rows one after another), stride 1: four neighbouring output
 * cells at once. XNNPACK computes eight maps at once and is at its best with many; with the one to sixteen maps of
 * MNIST networks these loops are up to six times faster and need no transposition to NHWC.
 */

/** Sizes of a convolution with stride 1 and margins of either sign. */
export interface PlainConvolution {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly kernelWidth: number;
  readonly kernelHeight: number;
  readonly outWidth: number;
  readonly outHeight: number;
  readonly maps: number;
  /** Cells added before the first column and row; negative: cut off. */
  readonly left: number;
  readonly top: number;
}

/** Longer kernel rows would make the unrolled code long. */
const widestKernel = 12;

/** Can the loops be written for this size? */
export function suitsPlainConvolution(p: PlainConvolution): boolean {
  return p.outWidth >= 4 && p.kernelWidth <= widestKernel;
}

/** An image with margins, as the inner loops read it: `rowLength` floats a row. */
interface PaddedImage {
  readonly rows: number;
  readonly rowLength: number;
  /** False: the image itself will do. */
  readonly copied: boolean;
}

/** Splits `count` into as few parts of at most `most` as possible, of nearly equal size. */
function parts(count: number, most: number): number[] {
  const number = Math.ceil(count / most);
  return Array.from({ length: number }, (_, i) => Math.floor((count + i) / number));
}

/** Writes the copy of one sample's channels into a scratch image whose margins are zero. */
function writePaddedCopy(
  writer: FunctionWriter,
  source: number,
  target: number,
  sizes: {
    readonly channels: number;
    readonly width: number;
    readonly height: number;
    readonly left: number;
    readonly top: number;
    readonly rows: number;
    readonly rowLength: number;
  },
): void {
  const { channels, width, height, left, top, rows, rowLength } = sizes;
  const firstRow = Math.max(0, -top);
  const rowCount = Math.min(height, rows - top) - firstRow;
  const firstColumn = Math.max(0, -left);
  const columns = Math.min(width, rowLength - left) - firstColumn;
  if (rowCount <= 0 || columns <= 0) return;
  const from = writer.local(i32);
  const to = writer.local(i32);
  writer
    .get(source)
    .set(from)
    .advance(from, 4 * (firstRow * width + firstColumn));
  writer
    .get(target)
    .set(to)
    .advance(to, 4 * ((firstRow + top) * rowLength + firstColumn + left));
  writer.repeat(channels, () => {
    writer.repeat(rowCount, () => {
      writeRowCopy(writer, from, to, columns);
      writer.advance(from, 4 * width).advance(to, 4 * rowLength);
    });
    writer.advance(from, 4 * (height - rowCount) * width).advance(to, 4 * (rows - rowCount) * rowLength);
  });
}

function writeRowCopy(writer: FunctionWriter, from: number, to: number, count: number): void {
  if (count < 4) {
    for (let i = 0; i < count; i++)
      writer
        .get(to)
        .get(from)
        .load("v128.load32_zero", 4 * i)
        .storeLane0(4 * i);
    return;
  }
  for (const i of vectorStarts(count))
    writer
      .get(to)
      .get(from)
      .load("v128.load", 4 * i)
      .store("v128.store", 4 * i);
}

/** Where vectors of four start that cover `count` ≥ 4 cells; the last overlaps its neighbour if it has to. */
function vectorStarts(count: number): number[] {
  return Array.from({ length: Math.ceil(count / 4) }, (_, i) => Math.min(4 * i, count - 4));
}

/** Called with the number of samples and the addresses of output, image, weights and scratch (zeros). */
export type NativeConvolution = (
  samples: number,
  output: number,
  image: number,
  weights: number,
  scratch: number,
) => void;

function imageForConvolution(p: PlainConvolution): PaddedImage {
  const rowLength = p.outWidth + p.kernelWidth - 1;
  const rows = p.outHeight + p.kernelHeight - 1;
  const copied = p.left !== 0 || p.top !== 0 || rowLength !== p.width || rows !== p.height;
  return { rows, rowLength, copied };
}

/** Floats of scratch memory that `compileConvolution`'s function needs. */
export function convolutionScratch(p: PlainConvolution): number {
  const { rows, rowLength, copied } = imageForConvolution(p);
  return copied ? p.channels * rows * rowLength : 0;
}

/**
 * output[n, m, y, x] = Σ weights[m, c, ky, kx] · image[n, c, y + ky − top, x + kx − left].
 * A block of up to twelve sums (maps x vectors) stays in registers while the kernel passes over it.
 */
export function compileConvolution(memory: WasmMemory, p: PlainConvolution): NativeConvolution {
  const writer = new FunctionWriter([i32, i32, i32, i32, i32]);
  const [samples, output, image, weights, scratch] = [0, 1, 2, 3, 4];
  const { rows, rowLength, copied } = imageForConvolution(p);
  const mapsAtOnce = Math.min(4, p.maps);
  const vectorsAtOnce = [0, 8, 6, 4, 3][mapsAtOnce] as number;
  const starts = vectorStarts(p.outWidth);
  const kernelCells = p.channels * p.kernelHeight * p.kernelWidth;
  const outPixels = p.outWidth * p.outHeight;
  const source = copied ? scratch : image;
  const mapWeights = writer.local(i32);
  const mapOutput = writer.local(i32);

  const writeMapBlock = (maps: number) => {
    const rowImage = writer.local(i32);
    const rowOutput = writer.local(i32);
    writer.get(source).set(rowImage).get(mapOutput).set(rowOutput);
    writer.repeat(p.outHeight, () => {
      let first = 0;
      for (const count of parts(starts.length, vectorsAtOnce)) {
        writeTile(maps, starts.slice(first, first + count), rowImage, rowOutput);
        first += count;
      }
      writer.advance(rowImage, 4 * rowLength).advance(rowOutput, 4 * p.outWidth);
    });
    writer.advance(mapWeights, 4 * maps * kernelCells).advance(mapOutput, 4 * maps * outPixels);
  };

  const writeTile = (maps: number, columns: readonly number[], rowImage: number, rowOutput: number) => {
    const sums = Array.from({ length: maps }, () => columns.map(() => writer.local(v128)));
    for (const sum of sums.flat()) writer.vector(0).set(sum);
    const cell = writer.local(i32);
    const weight = writer.local(i32);
    const cells = columns.map(() => writer.local(v128));
    const factor = writer.local(v128);
    writer.get(rowImage).set(cell).get(mapWeights).set(weight);
    writer.repeat(p.channels, () => {
      writer.repeat(p.kernelHeight, () => {
        for (let kx = 0; kx < p.kernelWidth; kx++) {
          columns.forEach((x, v) => {
            writer
              .get(cell)
              .load("v128.load", 4 * (x + kx))
              .set(cells[v] as number);
          });
          for (let m = 0; m < maps; m++) {
            writer
              .get(weight)
              .load("v128.load32_splat", 4 * (m * kernelCells + kx))
              .set(factor);
            columns.forEach((_, v) => {
              const sum = (sums[m] as number[])[v] as number;
              writer
                .get(sum)
                .get(cells[v] as number)
                .get(factor)
                .op("f32x4.mul", "f32x4.add")
                .set(sum);
            });
          }
        }
        writer.advance(cell, 4 * rowLength).advance(weight, 4 * p.kernelWidth);
      });
      writer.advance(cell, 4 * (rows - p.kernelHeight) * rowLength);
    });
    for (let m = 0; m < maps; m++) {
      columns.forEach((x, v) => {
        const sum = (sums[m] as number[])[v] as number;
        writer
          .get(rowOutput)
          .get(sum)
          .store("v128.store", 4 * (m * outPixels + x));
      });
    }
  };

  writer.repeatLocal(samples, () => {
    if (copied) writePaddedCopy(writer, image, scratch, { ...p, rows, rowLength });
    writer.get(weights).set(mapWeights).get(output).set(mapOutput);
    writer.repeat(Math.floor(p.maps / mapsAtOnce), () => writeMapBlock(mapsAtOnce));
    if (p.maps % mapsAtOnce > 0) writeMapBlock(p.maps % mapsAtOnce);
    writer.advance(image, 4 * p.channels * p.width * p.height).advance(output, 4 * p.maps * outPixels);
  });
  return writer.instantiate(memory);
}

/**
 * Called with the number of samples and the addresses of output, image, gradient, scratch (zeros) and sums (a double
 * per weight, zeros).
 */
export type NativeFilterGradient = (
  samples: number,
  output: number,
  image: number,
  gradient: number,
  scratch: number,
  sums: number,
) => void;

function imagesForFilterGradient(p: PlainConvolution): {
  readonly image: PaddedImage;
  readonly gradientLength: number;
  readonly gradientCopied: boolean;
} {
  const gradientLength = 4 * Math.ceil(p.outWidth / 4);
  const gradientCopied = gradientLength !== p.outWidth;
  const rowLength = gradientLength + p.kernelWidth - 1;
  const rows = p.outHeight + p.kernelHeight - 1;
  const copied = p.left !== 0 || p.top !== 0 || rowLength !== p.width || rows !== p.height;
  return { image: { rows, rowLength, copied }, gradientLength, gradientCopied };
}

/** Floats of scratch memory that `compileFilterGradient`'s function needs. */
export function filterGradientScratch(p: PlainConvolution): number {
  const { image, gradientLength, gradientCopied } = imagesForFilterGradient(p);
  return (
    (image.copied ? p.channels * image.rows * image.rowLength : 0) +
    (gradientCopied ? p.maps * p.outHeight * gradientLength : 0)
  );
}

/**
 * output[m, c, ky, kx] = Σ over n, y, x of gradient[n, m, y, x] · image[n, c, y + ky − top, x + kx − left].
 * One sample's sums are in float, four side by side; samples are added in double.
 */
export function compileFilterGradient(memory: WasmMemory, p: PlainConvolution): NativeFilterGradient {
  const writer = new FunctionWriter([i32, i32, i32, i32, i32, i32]);
  const [samples, output, image, gradient, scratch, sums] = [0, 1, 2, 3, 4, 5];
  const { image: padded, gradientLength, gradientCopied } = imagesForFilterGradient(p);
  const kernelCells = p.channels * p.kernelHeight * p.kernelWidth;
  const kernelParts = parts(p.kernelWidth, 6);
  const mapsAtOnce = Math.min(p.maps, 4, Math.floor(12 / Math.max(...kernelParts)));
  const gradientScratch = writer.local(i32);
  writer.get(scratch).set(gradientScratch);
  if (padded.copied) writer.advance(gradientScratch, 4 * p.channels * padded.rows * padded.rowLength);
  const gradientSource = gradientCopied ? gradientScratch : gradient;
  const imageSource = padded.copied ? scratch : image;
  const mapGradient = writer.local(i32);
  const mapSums = writer.local(i32);

  const writeMapBlock = (maps: number) => {
    const channelImage = writer.local(i32);
    writer.get(imageSource).set(channelImage);
    writer.repeat(p.channels, () => {
      writer.repeat(p.kernelHeight, () => {
        let first = 0;
        for (const count of kernelParts) {
          writeTile(maps, first, count, channelImage);
          first += count;
        }
        writer.advance(channelImage, 4 * padded.rowLength).advance(mapSums, 8 * p.kernelWidth);
      });
      writer.advance(channelImage, 4 * (padded.rows - p.kernelHeight) * padded.rowLength);
    });
    writer.advance(mapSums, 8 * (maps - 1) * kernelCells);
    writer.advance(mapGradient, 4 * maps * p.outHeight * gradientLength);
  };

  const writeTile = (maps: number, first: number, count: number, channelImage: number) => {
    const totals = Array.from({ length: maps }, () =>
      Array.from({ length: count }, () => writer.local(v128)),
    );
    for (const total of totals.flat()) writer.vector(0).set(total);
    const cell = writer.local(i32);
    const slope = writer.local(i32);
    const slopes = Array.from({ length: maps }, () => writer.local(v128));
    const value = writer.local(v128);
    const writeVector = (x: number) => {
      slopes.forEach((local, m) => {
        writer
          .get(slope)
          .load("v128.load", 4 * (m * p.outHeight * gradientLength + x))
          .set(local);
      });
      for (let k = 0; k < count; k++) {
        writer
          .get(cell)
          .load("v128.load", 4 * (x + first + k))
          .set(value);
        slopes.forEach((local, m) => {
          const total = (totals[m] as number[])[k] as number;
          writer.get(total).get(value).get(local).op("f32x4.mul", "f32x4.add").set(total);
        });
      }
    };
    writer.get(channelImage).set(cell).get(mapGradient).set(slope);
    writer.repeat(p.outHeight, () => {
      const vectors = gradientLength / 4;
      if (vectors <= 8) {
        for (let v = 0; v < vectors; v++) writeVector(4 * v);
        writer.advance(cell, 4 * padded.rowLength).advance(slope, 4 * gradientLength);
      } else {
        writer.repeat(vectors, () => {
          writeVector(0);
          writer.advance(cell, 16).advance(slope, 16);
        });
        writer.advance(cell, 4 * (padded.rowLength - gradientLength));
      }
    });
    totals.forEach((row, m) =>
      row.forEach((total, k) => {
        const offset = 8 * (m * kernelCells + first + k);
        const pair = writer.local(v128);
        writer
          .get(total)
          .op("f64x2.promote_low_f32x4")
          .upperHalf(total)
          .op("f64x2.promote_low_f32x4", "f64x2.add");
        writer.set(pair).get(mapSums).get(mapSums).load("f64.load", offset);
        writer.get(pair).extractDouble(0).get(pair).extractDouble(1).op("f64.add", "f64.add");
        writer.store("f64.store", offset);
      }),
    );
  };

  writer.repeatLocal(samples, () => {
    if (padded.copied) writePaddedCopy(writer, image, scratch, { ...p, ...padded });
    if (gradientCopied) {
      writePaddedCopy(writer, gradient, gradientScratch, {
        channels: p.maps,
        width: p.outWidth,
        height: p.outHeight,
        left: 0,
        top: 0,
        rows: p.outHeight,
        rowLength: gradientLength,
      });
    }
    writer.get(gradientSource).set(mapGradient).get(sums).set(mapSums);
    writer.repeat(Math.floor(p.maps / mapsAtOnce), () => writeMapBlock(mapsAtOnce));
    if (p.maps % mapsAtOnce > 0) writeMapBlock(p.maps % mapsAtOnce);
    writer.advance(image, 4 * p.channels * p.width * p.height);
    writer.advance(gradient, 4 * p.maps * p.outWidth * p.outHeight);
  });
  const left = writer.local(i32);
  writer.integer(p.maps * kernelCells).set(left);
  writer.repeatLocal(left, () => {
    writer.get(output).get(sums).load("f64.load").op("f32.demote_f64").store("f32.store");
    writer.advance(output, 4).advance(sums, 8);
  });
  return writer.instantiate(memory);
}
