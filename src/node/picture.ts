import { PNG } from "pngjs";
import type { GreyPicture } from "../actions/visualize.js";

/** A grey picture as the bytes of a PNG file. */
export function encodePng(picture: GreyPicture): Uint8Array {
  const png = new PNG({
    width: picture.width,
    height: picture.height,
    colorType: 0,
    inputColorType: 0,
    bitDepth: 8,
  });
  png.data = Buffer.from(picture.pixels);
  return PNG.sync.write(png, { colorType: 0, inputColorType: 0, bitDepth: 8, inputHasAlpha: false });
}
