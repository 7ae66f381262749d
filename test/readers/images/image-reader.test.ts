import { deflateRawSync } from "node:zlib";
import { PNG } from "pngjs";
import { describe, expect, it } from "vitest";
import { shuffledChunks } from "../../../src/numerics/block-shuffle.js";
import { decodePure } from "../../../src/node/pure-pictures.js";
import type { PictureDecoder } from "../../../src/readers/index.js";
import { openReader, readEpoch, streamOf, valuesOf } from "../../support/read-epoch.js";

/** A picture whose pixel at (x, y) has red 10 x, green 10 y, blue `number`. */
function png(number: number, width = 4, height = 3): Uint8Array {
  const picture = new PNG({ width, height });
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) picture.data.set([10 * x, 10 * y, number, 255], 4 * (y * width + x));
  }
  return new Uint8Array(PNG.sync.write(picture));
}

const count = 12;
const names = Array.from({ length: count }, (_, i) => `images/${i}.png`);
const pictures = Object.fromEntries(names.map((name, i) => [name, png(i)]));
const map = names.map((name, i) => `${name}\t${i % 3}\n`).join("");

/** Blue of each sample of an epoch: which picture it is. Colours lie in planes, blue first. */
function blues(values: readonly number[], dimension: number): number[] {
  return Array.from({ length: values.length / dimension }, (_, i) => values[i * dimension] ?? -1);
}

function deserializer(transforms: string, rest = "", reader = ""): string {
  return `${reader}
    deserializers = ( [ type = ImageDeserializer ; module = ImageReader ; file = map.txt ${rest}
      input = [ x = [ transforms = ( ${transforms} ) ] ; y = [ labelDim = 3 ] ] ] )`;
}

describe("ImageReader", () => {
  const section = (features: string, rest = ""): string =>
    `readerType = ImageReader ; file = map.txt ; randomize = none ${rest}
     features = [ width = 4 ; height = 3 ; channels = 3 ${features} ] ; labels = [ labelDim = 3 ]`;
  it("delivers planes of blue, green and red, and sparse labels", async () => {
    const reader = await openReader({ "map.txt": map, ...pictures }, section(""));
    const [minibatch] = await readEpoch(reader, { minibatchSize: 2 });
    const planes = (number: number): number[] => [
      ...new Array<number>(12).fill(number),
      ...[0, 0, 0, 0, 10, 10, 10, 10, 20, 20, 20, 20],
      ...[0, 10, 20, 30, 0, 10, 20, 30, 0, 10, 20, 30],
    ];
    expect(valuesOf(minibatch, "features")).toEqual([...planes(0), ...planes(1)]);
    expect(streamOf(minibatch, "labels").data).toMatchObject({ rows: Int32Array.of(0, 1) });
    expect(streamOf(minibatch, "features").layout).toMatchObject({ rows: 2, steps: 1 });
  });
  it("pixel after pixel with mbFormat = nhwc", async () => {
    const reader = await openReader({ "map.txt": map, ...pictures }, section("; mbFormat = nhwc"));
    const [minibatch] = await readEpoch(reader, { minibatchSize: 1 });
    expect(valuesOf(minibatch, "features").slice(0, 6)).toEqual([0, 0, 0, 0, 0, 10]);
  });
  it("takes ten views of a picture", async () => {
    const crop = "; cropType = multiview10 ; cropSize = 4:3";
    const small = section(crop.replace("4:3", "2:2")).replace(
      "width = 4 ; height = 3",
      "width = 2 ; height = 2",
    );
    const reader = await openReader({ "map.txt": "images/0.png\t0\n", ...pictures }, small);
    const [minibatch] = await readEpoch(reader, { minibatchSize: 10 });
    // Red tells the column, green the row: upper left, upper right, lower left, lower right, centre; then mirrored.
    const views = Array.from({ length: 10 }, (_, i) =>
      valuesOf(minibatch, "features").slice(12 * i, 12 * i + 12),
    );
    expect(views.map((view) => [view[8], view[4]])).toEqual([
      ...[
        [0, 0],
        [20, 0],
        [0, 10],
        [20, 10],
        [10, 0],
      ],
      ...[
        [10, 0],
        [30, 0],
        [10, 10],
        [30, 10],
        [20, 0],
      ],
    ]);
  });
  it("subtracts a mean", async () => {
    const numbers = Array.from({ length: 36 }, (_, i) => i / 2).join(" ");
    const mean =
      `<?xml version="1.0"?>\n<opencv_storage>\n<Channel>3</Channel><Row>3</Row><Col>4</Col>\n` +
      `<MeanImg type_id="opencv-matrix"><rows>1</rows><cols>36</cols><dt>f</dt><data>${numbers}</data></MeanImg>\n</opencv_storage>\n`;
    const files = { "map.txt": map, ...pictures, "mean.xml": mean };
    const reader = await openReader(files, section("; mbFormat = nhwc ; meanFile = mean.xml"));
    const [minibatch] = await readEpoch(reader, { minibatchSize: 1 });
    expect(valuesOf(minibatch, "features").slice(0, 6)).toEqual([0, -0.5, -1, -1.5, -2, 10 - 2.5]);
  });
});

const randomCrop =
  "[ type = Crop ; cropType = randomSide ; sideRatio = 0.5:1 ; jitterType = uniRatio ] : [ type = Scale ; width = 3 ; height = 3 ; channels = 3 ] : [ type = Transpose ]";

describe("ImageDeserializer", () => {
  it("shuffles pictures as chunks, in the order of the sweep", async () => {
    const reader = await openReader({ "map.txt": map, ...pictures }, deserializer(randomCrop));
    for (const epoch of [0, 1]) {
      const values = (await readEpoch(reader, { epoch, minibatchSize: 5 })).flatMap((m) => valuesOf(m, "x"));
      expect(blues(values, 27)).toEqual([...shuffledChunks(count, epoch)]);
    }
  });
  it("crops the same whichever picture is decoded first", async () => {
    const late = (order: (call: number) => number): PictureDecoder => {
      let calls = 0;
      return {
        decode: async (bytes, grayscale) => {
          await new Promise((resolve) => setTimeout(resolve, order(calls++)));
          return decodePure(bytes, grayscale);
        },
        inflate: () => new Uint8Array(),
      };
    };
    const epochs = await Promise.all(
      [(call: number) => call, (call: number) => 20 - call, (call: number) => (call * 7) % 11].map(
        async (order) => {
          const files = { "map.txt": map, ...pictures };
          const reader = await openReader(files, deserializer(randomCrop), "", undefined, late(order));
          return (await readEpoch(reader, { minibatchSize: 4 })).map((minibatch) => valuesOf(minibatch, "x"));
        },
      ),
    );
    expect(epochs[1]).toEqual(epochs[0]);
    expect(epochs[2]).toEqual(epochs[0]);
    // The crops are not all alike: red tells which columns they have.
    const reds = epochs[0]?.flatMap((values) =>
      Array.from({ length: values.length / 27 }, (_, i) => values.slice(27 * i + 18, 27 * i + 21).join(" ")),
    );
    expect(new Set(reds).size).toBeGreaterThan(3);
  });
  it("deals pictures out to processes", async () => {
    const seen: number[] = [];
    for (const rank of [0, 1, 2]) {
      const reader = await openReader({ "map.txt": map, ...pictures }, deserializer(randomCrop));
      const minibatches = await readEpoch(reader, { minibatchSize: 6, rank, workers: 3 });
      seen.push(...minibatches.flatMap((m) => blues(valuesOf(m, "x"), 27)));
    }
    expect(seen.sort((a, b) => a - b)).toEqual(names.map((_, i) => i));
  });
  it("is joined with text by the numbers of lines", async () => {
    const text = names.map((_, i) => `${i} |t ${100 + i}\n`).join("");
    const section = `randomize = false
      deserializers = (
        [ type = ImageDeserializer ; module = ImageReader ; file = map.txt
          input = [ x = [ transforms = ( [ type = Scale ; width = 4 ; height = 3 ; channels = 3 ] : [ type = Transpose ] ) ] ; y = [ labelDim = 3 ] ] ] :
        [ type = CNTKTextFormatDeserializer ; module = CNTKTextFormatReader ; file = t.txt
          input = [ t = [ dim = 1 ; format = dense ] ] ] )`;
    const reader = await openReader({ "map.txt": map, "t.txt": text, ...pictures }, section);
    const [minibatch] = await readEpoch(reader, { minibatchSize: 3 });
    expect(blues(valuesOf(minibatch, "x"), 36)).toEqual([0, 1, 2]);
    expect(valuesOf(minibatch, "t")).toEqual([100, 101, 102]);
  });
  it("finds pictures in zip files and beside the map file", async () => {
    const entries = { "in/1.png": png(1), "in/2.png": png(2) };
    const lines = "lists/all.zip@/in/1.png\t0\nlists/all.zip@/in\\2.png\t1\n.../5.png\t2\n";
    const files = { "lists/all.zip": zip(entries), "lists/map.txt": lines, "lists/5.png": png(5) };
    const section = deserializer("[ type = Transpose ]", "", "randomize = false").replace(
      "map.txt",
      "lists/map.txt",
    );
    const reader = await openReader(files, section, "", undefined, {
      decode: async (bytes, grey) => decodePure(bytes, grey),
      inflate: inflated,
    });
    const [minibatch] = await readEpoch(reader, { minibatchSize: 3 });
    expect(blues(valuesOf(minibatch, "x"), 36)).toEqual([1, 2, 5]);
  });
});

describe("Base64ImageDeserializer", () => {
  const base64 = (number: number): string => Buffer.from(png(number)).toString("base64");
  const section = (maxErrors: number): string =>
    `randomize = false ; maxErrors = ${maxErrors}
     deserializers = ( [ type = Base64ImageDeserializer ; module = ImageReader ; file = map.txt
       input = [ x = [ transforms = ( [ type = Transpose ] ) ] ; y = [ labelDim = 3 ] ] ] )`;
  it("reads pictures out of lines", async () => {
    const text = `0\t${base64(7)}\n2\t${base64(9)} \n`;
    const reader = await openReader({ "map.txt": text }, section(0));
    const [minibatch] = await readEpoch(reader, { minibatchSize: 2 });
    expect(blues(valuesOf(minibatch, "x"), 36)).toEqual([7, 9]);
    expect(streamOf(minibatch, "y").data).toMatchObject({ rows: Int32Array.of(0, 2) });
  });
  it("leaves out what is no picture, as often as maxErrors says", async () => {
    const text = `4\t0\t${base64(7)}\n5\t1\tAAAA\n6\t1\tAA\n7\t2\t${base64(8)}\n`;
    let log = "";
    const reader = await openReader({ "map.txt": text }, section(2), "", (line) => (log += line));
    const minibatches = await readEpoch(reader, { minibatchSize: 4 });
    expect(minibatches.flatMap((m) => blues(valuesOf(m, "x"), 36))).toEqual([7, 8]);
    expect(log).toContain("WARNING: Could not decompress sequence with id '5'");
    expect(log).toContain("WARNING: Cannot decode sequence with id 6");
    const strict = await openReader({ "map.txt": text }, section(1), "", () => undefined);
    await expect(readEpoch(strict, { minibatchSize: 4 })).rejects.toThrow(
      "Number of invalid sequences '2' in the input exceeded the specified maximum number '1'",
    );
  });
});

function inflated(bytes: Uint8Array): Uint8Array {
  const [found] = Object.entries(packed).find(([, own]) => Buffer.from(own).equals(Buffer.from(bytes))) ?? [];
  return found === undefined ? new Uint8Array() : (unpacked[found] ?? new Uint8Array());
}

const packed: Record<string, Uint8Array> = {};
const unpacked: Record<string, Uint8Array> = {};

/** A zip file made by hand: the first entry stored, the others deflated. */
function zip(entries: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const pieces: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [i, [name, bytes]] of Object.entries(entries).entries()) {
    const method = i === 0 ? 0 : 8;
    const data = method === 0 ? bytes : new Uint8Array(deflateRawSync(bytes));
    packed[name] = data;
    unpacked[name] = bytes;
    const header = (signature: number, length: number, at: number): Buffer => {
      const buffer = Buffer.alloc(length);
      buffer.writeUInt32LE(signature, 0);
      buffer.writeUInt16LE(method, at);
      buffer.writeUInt32LE(data.length, at + 10);
      buffer.writeUInt32LE(bytes.length, at + 14);
      buffer.writeUInt16LE(name.length, at + 18);
      return buffer;
    };
    const local = header(0x04034b50, 30, 8);
    pieces.push(local, Buffer.from(name), Buffer.from(data));
    const central = header(0x02014b50, 46, 10);
    central.writeUInt32LE(offset, 42);
    directory.push(central, Buffer.from(name));
    offset += 30 + name.length + data.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return new Uint8Array(Buffer.concat([...pieces, central, end]));
}
