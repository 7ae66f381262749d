import { describe, expect, it } from "vitest";
import { shuffledChunks } from "../../src/numerics/index.js";
import { openReader, readEpoch, valuesOf } from "../support/read-epoch.js";

const input = "input = [ a = [ dim = 1 ; format = dense ] ]";
const plain = `file = d.ctf ; ${input}`;
const composite = `deserializers = ( [ type = CNTKTextFormatDeserializer ; module = CNTKTextFormatReader ; ${plain} ; chunkSizeInBytes = 24 ] )`;
/** Ten lines of six bytes. */
const ten = Array.from({ length: 10 }, (_, i) => `|a  ${i}\n`).join("");
/** Six chunks of four lines of six bytes. */
const chunked = Array.from({ length: 24 }, (_, i) => `|a ${String(i).padStart(2, " ")}\n`).join("");

/** Values that one of several workers gets in an epoch, minibatch by minibatch. */
async function shareOf(
  text: string,
  options: string,
  request: { rank: number; workers: number; minibatchSize: number; epoch?: number; epochSize?: number },
): Promise<number[][]> {
  const reader = await openReader({ "d.ctf": text }, options);
  return (await readEpoch(reader, request)).map((minibatch) => valuesOf(minibatch, "a"));
}

describe("several workers without randomization", () => {
  it("take every n-th sequence of minibatches that are cut for all together", async () => {
    const of = (rank: number) =>
      shareOf(ten, `${plain} ; randomize = false`, { rank, workers: 2, minibatchSize: 4 });
    expect(await of(0)).toEqual([[0, 2], [4, 6], [8]]);
    expect(await of(1)).toEqual([[1, 3], [5, 7], [9]]);
  });

  it("count their own samples in a reader made of deserializers", async () => {
    const of = (rank: number) =>
      shareOf(ten, `${composite} ; randomize = false`, { rank, workers: 3, minibatchSize: 4 });
    // 4 samples for 3 workers: 2, 1, 1.
    expect(await of(0)).toEqual([
      [0, 3],
      [6, 9],
    ]);
    expect(await of(1)).toEqual([[1], [4], [7]]);
    expect(await of(2)).toEqual([[2], [5], [8]]);
  });

  it("get at least a sample each", async () => {
    let log = "";
    const reader = await openReader(
      { "d.ctf": ten },
      `${composite} ; randomize = false`,
      "",
      (line) => (log += line),
    );
    const minibatches = await readEpoch(reader, { rank: 1, workers: 2, minibatchSize: 1 });
    expect(minibatches.map((minibatch) => valuesOf(minibatch, "a"))).toEqual([[1], [3], [5], [7], [9]]);
    expect(log).toBe(
      "WARNING: The minibatch size '1' is too small to be used with 2 workers, adjusting to minibatch size of 1 sample per worker\n",
    );
  });
});

describe("several workers with randomization", () => {
  it("take the sequences of every n-th chunk of the sweep", async () => {
    // CNTK's order for one worker, and its order of chunks.
    const all = "6 14 23 1 19 18 11 10 9 21 13 15 22 4 16 20 12 3 0 8 5 17 2 7".split(" ").map(Number);
    const order = shuffledChunks(6, 0);
    for (const rank of [0, 1, 2]) {
      const share = await shareOf(chunked, `${plain} ; chunkSizeInBytes = 24`, {
        rank,
        workers: 3,
        minibatchSize: 5,
      });
      expect(share.flat()).toEqual(all.filter((value) => order.indexOf(Math.floor(value / 4)) % 3 === rank));
    }
  });

  it("share out everything, epoch by epoch, over the end of a sweep", async () => {
    for (const options of [
      `${plain} ; chunkSizeInBytes = 24`,
      composite,
      `${composite} ; randomizationWindow = 9`,
    ]) {
      for (const epoch of [0, 1]) {
        const request = { workers: 2, minibatchSize: 5, epoch, epochSize: 36 };
        const shares = await Promise.all(
          [0, 1].map((rank) => shareOf(chunked, options, { ...request, rank })),
        );
        const alone = await shareOf(chunked, options, { ...request, rank: 0, workers: 1 });
        const sorted = (values: number[]) => values.toSorted((x, y) => x - y);
        expect(sorted(shares.flat(2))).toEqual(sorted(alone.flat()));
      }
    }
  });
});
