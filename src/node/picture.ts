import { PNG } from "pngjs";
import type { Picture } from "../actions/pictures/canvas.js";

/** A picture as the bytes of a PNG file: grey where it has no colours. */
export function encodePng({ width, height, pixels }: Picture): Uint8Array {
  const isGrey = pixels.every((value, index) => value === pixels[index - (index % 3)]);
  const format = { colorType: isGrey ? 0 : 2, inputColorType: isGrey ? 0 : 2, bitDepth: 8 } as const;
  const png = new PNG({ width, height, ...format });
  png.data = Buffer.from(isGrey ? pixels.filter((_, index) => index % 3 === 0) : pixels);
  return PNG.sync.write(png, { ...format, inputHasAlpha: false });
}
