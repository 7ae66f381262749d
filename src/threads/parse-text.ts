// A thread that parses chunks of text files: each message is a ChunkJob, each answer its blocks, or null.
import { isMainThread, parentPort } from "node:worker_threads";
import { nodeFiles } from "../node/files.js";
import type { SequenceBlock } from "../readers/deserializer.js";
import { type ChunkJob, parseCleanChunk } from "../readers/text-format/parse-chunk.js";

function parse(job: ChunkJob): readonly SequenceBlock[] | undefined {
  const file = nodeFiles().open(job.path);
  try {
    return parseCleanChunk(file, job);
  } finally {
    file.close();
  }
}

/** The memory of a block, which moves to the other thread. */
function memoryOf({ values, rows, sequenceStarts, sampleStarts }: SequenceBlock): ArrayBufferLike[] {
  return [values, rows, sequenceStarts, sampleStarts].map((list) => list.buffer);
}

if (!isMainThread) {
  parentPort?.on("message", (job: ChunkJob) => {
    const blocks = parse(job);
    const memory = new Set((blocks ?? []).flatMap(memoryOf));
    parentPort?.postMessage(
      blocks ?? null,
      [...memory].filter((buffer) => buffer instanceof ArrayBuffer),
    );
  });
}
