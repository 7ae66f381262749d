import { describe, expect, it } from "vitest";
import type {
  Minibatch,
  Reader,
  StreamMinibatch,
  TextFormatOptions,
  TextInput,
} from "../../src/readers/index.js";
import { createTextFormatReader, TextFormatDeserializer } from "../../src/readers/index.js";
import { memoryFiles } from "../support/memory-files.js";

const dense: TextInput = { name: "a", alias: "a", dimension: 1, storage: "dense" };
const wide: TextInput = { name: "b", alias: "b", dimension: 2, storage: "dense" };
const sparse: TextInput = { name: "s", alias: "s", dimension: 10, storage: "sparse" };

async function readerOf(text: string, options: Partial<TextFormatOptions> = {}) {
  return createTextFormatReader(...request(text, options));
}

function request(text: string, options: Partial<TextFormatOptions>) {
  const files = memoryFiles(new Map([["/data.txt", text]]));
  const log = { write: () => {} };
  const all: TextFormatOptions = { file: "data.txt", elementType: "float", inputs: [dense], ...options };
  return [all, { files, log }] as const;
}

/** First sequences of the chunks of a text. */
function chunksOf(text: string, options: Partial<TextFormatOptions>): number[] {
  return [...new TextFormatDeserializer(...request(text, options)).index.firstSequences];
}

/** Values of a dense stream. */
function valuesOf(stream: StreamMinibatch | undefined): number[] {
  if (stream?.data.storage !== "dense") throw new Error("no dense stream");
  return [...stream.data.values];
}

/** Values of stream `a` of all minibatches of an epoch. */
async function epochOf(
  reader: Reader,
  epoch: number,
  minibatchSize: number,
  epochSize = 0,
): Promise<number[][]> {
  await reader.start({ epoch, minibatchSize, epochSize, rank: 0, workers: 1 });
  const minibatches: number[][] = [];
  for (let minibatch = await reader.next(); minibatch; minibatch = await reader.next()) {
    minibatches.push(valuesOf(minibatch.streams.get("a")));
  }
  return minibatches;
}

const lines = (count: number) => Array.from({ length: count }, (_, i) => `|a ${i}\n`).join("");
const order = (text: string) => text.split(" ").map(Number);

/** Orders of CNTK's block randomizer. */
describe("the order of samples", () => {
  it("is CNTK's, sweep by sweep", async () => {
    const reader = await readerOf(lines(10));
    expect(await epochOf(reader, 0, 10)).toEqual([order("4 7 3 9 1 2 8 6 5 0")]);
    expect(await epochOf(reader, 1, 10)).toEqual([order("1 2 8 6 5 7 0 9 3 4")]);
    expect(await epochOf(reader, 2, 10)).toEqual([order("8 5 7 3 6 4 9 1 0 2")]);
    expect(await epochOf(reader, 0, 10)).toEqual([order("4 7 3 9 1 2 8 6 5 0")]);
  });

  it("starts with another seed when told so", async () => {
    expect(await epochOf(await readerOf(lines(10), { randomizationSeed: 2 }), 0, 10)).toEqual([
      order("8 5 7 3 6 4 9 1 0 2"),
    ]);
  });

  // Six chunks of four lines of 6 bytes; one digit less in the first ten lines, made up by a blank.
  const chunked = Array.from({ length: 24 }, (_, i) => `|a ${String(i).padStart(2, " ")}\n`).join("");

  it.each([
    [{}, "6 14 23 1 19 18 11 10 9 21 13 15 22 4 16 20 12 3 0 8 5 17 2 7"],
    [{ randomizationWindow: 2 }, "9 14 15 12 8 13 11 10 6 7 5 4 2 3 0 1 19 16 17 18 21 20 22 23"],
    [
      { randomizationWindow: 10, sampleBasedRandomizationWindow: true },
      "14 12 13 15 8 10 9 11 7 5 4 6 1 3 0 2 19 16 17 18 20 22 23 21",
    ],
    [{ randomize: false }, Array.from({ length: 24 }, (_, i) => i).join(" ")],
    [{ randomizationWindow: 0 }, Array.from({ length: 24 }, (_, i) => i).join(" ")],
  ])("of six chunks with %j", async (options, expected) => {
    const reader = await readerOf(chunked, { chunkSizeInBytes: 24, ...options });
    expect(chunksOf(chunked, { chunkSizeInBytes: 24, ...options })).toEqual([0, 4, 8, 12, 16, 20, 24]);
    expect((await epochOf(reader, 0, 5)).flat()).toEqual(order(expected));
    // Going back reads released chunks again.
    expect((await epochOf(reader, 0, 7)).flat()).toEqual(order(expected));
  });

  it("shuffles without the seed when it goes back behind released chunks", async () => {
    const options = { chunkSizeInBytes: 24, randomizationWindow: 2, randomizationSeed: 3 };
    const reader = await readerOf(chunked, options);
    const first = (await epochOf(reader, 0, 5)).flat();
    const second = (await epochOf(reader, 0, 5)).flat();
    expect(second).not.toEqual(first);
    expect(second.toSorted((x, y) => x - y)).toEqual(first.toSorted((x, y) => x - y));
    expect((await epochOf(await readerOf(chunked, options), 0, 5)).flat()).toEqual(first);
  });

  it("puts sequences larger than a chunk into chunks of their own", () => {
    const text = "|a 1\n|a 2 |a 3 |a 4\n|a 5\n|a 6\n";
    expect(chunksOf(text, { chunkSizeInBytes: 10, maxErrors: 9 })).toEqual([0, 1, 2, 4]);
  });
});

describe("minibatches", () => {
  it("end at the end of a sweep and of an epoch", async () => {
    const reader = await readerOf(lines(10), { randomize: false });
    const sizes = (await epochOf(reader, 0, 4, 20)).map(({ length }) => length);
    expect(sizes).toEqual([4, 4, 2, 4, 4, 2]);
    expect(await epochOf(reader, 0, 4, 6)).toEqual([
      [0, 1, 2, 3],
      [4, 5],
    ]);
    expect(await epochOf(reader, 1, 4, 6)).toEqual([
      [6, 7, 8, 9],
      [0, 1],
    ]);
    expect((await epochOf(reader, 2, 4, 6))[0]).toEqual([2, 3, 4, 5]);
  });

  it("cut randomized sweeps alike", async () => {
    const reader = await readerOf(lines(10));
    const whole = [...(await epochOf(reader, 0, 10)).flat(), ...(await epochOf(reader, 1, 10)).flat()];
    const pieces: number[] = [];
    for (const epoch of [0, 1, 2]) pieces.push(...(await epochOf(reader, epoch, 4, 6)).flat());
    expect(pieces).toEqual(whole.slice(0, 18));
  });

  const sequences = "1 |a 1\n1 |a 2\n1 |a 3\n2 |a 4\n3 |a 5\n3 |a 6\n4 |a 7\n";

  it("take sequences whole, the first always, none that does not fit any more", async () => {
    const reader = await readerOf(sequences, { randomize: false });
    const rows = (minibatch: Minibatch | undefined) => minibatch?.streams.get("a")?.layout.sequences.length;
    await reader.start({ epoch: 0, minibatchSize: 2, epochSize: 0, rank: 0, workers: 1 });
    expect([
      rows(await reader.next()),
      rows(await reader.next()),
      rows(await reader.next()),
      rows(await reader.next()),
    ]).toEqual([1, 1, 1, 1]);
    expect(await reader.next()).toBeUndefined();
    await reader.start({ epoch: 0, minibatchSize: 4, epochSize: 0, rank: 0, workers: 1 });
    expect([rows(await reader.next()), rows(await reader.next()), await reader.next()]).toEqual([
      2,
      2,
      undefined,
    ]);
  });

  it("finish a sequence that an epoch has begun, and start the next epoch behind it", async () => {
    const reader = await readerOf(sequences, { randomize: false });
    // The second minibatch holds `4` beside `5 6`, and a gap.
    expect((await epochOf(reader, 0, 3, 5)).map((values) => values.length)).toEqual([3, 4]);
    expect((await epochOf(reader, 1, 3, 5))[0]).toEqual([7]);
  });

  it("lay sequences out side by side, time by time, gaps zero", async () => {
    const reader = await readerOf(sequences, { randomize: false });
    await reader.start({ epoch: 0, minibatchSize: 10, epochSize: 0, rank: 0, workers: 1 });
    const minibatch = await reader.next();
    const stream = minibatch?.streams.get("a");
    // 1 2 3 / 4 5 6 / 7 _ _: the third sequence fits behind the second.
    expect(stream?.layout).toEqual({
      rows: 3,
      steps: 3,
      sequences: [
        { row: 0, begin: 0, length: 3, sequence: 0 },
        { row: 1, begin: 0, length: 1, sequence: 1 },
        { row: 1, begin: 1, length: 2, sequence: 2 },
        { row: 2, begin: 0, length: 1, sequence: 3 },
      ],
    });
    expect(valuesOf(stream)).toEqual([1, 4, 7, 2, 5, 0, 3, 6, 0]);
    expect(minibatch?.columns).toBe(9);
  });

  it("give every stream its own layout where lengths differ, and share it where they do not", async () => {
    const text = "1 |a 1 |b 1 2 |s 3:4\n1 |a 2 |s\n2 |a 3 |b 3 4 |s 0:1 9:2\n";
    const reader = await readerOf(text, { randomize: false, inputs: [dense, wide, sparse] });
    await reader.start({ epoch: 0, minibatchSize: 10, epochSize: 0, rank: 0, workers: 1 });
    const minibatch = await reader.next();
    const [a, b, s] = ["a", "b", "s"].map((name) => minibatch?.streams.get(name));
    expect([a?.layout.rows, a?.layout.steps, b?.layout.rows, b?.layout.steps]).toEqual([2, 2, 2, 1]);
    expect(valuesOf(a)).toEqual([1, 3, 2, 0]);
    expect(valuesOf(b)).toEqual([1, 2, 3, 4]);
    expect(s?.layout).toEqual(a?.layout);
    if (s?.data.storage !== "sparse") throw new Error("no sparse stream");
    expect([...s.data.columnStarts]).toEqual([0, 1, 3, 3, 3]);
    expect([...s.data.rows]).toEqual([3, 0, 9]);
    expect([...s.data.values]).toEqual([4, 1, 2]);
  });

  it("have one time step in frame mode, which refuses longer sequences", async () => {
    const frames = await readerOf(lines(3), { randomize: false, frameMode: true });
    await frames.start({ epoch: 0, minibatchSize: 10, epochSize: 0, rank: 0, workers: 1 });
    expect((await frames.next())?.streams.get("a")?.layout).toMatchObject({ rows: 3, steps: 1 });
    const longer = await readerOf(sequences, { randomize: false, frameMode: true });
    await longer.start({ epoch: 0, minibatchSize: 10, epochSize: 0, rank: 0, workers: 1 });
    await expect(longer.next()).rejects.toThrow("Detected a non-frame sequence of size 3 in frame mode.");
  });

  it("keep doubles exact and floats rounded, whatever mix of numbers a chunk holds", async () => {
    const text = "|a 255\n|a 0.1\n|a 256\n|a -0\n|a 1e-3\n";
    const expected = [255, 0.1, 256, -0, 1e-3];
    for (const elementType of ["float", "double"] as const) {
      const reader = await readerOf(text, { randomize: false, elementType });
      const round = elementType === "float" ? Math.fround : (x: number) => x;
      expect(await epochOf(reader, 0, 5)).toEqual([expected.map(round)]);
    }
  });
});
