import type { ReaderThreads, SequenceBlock } from "../readers/index.js";
import type { ChunkJob } from "../readers/text-format/parse-chunk.js";
import type { Team } from "../backends/wasm/team.js";
import { ComputeTeam } from "./compute-team.js";
import { ThreadPool } from "./thread-pool.js";

/** The threads that read for this process. */
export function readerThreads(threads?: number): ReaderThreads {
  const entry = new URL("./parse-text.js", import.meta.url);
  const parsers = new ThreadPool<ChunkJob, readonly SequenceBlock[] | null>(entry, threads);
  return { count: parsers.threads, parseText: async (job) => (await parsers.run(job)) ?? undefined };
}
/** So many threads that compute together, this one included. */
export const computeTeam = (threads: number): Team => new ComputeTeam(threads);

export { pictureDecoder } from "./pictures.js";
