import { createHash } from "node:crypto";
import { PNG } from "pngjs";
import { describe, expect, it } from "vitest";
import { convertData } from "../../src/index.js";
import { memoryFiles } from "../support/memory-files.js";
import { openReader, readEpoch, valuesOf } from "../support/read-epoch.js";

/** What a conversion writes. */
async function converted(
  files: Readonly<Record<string, string | Uint8Array>>,
  kind: string,
  source: string,
  options: Parameters<typeof convertData>[3] = {},
): Promise<Map<string, string | Uint8Array>> {
  const contents = new Map(Object.entries(files).map(([name, content]) => [`/${name}`, content]));
  await convertData(kind, source, "out", {
    files: memoryFiles(contents),
    log: { write: () => {} },
    ...options,
  });
  return contents;
}

const bytesOf = (contents: Map<string, string | Uint8Array>, name = "/out"): Uint8Array => {
  const found = contents.get(name);
  return typeof found === "string" || found === undefined ? new TextEncoder().encode(found ?? "") : found;
};
const textOf = (contents: Map<string, string | Uint8Array>, name = "/out"): string =>
  new TextDecoder().decode(bytesOf(contents, name));

const text = "0 |x 1 2.5 |s 3:1 1:-2\n0 |x -0.125 4 |s\n1 |x 1e-3 0 |s 0:7\n|# a comment\n".replace(
  "|# a comment\n",
  "",
);
const streams = "features x dense 2, labels s sparse 4";

describe("text to binary", () => {
  it("has the bytes that ctf2bin's description asks for", async () => {
    const written = bytesOf(await converted({ "in.txt": text }, "text-to-binary", "in.txt", { streams }));
    // By hand from Scripts/ctf2bin.py: magic, version; chunk: lengths, dense, sparse by rows; header; its offset.
    const parts: Buffer[] = [];
    const u4 = (...values: number[]): void =>
      values.forEach((value) => void parts.push(Buffer.from(Uint32Array.of(value).buffer)));
    const f4 = (...values: number[]): void =>
      values.forEach((value) => void parts.push(Buffer.from(Float32Array.of(value).buffer)));
    const magic = Buffer.from("nib_ktnc");
    parts.push(magic);
    u4(1);
    u4(2, 1);
    u4(2);
    f4(1, 2.5, -0.125, 4);
    u4(1);
    f4(1e-3, 0);
    u4(2, 2);
    f4(-2, 1);
    u4(1, 3, 2, 0);
    u4(1, 1);
    f4(7);
    u4(0, 1);
    const header = Buffer.concat(parts).length;
    parts.push(magic);
    u4(1, 2);
    parts.push(Buffer.of(0));
    u4(8);
    parts.push(Buffer.from("features"), Buffer.of(0));
    u4(2);
    parts.push(Buffer.of(1));
    u4(6);
    parts.push(Buffer.from("labels"), Buffer.of(0));
    u4(4);
    parts.push(Buffer.from(BigInt64Array.of(12n).buffer));
    u4(2, 3);
    parts.push(Buffer.from(BigInt64Array.of(BigInt(header)).buffer));
    expect(Buffer.from(written)).toEqual(Buffer.concat(parts));
  });
  it("and back gives a text that reads the same, in float and double", async () => {
    for (const precision of ["float", "double"]) {
      const binary = bytesOf(
        await converted({ "in.txt": text }, "text-to-binary", "in.txt", { streams, precision }),
      );
      const back = textOf(await converted({ "in.bin": binary }, "binary-to-text", "in.bin", { precision }));
      const expected =
        "0 |features 1 2.5 |labels 1:-2 3:1\n0 |features -0.125 4 |labels\n1 |features 0.001 0 |labels 0:7\n";
      expect(back).toBe(expected);
      const again = await converted({ "in.txt": back }, "text-to-binary", "in.txt", {
        streams: "features dense 2, labels sparse 4",
        precision,
      });
      expect(createHash("sha1").update(bytesOf(again)).digest()).toEqual(
        createHash("sha1").update(binary).digest(),
      );
    }
  });
  it("in chunks of the size that is asked for, which CNTKBinaryReader reads", async () => {
    const lines = Array.from({ length: 50 }, (_, i) => `|x ${i} ${2 * i} |s ${i % 4}:1\n`).join("");
    const options = { streams, chunkSize: 64 };
    const binary = bytesOf(await converted({ "in.txt": lines }, "text-to-binary", "in.txt", options));
    const reader = await openReader(
      { "in.bin": binary },
      "readerType = CNTKBinaryReader ; file = in.bin ; randomize = false",
    );
    const values = (await readEpoch(reader, { minibatchSize: 7 })).flatMap((m) => valuesOf(m, "features"));
    expect(values).toEqual(Array.from({ length: 50 }, (_, i) => [i, 2 * i]).flat());
  });
  it("header files are ctf2bin's", async () => {
    const header = "features x dense 2\nlabels s sparse 4\n";
    const byFile = await converted({ "in.txt": text, h: header }, "text-to-binary", "in.txt", {
      header: "h",
    });
    const byOption = await converted({ "in.txt": text }, "text-to-binary", "in.txt", { streams });
    expect(bytesOf(byFile)).toEqual(bytesOf(byOption));
  });
});

it("columns to text", async () => {
  const table = "2,0.5,1\n\n0 , 7,-1\n";
  const labels = { labels: "0:1", features: "1:2" };
  expect(textOf(await converted({ t: table }, "columns-to-text", "t", { ...labels, classes: 3 }))).toBe(
    "|labels 0 0 1 |features 0.5 1\n|labels 1 0 0 |features 7 -1\n",
  );
  expect(textOf(await converted({ t: table }, "columns-to-text", "t", labels))).toBe(
    "|labels 2 |features 0.5 1\n|labels 0 |features 7 -1\n",
  );
});

it("idx to text", async () => {
  const pixels = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 5, 6, 7, 255);
  const labels = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 1, 0);
  const files = { i: pixels, l: labels };
  expect(textOf(await converted(files, "idx-to-text", "i", { labels: "l", classes: 2 }))).toBe(
    "|labels 0 1 |features 5 6\n|labels 1 0 |features 7 255\n",
  );
  expect(textOf(await converted(files, "idx-to-text", "i"))).toBe("|features 5 6\n|features 7 255\n");
});

it("folders of pictures to a map file, which image readers read", async () => {
  const png = (value: number): Uint8Array => {
    const picture = new PNG({ width: 1, height: 1 });
    picture.data.fill(value);
    return new Uint8Array(PNG.sync.write(picture));
  };
  const files = {
    "p/dogs/2.png": png(2),
    "p/dogs/1.PNG": png(1),
    "p/cats/3.png": png(3),
    "p/cats/note.txt": "no",
  };
  const contents = await converted(files, "images-to-map", "p");
  expect(textOf(contents)).toBe("/p/cats/3.png\t0\n/p/dogs/1.PNG\t1\n/p/dogs/2.png\t1\n");
  expect(textOf(contents, "/out.classes")).toBe("cats\ndogs\n");
  const reader = await openReader(
    { ...files, "map.txt": textOf(contents) },
    "readerType = ImageReader ; file = map.txt ; randomize = none ; features = [ width = 1 ; height = 1 ; channels = 3 ] ; labels = [ labelDim = 2 ]",
  );
  const [minibatch] = await readEpoch(reader, { minibatchSize: 3 });
  expect(valuesOf(minibatch, "features")).toEqual([3, 3, 3, 1, 1, 1, 2, 2, 2]);
});

it("says how far it is", async () => {
  const lines = Array.from({ length: 20 }, (_, i) => `|x ${i} 0 |s 0:1\n`).join("");
  const shares: number[] = [];
  await converted({ "in.txt": lines }, "text-to-binary", "in.txt", {
    ...{ streams, chunkSize: 40 },
    onProgress: (share) => void shares.push(share),
  });
  expect(shares.length).toBeGreaterThan(5);
  expect(shares.at(-1)).toBe(1);
});
