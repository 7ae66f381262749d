// A thread that computes pieces of phases: it looks at the job board, and sleeps as long as there is nothing to do.
import {
  isMainThread,
  type MessagePort,
  parentPort,
  receiveMessageOnPort,
  workerData,
} from "node:worker_threads";
import { helper } from "../backends/wasm/instance.js";
import type { SharedCode } from "../backends/wasm/team.js";
import { JobBoard, pieceOf } from "./job-board.js";

export interface HelperData {
  readonly board: SharedArrayBuffer;
  readonly port: MessagePort;
  /** Number among the helpers, from 0. */
  readonly helper: number;
}

/** Code to take part in, or (absent) not any more. */
export interface CrewMessage {
  readonly crew: number;
  readonly code?: SharedCode;
}

type Crews = Map<number, ReturnType<typeof helper>>;

function readMessages(port: MessagePort, crews: Crews): void {
  for (let received = receiveMessageOnPort(port); received; received = receiveMessageOnPort(port)) {
    const { crew, code } = received.message as CrewMessage;
    if (code) crews.set(crew, helper(code));
    else crews.delete(crew);
  }
}

function help({ board: memory, port, helper: number }: HelperData): void {
  const board = new JobBoard(memory);
  const crews: Crews = new Map();
  let read = -1;
  for (;;) {
    board.awaitJob(read);
    if (board.messages !== read) {
      read = board.messages;
      readMessages(port, crews);
    }
    board.setBusy(number, true);
    for (let left = board.take(); left > 0; left = board.take()) {
      const { job } = board;
      const { first, count, index } = pieceOf(job, left);
      try {
        if (!crews.has(job.crew)) readMessages(port, crews);
        crews.get(job.crew)!(job.phase)(first, count, index, number + 1);
      } catch (error) {
        board.fail();
        port.postMessage(String(error));
      }
      board.finish();
    }
    board.setBusy(number, false);
  }
}

if (!isMainThread) {
  parentPort?.postMessage("ready");
  help(workerData as HelperData);
}
