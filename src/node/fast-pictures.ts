import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
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

/**
 * Decodes by sharp, on threads of its own; undefined where the optional package is not installed. As many pictures at a time as
 * there are cores: with more, the thread that crops and scales would lose its time to them first, and then work while nobody decodes;
 * with fewer, decoding would wait until that thread has time to hand out the next one.
 */
export function fastDecoder(threads = availableParallelism()): DecodeOnThread | undefined {
  let sharp: Sharp;
  try {
    sharp = createRequire(import.meta.url)("sharp") as Sharp;
    // Many pictures at a time share the machine, not the parts of one; none comes twice so soon that it would be kept.
    sharp.concurrency(1);
    sharp.cache(false);
  } catch {
    return undefined;
  }
  const decode: DecodeOnThread = async (bytes, grayscale) => {
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
  return atMost(threads, decode);
}

/** The same function, of which only so many calls run at a time; the others wait their turn. */
function atMost(count: number, decode: DecodeOnThread): DecodeOnThread {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (bytes, grayscale) => {
    if (running >= count) await new Promise<void>((begin) => waiting.push(begin));
    else running++;
    try {
      return await decode(bytes, grayscale);
    } finally {
      // Whoever comes next takes this one's place.
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
}
