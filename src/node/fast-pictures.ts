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
interface Sharp {
  (bytes: Uint8Array, options: Readonly<Record<string, unknown>>): SharpImage;
  /** Threads for one picture. */
  concurrency(threads: number): void;
  cache(keeps: boolean): void;
}

export type DecodeOnThread = (bytes: Uint8Array, grayscale: boolean) => Promise<Picture>;

/** Decodes by sharp, on threads of its own; undefined where the optional package is not installed. */
export function fastDecoder(): DecodeOnThread | undefined {
  let sharp: Sharp;
  try {
    sharp = createRequire(import.meta.url)("sharp") as Sharp;
    // Many pictures at a time share the machine, not the parts of one; none comes twice so soon that it would be kept.
    sharp.concurrency(1);
    sharp.cache(false);
  } catch {
    return undefined;
  }
  return async (bytes, grayscale) => {
    // Colour profiles are left alone, as OpenCV leaves them; damaged ends are taken as far as they go.
    const image = sharp(bytes, {
      ignoreIcc: true,
      failOn: "error",
      limitInputPixels: 2 ** 27,
      sequentialRead: true,
    });
    const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
    return pictureOfPixels({ ...info, values: data }, orientationOf(bytes), grayscale);
  };
}
