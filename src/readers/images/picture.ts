import type { ElementType, Values } from "../../numerics/values.js";

/** A picture in memory: rows from the top, in a row pixel after pixel, in a pixel blue, green, red, or one grey. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  /** Bytes as they come from a file, or numbers after a transform that needs them. */
  readonly values: Uint8Array | Values;
}

/** Turns the bytes of a JPEG or PNG file into pixels; what the machine offers stands in src/node. */
export interface PictureDecoder {
  /** Throws an Error whose message says why the bytes are no picture. Calls may run at the same time, on other threads. */
  decode(bytes: Uint8Array, grayscale: boolean): Promise<Picture>;
  /** Unpacks raw deflated bytes of a known size, for pictures in zip files. */
  inflate(bytes: Uint8Array, size: number): Uint8Array;
}

/** The same picture in numbers, to compute with. */
export function inNumbers(picture: Picture, elementType: ElementType): Picture & { readonly values: Values } {
  const { values } = picture;
  if (!(values instanceof Uint8Array)) return { ...picture, values };
  return {
    ...picture,
    values: elementType === "float" ? Float32Array.from(values) : Float64Array.from(values),
  };
}

/** Room for other pixels of the same kind. */
export function emptyLike(values: Picture["values"], length: number): Picture["values"] {
  if (values instanceof Uint8Array) return new Uint8Array(length);
  return values instanceof Float64Array ? new Float64Array(length) : new Float32Array(length);
}

/** A rectangle out of a picture; all of it is the picture itself. */
export function cut(picture: Picture, left: number, top: number, width: number, height: number): Picture {
  if (left === 0 && top === 0 && width === picture.width && height === picture.height) return picture;
  const { channels, values } = picture;
  const line = width * channels;
  const result = emptyLike(values, line * height);
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * picture.width + left) * channels;
    result.set(values.subarray(from, from + line), y * line);
  }
  return { width, height, channels, values: result };
}

/** Left and right exchanged; takes over the memory of the picture. */
export function mirrored(picture: Picture): Picture {
  const { width, height, channels, values } = picture;
  if (channels === 3 && values instanceof Uint8Array) {
    for (let y = 0; y < height; y++) mirrorColours(values, 3 * y * width, width);
    return picture;
  }
  const result = emptyLike(values, values.length);
  for (let y = 0; y < height; y++) mirrorRow(values, result, y * width * channels, width, channels);
  return { ...picture, values: result };
}

/** The usual case, in which three bytes are a pixel: the row is turned round where it stands. */
function mirrorColours(values: Uint8Array, begin: number, width: number): void {
  for (let a = begin, b = begin + 3 * (width - 1); a < b; a += 3, b -= 3) {
    for (let c = 0; c < 3; c++) {
      const left = values[a + c] as number;
      values[a + c] = values[b + c] as number;
      values[b + c] = left;
    }
  }
}

function mirrorRow(
  from: Picture["values"],
  to: Picture["values"],
  begin: number,
  width: number,
  channels: number,
): void {
  for (let x = 0; x < width; x++) {
    const own = begin + x * channels;
    const other = begin + (width - 1 - x) * channels;
    for (let c = 0; c < channels; c++) to[own + c] = from[other + c] as number;
  }
}
