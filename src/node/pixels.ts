import type { Picture } from "../readers/index.js";

/** Pixels as a decoder gives them: rows from the top, 1 = grey, 2 = grey and alpha, 3 = red, green, blue, 4 = and alpha. */
export interface RawPixels {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly values: Uint8Array;
}

/**
 * The picture that OpenCV's imread gives: blue, green, red, or one grey, alpha left out, turned as the camera was held. It may
 * take over the memory of the pixels.
 * Grey is 0.299 R + 0.587 G + 0.114 B in whole numbers of 14 bits.
 */
export function pictureOfPixels(pixels: RawPixels, orientation: number, grayscale: boolean): Picture {
  const { width, height, channels, values } = pixels;
  const count = width * height;
  const isGrey = channels < 3;
  if (channels === 3 && !grayscale) {
    return turned(
      { width, height, channels: 3, values: redAndBlueExchanged(values, 3 * count) },
      orientation,
    );
  }
  const result = new Uint8Array(grayscale ? count : 3 * count);
  for (let i = 0, from = 0, to = 0; i < count; i++, from += channels) {
    const red = values[from] as number;
    const green = isGrey ? red : (values[from + 1] as number);
    const blue = isGrey ? red : (values[from + 2] as number);
    if (grayscale) result[to++] = (red * 4899 + green * 9617 + blue * 1868 + 8192) >> 14;
    else {
      result[to++] = blue;
      result[to++] = green;
      result[to++] = red;
    }
  }
  return turned({ width, height, channels: grayscale ? 1 : 3, values: result }, orientation);
}

/** The usual case: the decoder's own bytes change places. */
function redAndBlueExchanged(values: Uint8Array, length: number): Uint8Array {
  for (let i = 0; i < length; i += 3) {
    const red = values[i] as number;
    values[i] = values[i + 2] as number;
    values[i + 2] = red;
  }
  // A Buffer is no picture: its slices share their memory.
  return new Uint8Array(values.buffer, values.byteOffset, length);
}

/** Turns and mirrors by an orientation of EXIF, 1 to 8. */
function turned(picture: Picture, orientation: number): Picture {
  if (orientation < 2 || orientation > 8) return picture;
  const { width, height, channels, values } = picture;
  const swaps = orientation >= 5;
  const [newWidth, newHeight] = swaps ? [height, width] : [width, height];
  const result = new Uint8Array(values.length);
  // Orientations 2, 3, 7, 8 come from the right, 3, 4, 6, 7 from below.
  const fromRight = [2, 3, 7, 8].includes(orientation);
  const fromBelow = [3, 4, 6, 7].includes(orientation);
  for (let y = 0; y < newHeight; y++) {
    for (let x = 0; x < newWidth; x++) {
      const [across, down] = swaps ? [y, x] : [x, y];
      const column = fromRight ? width - 1 - across : across;
      const row = fromBelow ? height - 1 - down : down;
      const from = (row * width + column) * channels;
      const to = (y * newWidth + x) * channels;
      for (let c = 0; c < channels; c++) result[to + c] = values[from + c] ?? 0;
    }
  }
  return { width: newWidth, height: newHeight, channels, values: result };
}

/** The orientation that a JPEG file's EXIF block tells, or 1. Source: JEITA CP-3451 (EXIF 2.2), section 4.6. */
export function orientationOf(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4 || view.getUint16(0) !== 0xffd8) return 1;
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff;) {
    const marker = bytes[at + 1] ?? 0;
    if (marker === 0xda) return 1;
    const length = view.getUint16(at + 2);
    const end = Math.min(at + 2 + length, bytes.length);
    const isExif = marker === 0xe1 && at + 10 <= end && view.getUint32(at + 4) === 0x45786966;
    if (isExif)
      return orientationInTiff(new DataView(bytes.buffer, bytes.byteOffset + at + 10, end - at - 10));
    at += 2 + Math.max(length, 2);
  }
  return 1;
}

function orientationInTiff(view: DataView): number {
  if (view.byteLength < 8) return 1;
  const little = view.getUint16(0) === 0x4949;
  const directory = view.getUint32(4, little);
  if (directory + 2 > view.byteLength) return 1;
  const entries = view.getUint16(directory, little);
  for (let i = 0; i < entries; i++) {
    const at = directory + 2 + 12 * i;
    if (at + 12 > view.byteLength) return 1;
    if (view.getUint16(at, little) === 0x0112) {
      const value = view.getUint16(at + 8, little);
      return value >= 1 && value <= 8 ? value : 1;
    }
  }
  return 1;
}
