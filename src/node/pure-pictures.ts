import jpeg from "jpeg-js";
import { PNG } from "pngjs";
import type { Picture } from "../readers/index.js";
import { orientationOf, pictureOfPixels } from "./pixels.js";

/** Pixels that a picture may have: larger ones would not leave room for anything else. */
const mostPixels = 2 ** 27;

/**
 * Decodes JPEG and PNG without anything native, slowly: a few hundred milliseconds for a large picture. Throws an Error that
 * says why the bytes are no picture.
 */
export function decodePure(bytes: Uint8Array, grayscale: boolean): Picture {
  if (bytes[0] === 0xff && bytes[1] === 0xd8) {
    const { width, height, data } = jpeg.decode(bytes, {
      ...{ useTArray: true, formatAsRGBA: false },
      ...{ maxResolutionInMP: mostPixels / 1e6, maxMemoryUsageInMB: 2048 },
    } as const);
    return pictureOfPixels({ width, height, channels: 3, values: data }, orientationOf(bytes), grayscale);
  }
  if (bytes[0] === 0x89 && bytes[1] === 0x50) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length < 24 || view.getUint32(16) * view.getUint32(20) > mostPixels) {
      throw new Error("its header promises more than can be read");
    }
    const { width, height, data } = PNG.sync.read(
      Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    );
    return pictureOfPixels({ width, height, channels: 4, values: data }, 1, grayscale);
  }
  throw new Error("it is neither JPEG nor PNG");
}
