import { emptyLike, type Picture } from "./picture.js";

/** How pixels between pixels are found. */
export type Interpolation = "nearest" | "linear" | "cubic" | "lanczos";

/** Coefficients of bytes are whole numbers of this many bits. */
const coefficientBits = 11;
const coefficientScale = 1 << coefficientBits;

/** For each target position along one side: the first source position, and a weight for it and each that follows. */
interface Taps {
  readonly count: number;
  readonly starts: Int32Array;
  readonly weights: Float64Array;
}

/**
 * A picture of another size, as OpenCV's `resize` makes it: target pixel x lies at (x + ½) · scale − ½; bytes are computed with
 * weights of 11 bits. Halving both sides linearly takes the mean of four pixels.
 * Source: the documentation of OpenCV 3.1, `resize`.
 */
export function resized(
  picture: Picture,
  width: number,
  height: number,
  interpolation: Interpolation,
): Picture {
  if (width === picture.width && height === picture.height) return picture;
  if (interpolation === "nearest") return nearest(picture, width, height);
  if (interpolation === "linear" && picture.width === 2 * width && picture.height === 2 * height) {
    return halved(picture);
  }
  const across = tapsOf(picture.width, width, interpolation);
  const down = tapsOf(picture.height, height, interpolation);
  return picture.values instanceof Uint8Array
    ? resizedBytes(picture, picture.values, across, down)
    : resizedNumbers(picture, across, down);
}

function nearest(picture: Picture, width: number, height: number): Picture {
  const { channels, values } = picture;
  const result = emptyLike(values, width * height * channels);
  const at = (position: number, from: number, to: number): number =>
    Math.min(Math.floor((position * from) / to), from - 1);
  for (let y = 0; y < height; y++) {
    const row = at(y, picture.height, height) * picture.width;
    for (let x = 0; x < width; x++) {
      const from = (row + at(x, picture.width, width)) * channels;
      const to = (y * width + x) * channels;
      for (let c = 0; c < channels; c++) result[to + c] = values[from + c] ?? 0;
    }
  }
  return { width, height, channels, values: result };
}

function halved({ width, height, channels, values }: Picture): Picture {
  const line = width * channels;
  const isBytes = values instanceof Uint8Array;
  const count = (width * height * channels) / 4;
  const result = emptyLike(values, count);
  let to = 0;
  for (let y = 0; y < height; y += 2) {
    for (let x = 0; x < width; x += 2) {
      for (let c = 0; c < channels; c++) {
        const from = y * line + x * channels + c;
        const sum =
          (values[from] ?? 0) +
          (values[from + channels] ?? 0) +
          (values[from + line] ?? 0) +
          (values[from + line + channels] ?? 0);
        result[to++] = isBytes ? (sum + 2) >> 2 : sum / 4;
      }
    }
  }
  return { width: width / 2, height: height / 2, channels, values: result };
}

const tapCounts = { linear: 2, cubic: 4, lanczos: 8 };

function tapsOf(from: number, to: number, interpolation: "linear" | "cubic" | "lanczos"): Taps {
  const count = tapCounts[interpolation];
  const starts = new Int32Array(to);
  const weights = new Float64Array(to * count);
  for (let position = 0; position < to; position++) {
    const exact = Math.fround((position + 0.5) * (from / to) - 0.5);
    let start = Math.floor(exact);
    let fraction = Math.fround(exact - start);
    if (interpolation === "linear") {
      // Beyond the border stands the border's own pixel.
      if (start < 0) [start, fraction] = [0, 0];
      else if (start >= from - 1) [start, fraction] = [from - 1, 0];
      weights.set([1 - fraction, fraction], position * count);
    } else {
      weights.set(
        interpolation === "cubic" ? cubicWeights(fraction) : lanczosWeights(fraction),
        position * count,
      );
    }
    starts[position] = start - (count / 2 - 1);
  }
  return { count, starts, weights };
}

/** The cubic convolution with a = −¾. */
function cubicWeights(x: number): number[] {
  const a = -0.75;
  const outer = ((a * (x + 1) - 5 * a) * (x + 1) + 8 * a) * (x + 1) - 4 * a;
  const inner = ((a + 2) * x - (a + 3)) * x * x + 1;
  const y = 1 - x;
  const next = ((a + 2) * y - (a + 3)) * y * y + 1;
  return [outer, inner, next, 1 - outer - inner - next];
}

/** The windowed sinc over eight pixels, made to sum to 1. */
function lanczosWeights(x: number): number[] {
  const weights = Array.from({ length: 8 }, (_, i) => {
    const distance = x + 3 - i;
    if (Math.abs(distance) < 1e-7) return 1;
    const angle = Math.PI * distance;
    return (4 * Math.sin(angle) * Math.sin(angle / 4)) / (angle * angle);
  });
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** Source offsets of the taps of each target position; positions beyond the border are the border's. */
function offsets({ count, starts }: Taps, length: number, stride: number): Int32Array {
  return Int32Array.from({ length: starts.length * count }, (_, i) => {
    const position = (starts[Math.floor(i / count)] ?? 0) + (i % count);
    return Math.max(0, Math.min(position, length - 1)) * stride;
  });
}

function resizedBytes(picture: Picture, values: Uint8Array, across: Taps, down: Taps): Picture {
  const { channels } = picture;
  const width = across.starts.length;
  const height = down.starts.length;
  const line = width * channels;
  const columns = offsets(across, picture.width, channels);
  const xWeights = Int32Array.from(across.weights, wholeWeight);
  const yWeights = Int32Array.from(down.weights, wholeWeight);
  const rows = offsets(down, picture.height, 1);
  // The rows of a window are neighbours: as many places as a window has rows, each row at its own, hold the sums.
  const sums = Array.from({ length: down.count }, () => new Int32Array(line));
  const held = new Int32Array(down.count).fill(-1);
  const rowOf = (row: number): Int32Array => {
    const place = row % down.count;
    const sum = sums[place] as Int32Array;
    if (held[place] !== row) {
      sumAcross(values, row * picture.width * channels, columns, xWeights, across.count, channels, sum);
      held[place] = row;
    }
    return sum;
  };
  const result = new Uint8ClampedArray(line * height);
  const bytes = new Uint8Array(result.buffer);
  const lines: Int32Array[] = [];
  for (let y = 0; y < height; y++) {
    for (let k = 0; k < down.count; k++) lines[k] = rowOf(rows[y * down.count + k] ?? 0);
    const weights = yWeights.subarray(y * down.count, (y + 1) * down.count);
    if (down.count === 2) blendTwo(lines, weights, bytes.subarray(y * line, (y + 1) * line));
    else blendMany(lines, weights, result, y * line);
  }
  return { width, height, channels, values: bytes };
}

/** Half numbers go to the even neighbour, as the processor rounds. */
function wholeWeight(weight: number): number {
  const scaled = Math.fround(weight) * coefficientScale;
  const floor = Math.floor(scaled);
  const rest = scaled - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
}

/** Fills `sum` with the sums of one row. */
function sumAcross(
  values: Uint8Array,
  begin: number,
  columns: Int32Array,
  weights: Int32Array,
  count: number,
  channels: number,
  sum: Int32Array,
): void {
  if (count === 2 && channels === 3) {
    sumTwoColours(values, begin, columns, weights, sum);
    return;
  }
  const width = sum.length / channels;
  if (count === 2) {
    // Two neighbours: the usual case, without the inner loop.
    for (let x = 0, to = 0; x < width; x++) {
      const left = begin + (columns[2 * x] as number);
      const right = begin + (columns[2 * x + 1] as number);
      const a = weights[2 * x] as number;
      const b = weights[2 * x + 1] as number;
      for (let c = 0; c < channels; c++, to++) {
        sum[to] = (values[left + c] as number) * a + (values[right + c] as number) * b;
      }
    }
    return;
  }
  for (let x = 0, to = 0; x < width; x++) {
    const at = x * count;
    for (let c = 0; c < channels; c++, to++) {
      let total = 0;
      for (let k = 0; k < count; k++) {
        total += (values[begin + (columns[at + k] as number) + c] as number) * (weights[at + k] as number);
      }
      sum[to] = total;
    }
  }
}

/** The usual case: two neighbours, three bytes a pixel. */
function sumTwoColours(
  values: Uint8Array,
  begin: number,
  columns: Int32Array,
  weights: Int32Array,
  sum: Int32Array,
): void {
  for (let at = 0, to = 0; to < sum.length; at += 2, to += 3) {
    const left = begin + (columns[at] as number);
    const right = begin + (columns[at + 1] as number);
    const a = weights[at] as number;
    const b = weights[at + 1] as number;
    sum[to] = Math.imul(values[left] as number, a) + Math.imul(values[right] as number, b);
    sum[to + 1] = Math.imul(values[left + 1] as number, a) + Math.imul(values[right + 1] as number, b);
    sum[to + 2] = Math.imul(values[left + 2] as number, a) + Math.imul(values[right + 2] as number, b);
  }
}

/** Two rows, in the order of shifts that the fast way takes. Weights that sum to one make no value that is no byte. */
function blendTwo(lines: readonly Int32Array[], weights: Int32Array, result: Uint8Array): void {
  const [first, second] = [lines[0] as Int32Array, lines[1] as Int32Array];
  const [a, b] = [weights[0] as number, weights[1] as number];
  for (let i = 0; i < result.length; i++) {
    const upper = Math.imul(a, (first[i] as number) >> 4) >> 16;
    const lower = Math.imul(b, (second[i] as number) >> 4) >> 16;
    result[i] = (upper + lower + 2) >> 2;
  }
}

function blendMany(
  lines: readonly Int32Array[],
  weights: Int32Array,
  result: Uint8ClampedArray,
  to: number,
): void {
  const bits = 2 * coefficientBits;
  const length = lines[0]?.length ?? 0;
  for (let i = 0; i < length; i++) {
    let total = 0;
    for (let k = 0; k < weights.length; k++)
      total += ((lines[k] as Int32Array)[i] as number) * (weights[k] as number);
    result[to + i] = Math.floor((total + 2 ** (bits - 1)) / 2 ** bits);
  }
}

function resizedNumbers(picture: Picture, across: Taps, down: Taps): Picture {
  const { channels, values } = picture;
  const width = across.starts.length;
  const height = down.starts.length;
  const columns = offsets(across, picture.width, channels);
  const rows = offsets(down, picture.height, picture.width * channels);
  const result = emptyLike(values, width * height * channels);
  let to = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) {
        let total = 0;
        for (let i = 0; i < down.count; i++) {
          const begin = (rows[y * down.count + i] ?? 0) + c;
          let sum = 0;
          for (let k = 0; k < across.count; k++) {
            sum +=
              (values[begin + (columns[x * across.count + k] ?? 0)] ?? 0) *
              (across.weights[x * across.count + k] ?? 0);
          }
          total += sum * (down.weights[y * down.count + i] ?? 0);
        }
        result[to++] = total;
      }
    }
  }
  return { width, height, channels, values: result };
}
