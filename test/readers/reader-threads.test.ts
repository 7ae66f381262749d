import { createHash } from "node:crypto";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { serialize } from "node:v8";
import { writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { nodeFiles } from "../../src/node/index.js";
import { createTextFormatReader } from "../../src/readers/index.js";
import type { ReaderThreads } from "../../src/readers/index.js";
import { ThreadPool } from "../../src/threads/thread-pool.js";
import { builtProgram } from "../support/program.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const folder = temporaryFolder();
// Threads run compiled modules.
const built = join(builtProgram(), "..", "..", "threads", "index.js");
const { readerThreads } = (await import(/* @vite-ignore */ pathToFileURL(built).href)) as {
  readerThreads: (threads?: number) => ReaderThreads;
};

/** Dense and sparse samples, about 5 MB for 6000; `spoil` changes a line. */
function writeData(
  name: string,
  spoil: (line: string, number: number) => string = (line) => line,
  samples = 6000,
): void {
  const lines: string[] = [];
  for (let i = 0; i < samples; i++) {
    const numbers = Array.from({ length: 200 }, (_, k) => (k % 7 === 0 ? (i * k) % 256 : ((i + k) % 9) / 4));
    lines.push(spoil(`|x ${numbers.join(" ")} |y ${i % 40}:1 ${40 + (i % 11)}:${i / 8}`, i));
  }
  writeFileSync(join(folder, name), `${lines.join("\n")}\n`);
}

/** All minibatches of an epoch, and what was logged. */
async function readAll(file: string, threads: ReaderThreads | undefined) {
  let log = "";
  let asked = 0;
  let answered = 0;
  const counted: ReaderThreads | undefined = threads && {
    count: 2,
    parseText: async (job) => {
      asked++;
      const blocks = await threads.parseText(job);
      if (blocks !== undefined) answered++;
      return blocks;
    },
  };
  const reader = await createTextFormatReader(
    {
      file,
      elementType: "float",
      chunkSizeInBytes: 1 << 20,
      maxErrors: 3,
      inputs: [
        { name: "features", alias: "x", dimension: 200, storage: "dense" },
        { name: "labels", alias: "y", dimension: 60, storage: "sparse" },
      ],
    },
    {
      files: nodeFiles(folder),
      log: { write: (text) => void (log += text) },
      ...(counted && { readerThreads: counted }),
    },
  );
  const minibatches: string[] = [];
  try {
    await reader.start({ epoch: 0, minibatchSize: 256, epochSize: 0, rank: 0, workers: 1 });
    for (;;) {
      const minibatch = await reader.next();
      if (minibatch === undefined) break;
      minibatches.push(createHash("sha256").update(serialize(minibatch)).digest("hex"));
    }
  } finally {
    await reader.close();
  }
  return { minibatches, log, asked, answered };
}

/** Chunks that were asked for when the first minibatch had come, without randomization. */
async function askedFirst(file: string, epochSize: number, count = 2): Promise<number> {
  let asked = 0;
  const threads: ReaderThreads = { count, parseText: async () => void asked++ };
  const reader = await createTextFormatReader(
    {
      file,
      elementType: "float",
      chunkSizeInBytes: 4_500_000,
      randomize: false,
      inputs: [{ name: "features", alias: "x", dimension: 200, storage: "dense" }],
    },
    { files: nodeFiles(folder), log: { write: () => undefined }, readerThreads: threads },
  );
  try {
    await reader.start({ epoch: 0, minibatchSize: 256, epochSize, rank: 0, workers: 1 });
    await reader.next();
    return asked;
  } finally {
    await reader.close();
  }
}

/** Sums of the values of each minibatch, without randomization, where threads answer with zeros. */
async function sumsOf(file: string, count: number): Promise<number[]> {
  const real = readerThreads();
  const threads: ReaderThreads = {
    count,
    parseText: async (job) =>
      (await real.parseText(job))?.map((block) => ({ ...block, values: block.values.fill(0) })),
  };
  const reader = await createTextFormatReader(
    {
      file,
      elementType: "float",
      chunkSizeInBytes: 4_500_000,
      randomize: false,
      inputs: [{ name: "features", alias: "x", dimension: 200, storage: "dense" }],
    },
    { files: nodeFiles(folder), log: { write: () => undefined }, readerThreads: threads },
  );
  const sums: number[] = [];
  try {
    await reader.start({ epoch: 0, minibatchSize: 256, epochSize: 0, rank: 0, workers: 1 });
    for (let next = await reader.next(); next; next = await reader.next()) {
      const { data } = next.streams.get("features")!;
      let sum = 0;
      if (data.storage === "dense") for (const value of data.values) sum += value;
      sums.push(sum);
    }
  } finally {
    await reader.close();
  }
  return sums;
}

describe("chunks that other threads parse", () => {
  it.each([1, 3])("are the same as those parsed here (%i threads)", async (threads) => {
    writeData("clean.txt");
    const here = await readAll("clean.txt", undefined);
    const there = await readAll("clean.txt", readerThreads(threads));
    expect(here.minibatches.length).toBeGreaterThan(20);
    expect(there.minibatches).toEqual(here.minibatches);
    expect(there.asked).toBeGreaterThan(3);
    expect(there.answered).toBe(there.asked);
  });

  it("are parsed here when there is something to say, in the file's order", async () => {
    const spoil = (line: string, number: number): string =>
      number === 100 || number === 5000 ? `${line} |y 5:none` : line;
    writeData("spoiled.txt", spoil);
    const here = await readAll("spoiled.txt", undefined);
    const there = await readAll("spoiled.txt", readerThreads());
    expect(here.log).toContain("WARNING: Unexpected character");
    expect(there.log).toBe(here.log);
    expect(there.minibatches).toEqual(here.minibatches);
    expect(there.asked - there.answered).toBe(2);
  });

  it("are asked for one ahead in the file's order, but not beyond the epoch", async () => {
    writeData("ahead.txt");
    expect(await askedFirst("ahead.txt", 0)).toBe(2);
    expect(await askedFirst("ahead.txt", 512)).toBe(1);
  });

  it("are only those ahead where there is one thread", async () => {
    writeData("long.txt", undefined, 12_000);
    expect(await askedFirst("long.txt", 0, 1)).toBe(1);
    expect(await askedFirst("long.txt", 512, 1)).toBe(0);
  });

  it("are taken as they are when their turn comes", async () => {
    writeData("long.txt", undefined, 12_000);
    const [first, ...others] = await sumsOf("long.txt", 1);
    // The first chunk is parsed here, and the short last one; what the thread answers for the second has nothing but zeros.
    expect([first! > 0, Math.min(...others)]).toEqual([true, 0]);
  });

  it("are parsed here when threads cannot start", async () => {
    const clean = await readAll("clean.txt", undefined);
    const broken = readerThreadsOf(new URL("./no-such-module.js", import.meta.url));
    const read = await readAll("clean.txt", broken);
    expect(read.minibatches).toEqual(clean.minibatches);
    expect([read.asked > 0, read.answered]).toEqual([true, 0]);
  });
});

function readerThreadsOf(entry: URL): ReaderThreads {
  const pool = new ThreadPool<unknown, undefined>(entry);
  return { count: pool.threads, parseText: (job) => pool.run(job) };
}
