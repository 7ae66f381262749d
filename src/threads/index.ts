import type { ReaderThreads, SequenceBlock } from "../readers/index.js";
import type { ChunkJob } from "../readers/text-format/parse-chunk.js";
import { ThreadPool } from "./thread-pool.js";

/** The threads that read for this process. */
export function readerThreads(threads?: number): ReaderThreads {
  const entry = new URL("./parse-text.js", import.meta.url);
  const parsers = new ThreadPool<ChunkJob, readonly SequenceBlock[] | null>(entry, threads);
  return { parseText: async (job) => (await parsers.run(job)) ?? undefined };
}
export { pictureDecoder } from "./pictures.js";
