import { createRequire } from "node:module";
import type { Picture } from "../readers/index.js";
import { orientationOf, pictureOfPixels } from "./pixels.js";

/** What is used of sharp. */
interface SharpImage {
  raw(): SharpImage;
  toBuffer(options: { resolveWithObject: true }): Promise<{
    data: Uint8Array;
    info: { width: number; height: number; channels: number };
  }>;
}
type Sharp = (bytes: Uint8Array, options: Readonly<Record<string, unknown>>) => SharpImage;

export type DecodeOnThread = (bytes: Uint8Array, grayscale: boolean) => Promise<Picture>;

/** Decodes by sharp, on threads of its own; undefined where the optional package is not installed. */
export function fastDecoder(): DecodeOnThread | undefined {
  let sharp: Sharp;
  try {
    sharp = createRequire(import.meta.url)("sharp") as Sharp;
  } catch {
    return undefined;
  }
  return async (bytes, grayscale) => {
    // Colour profiles are left alone, as OpenCV leaves them; damaged ends are taken as far as they go.
    const image = sharp(bytes, { ignoreIcc: true, failOn: "error", limitInputPixels: 2 ** 27 });
    const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
    return pictureOfPixels({ ...info, values: data }, orientationOf(bytes), grayscale);
  };
}
