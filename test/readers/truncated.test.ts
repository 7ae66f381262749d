import { describe, expect, it } from "vitest";
import { realSamples } from "../../src/minibatch/index.js";
import { openReader, readEpoch, streamOf, valuesOf } from "../support/read-epoch.js";

/** Sequences of the given lengths; the value of a frame is 10 times its sequence plus its number in it. */
function sequencesOf(lengths: readonly number[]): string {
  return lengths
    .flatMap((length, s) =>
      Array.from({ length }, (_, t) => `${s} |x ${10 * s + t} |w ${t}:${s + 1} ${t}:${s + 2}\n`),
    )
    .join("");
}

const input = "input = [ x = [ dim = 1 ; format = dense ] ; w = [ dim = 7 ; format = sparse ] ]";
const deserializer = `[ type = CNTKTextFormatDeserializer ; module = CNTKTextFormatReader ; file = d.ctf ; ${input} ]`;
const truncated = (options: string) => `truncated = true ; ${options} ; deserializers = ( ${deserializer} )`;

describe("truncated sequences", () => {
  /**
   * 2 slots of 3 steps. Slot 0 takes the sequence of 5, more than it needs; slot 1 those of 2 and of 4. Then the first has
   * 2 frames left and a gap, the second 3.
   */
  it("go on in the same row of the next minibatch", async () => {
    const reader = await openReader(
      { "d.ctf": sequencesOf([5, 2, 4]) },
      truncated("truncationLength = 3 ; randomize = false"),
    );
    const [first, second, ...others] = await readEpoch(reader, { minibatchSize: 7 });
    expect(others).toEqual([]);
    expect(streamOf(first, "x").layout).toEqual({
      rows: 2,
      steps: 3,
      sequences: [
        { sequence: 0, row: 0, begin: 0, length: 5 },
        { sequence: 1, row: 1, begin: 0, length: 2 },
        { sequence: 2, row: 1, begin: 2, length: 4 },
      ],
    });
    expect(valuesOf(first, "x")).toEqual([0, 10, 1, 11, 2, 20]);
    expect(first?.keys).toEqual(["0", "1", "2"]);
    expect(streamOf(second, "x").layout).toEqual({
      rows: 2,
      steps: 3,
      sequences: [
        { sequence: 0, row: 0, begin: -3, length: 5 },
        { sequence: 1, row: 1, begin: -1, length: 4 },
      ],
    });
    expect(valuesOf(second, "x")).toEqual([3, 21, 4, 22, 0, 23]);
    expect([first?.columns, second?.columns]).toEqual([6, 6]);
    expect(second && realSamples(second)).toBe(5);
  });

  it("come out densely, of a row named twice the last value", async () => {
    const reader = await openReader(
      { "d.ctf": sequencesOf([2]) },
      truncated("truncationLength = 2 ; randomize = false"),
    );
    const [minibatch] = await readEpoch(reader, { minibatchSize: 2 });
    expect(valuesOf(minibatch, "w")).toEqual([2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0]);
    expect(reader.streams.map(({ storage }) => storage)).toEqual(["dense", "dense"]);
  });

  /**
   * Recorded from CNTK 2.0: samples of each minibatch of three epochs, 60 sequences of these lengths, randomized, minibatches
   * of 30 samples in pieces of 3.
   */
  it("are as many in each minibatch as in CNTK", async () => {
    const lengths =
      "3 1 2 6 2 4 1 1 3 4 1 5 3 3 3 4 2 2 1 7 2 5 7 1 4 5 3 5 6 1 7 4 2 1 4 4 2 7 5 1 3 4 2 7 1 4 3 4 2 1 4 1 3 7 1 4 3 7 3 6";
    const reader = await openReader(
      { "d.ctf": sequencesOf(lengths.split(" ").map(Number)) },
      truncated("truncationLength = 3"),
    );
    const samples: number[][] = [];
    for (const epoch of [0, 1, 2]) {
      const minibatches = await readEpoch(reader, { epoch, minibatchSize: 30 });
      expect(minibatches.every(({ columns }) => columns === 30)).toBe(true);
      samples.push(minibatches.map(realSamples));
    }
    expect(samples).toEqual([
      [30, 30, 30, 30, 30, 30, 21, 3],
      [30, 30, 30, 30, 30, 27, 17, 8, 2],
      [30, 30, 30, 30, 30, 29, 20, 5],
    ]);
  });

  it("are shared out by slots among workers", async () => {
    const text = sequencesOf([3, 3, 3, 3, 3]);
    const reader = await openReader({ "d.ctf": text }, truncated("truncationLength = 3 ; randomize = false"));
    const of = async (rank: number) =>
      (await readEpoch(reader, { minibatchSize: 9, rank, workers: 2 })).map((m) => valuesOf(m, "x"));
    // Three slots: two for the first worker, which has the sequences 0, 2, 4; one for the second, with 1 and 3.
    expect(await of(0)).toEqual([
      [0, 40, 1, 41, 2, 42],
      [20, 0, 21, 0, 22, 0],
    ]);
    expect(await of(1)).toEqual([
      [10, 11, 12],
      [30, 31, 32],
    ]);
    await expect(
      reader.start({ epoch: 0, minibatchSize: 3, epochSize: 0, rank: 0, workers: 2 }),
    ).rejects.toThrow(
      "Too many workers for minibatch size; please increase minibatch size or decrease number of workers.",
    );
  });

  it("must be equally long in all streams", async () => {
    const reader = await openReader(
      { "d.ctf": "0 |x 1 |w 1:1\n0 |x 1\n" },
      truncated("truncationLength = 2"),
    );
    await expect(readEpoch(reader, { minibatchSize: 2 })).rejects.toThrow(
      "For BPTT sequences between different input stream should have the same length.",
    );
  });

  it("are whole for the action write, and exclude frames", async () => {
    const files = { "d.ctf": sequencesOf([5, 2]) };
    const reader = await openReader(files, truncated("randomize = None"), "action = write");
    const [minibatch] = await readEpoch(reader, { minibatchSize: 10 });
    expect(streamOf(minibatch, "x").layout).toMatchObject({ rows: 2, steps: 5 });
    await expect(openReader(files, truncated("frameMode = true"))).rejects.toThrow(
      "frameMode and truncated BPTT are mutually exclusive.",
    );
    await expect(openReader(files, truncated("randomize = true"))).rejects.toThrow(
      "Truncation length cannot be 0.",
    );
  });
});
