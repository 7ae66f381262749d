// A thread that decodes pictures: each message is a DecodeJob, each answer a picture or the reason why there is none.
import { isMainThread, parentPort } from "node:worker_threads";
import { decodePure } from "../node/pure-pictures.js";
import type { Picture } from "../readers/index.js";

export interface DecodeJob {
  readonly bytes: Uint8Array;
  readonly grayscale: boolean;
}

export type DecodeReply = { readonly picture: Picture } | { readonly reason: string };

function decode({ bytes, grayscale }: DecodeJob): DecodeReply {
  try {
    return { picture: decodePure(bytes, grayscale) };
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error) };
  }
}

if (!isMainThread) parentPort?.on("message", (job: DecodeJob) => parentPort?.postMessage(decode(job)));
