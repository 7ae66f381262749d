import { inflateRawSync } from "node:zlib";
import { type DecodeOnThread, fastDecoder } from "../node/fast-pictures.js";
import type { PictureDecoder } from "../readers/index.js";
import type { DecodeJob, DecodeReply } from "./decode-picture.js";
import { ThreadPool } from "./thread-pool.js";

/**
 * Decodes pictures on other threads: by sharp where it is installed, else without anything native. Which one it is decides
 * about the last level of a byte, the order of calls and the number of threads about nothing.
 */
export function pictureDecoder(threads?: number, allowsFast = true): PictureDecoder {
  let decode: DecodeOnThread | undefined;
  return {
    decode(bytes, grayscale) {
      decode ??= (allowsFast ? fastDecoder(threads) : undefined) ?? pureDecoder(threads);
      return decode(bytes, grayscale);
    },
    inflate: (bytes, size) => inflateRawSync(bytes, { maxOutputLength: Math.max(size, 1) }),
  };
}

function pureDecoder(threads: number | undefined): DecodeOnThread {
  const pool = new ThreadPool<DecodeJob, DecodeReply>(
    new URL("./decode-picture.js", import.meta.url),
    threads,
  );
  return async (bytes, grayscale) => {
    const reply = await pool.run({ bytes, grayscale });
    // No thread could be had: this one decodes, with what only then has to be loaded.
    if (reply === undefined) return (await import("../node/pure-pictures.js")).decodePure(bytes, grayscale);
    if ("reason" in reply) throw new Error(reply.reason);
    return reply.picture;
  };
}
