import { describe, expect, it } from "vitest";
import { openReader, readEpoch, streamOf, valuesOf } from "../../support/read-epoch.js";

interface FileForm {
  readonly littleEndian?: boolean;
  readonly compressed?: boolean;
  readonly kind?: number;
}

/** A file of features, written by the description in The HTK Book (section 5.10.1), not by what reads it. */
function htk(frames: readonly (readonly number[])[], form: FileForm = {}): Uint8Array {
  const { littleEndian = false, compressed = false, kind = 9 } = form;
  const dimension = frames[0]?.length ?? 0;
  const size = compressed ? 2 : 4;
  const view = new DataView(
    new ArrayBuffer(12 + (compressed ? 8 * dimension : 0) + frames.length * dimension * size),
  );
  view.setInt32(0, frames.length + (compressed ? 4 : 0), littleEndian);
  view.setInt32(4, 100000, littleEndian);
  view.setInt16(8, dimension * size, littleEndian);
  view.setInt16(10, kind | (compressed ? 0o2000 : 0), littleEndian);
  let at = 12;
  const put = (value: number): void => {
    view.setFloat32(at, value, littleEndian);
    at += 4;
  };
  if (compressed) {
    // Packed = value · 2 − 1.
    for (let i = 0; i < dimension; i++) put(2);
    for (let i = 0; i < dimension; i++) put(1);
  }
  for (const value of frames.flat()) {
    if (compressed) {
      view.setInt16(at, 2 * value - 1, littleEndian);
      at += 2;
    } else put(value);
  }
  return new Uint8Array(view.buffer);
}

/** Frames of two numbers: 10 · utterance + frame, and its negative. */
const frames = (utterance: number, count: number): number[][] =>
  Array.from({ length: count }, (_, t) => [10 * utterance + t, -(10 * utterance + t)]);

const files = {
  "a.fea": htk(frames(1, 3)),
  "b.fea": htk(frames(2, 2), { littleEndian: true }),
  "c.fea": htk(frames(3, 5), { compressed: true }),
  "list.scp": "data/a.mfc=a.fea[0,2]\ndata/b.mfc=b.fea[0,1]\ndata/c.mfc=c.fea[1,3]\n",
  "labels.mlf":
    '#!MLF!#\n"*/data/a.lab"\n0 1 s0\n1 3 s2\n.\n"data/b.lab"\n0 200000 s1\n.\n#!MLF!#\n"data/c.rec"\n0 3 s2\n.\n',
  "states.list": "s0\ns1\ns2\n",
};

const section = (rest = "", window = 1): string =>
  `readerType = HTKDeserializers ; ${rest}
   features = [ dim = 2 ; contextWindow = ${window} ; scpFile = list.scp ]
   labels = [ labelDim = 3 ; mlfFile = labels.mlf ; labelMappingFile = states.list ]`;

/** First numbers of a minibatch's samples. */
const firsts = (values: readonly number[], dimension: number): (number | undefined)[] =>
  Array.from({ length: values.length / dimension }, (_, i) => values[i * dimension]);

describe("HTK files", () => {
  it("of either byte order, compressed, and parts of them: frame by frame, in the order of the script", async () => {
    const reader = await openReader(files, section("readMethod = none"));
    const [first, second] = await readEpoch(reader, { minibatchSize: 6 });
    expect(firsts(valuesOf(first, "features"), 2)).toEqual([10, 11, 12, 20, 21, 31]);
    expect(firsts(valuesOf(second, "features"), 2)).toEqual([32, 33]);
    expect(streamOf(first, "labels").data).toMatchObject({ rows: Int32Array.of(0, 2, 2, 1, 1, 2) });
    expect(streamOf(first, "features").layout).toMatchObject({ rows: 6, steps: 1 });
  });
  it("with the frames beside each, which end at the utterance", async () => {
    const reader = await openReader(files, section("readMethod = none", 3));
    const [minibatch] = await readEpoch(reader, { minibatchSize: 3 });
    expect(valuesOf(minibatch, "features")).toEqual([
      ...[10, -10, 10, -10, 11, -11],
      ...[10, -10, 11, -11, 12, -12],
      ...[11, -11, 12, -12, 12, -12],
    ]);
  });
  it("the context follows from the dimension where nobody says it, and may be lopsided", async () => {
    const wide = section("readMethod = none").replace("dim = 2 ; contextWindow = 1", "dim = 6");
    const implied = await openReader(files, wide);
    const [three] = await readEpoch(implied, { minibatchSize: 1 });
    expect(valuesOf(three, "features")).toEqual([10, -10, 10, -10, 11, -11]);
    const left = section("readMethod = none").replace("contextWindow = 1", "contextWindow = 1:0");
    const [two] = await readEpoch(await openReader(files, left), { minibatchSize: 2 });
    expect(valuesOf(two, "features")).toEqual([10, -10, 10, -10, 10, -10, 11, -11]);
  });
  it("as whole utterances side by side", async () => {
    const reader = await openReader(files, section("readMethod = none ; frameMode = false"));
    const [minibatch] = await readEpoch(reader, { minibatchSize: 8 });
    const { layout } = streamOf(minibatch, "features");
    expect(layout.sequences.map(({ length }) => length)).toEqual([3, 2, 3]);
    expect(streamOf(minibatch, "labels").layout).toEqual(layout);
  });
  it("cut into pieces of minibatchSize steps the old way, nbruttsineachrecurrentiter at a time", async () => {
    let log = "";
    const options =
      "readMethod = none ; frameMode = false ; truncated = true ; nbruttsineachrecurrentiter = 2";
    const reader = await openReader(files, section(options), "", (text) => (log += text));
    const minibatches = await readEpoch(reader, { minibatchSize: 2 });
    expect(minibatches.map((m) => streamOf(m, "features").layout.rows)).toEqual([2, 2, 2]);
    // Row 0: a, then c; row 1: b. Column = step · 2 + row.
    const own = minibatches.map((m) => firsts(valuesOf(m, "features"), 2));
    expect(own[0]).toEqual([10, 20, 11, 21]);
    expect(own[1]?.[0]).toBe(12);
    expect(log).toContain("Legacy configuration is used for truncated BPTT mode");
  });
  it("shuffled: all frames once, each with its own label", async () => {
    const reader = await openReader(files, section());
    const minibatches = await readEpoch(reader, { minibatchSize: 3 });
    const pairs = minibatches.flatMap((m) => {
      const { data } = streamOf(m, "labels");
      const rows = data.storage === "sparse" ? [...data.rows] : [];
      return firsts(valuesOf(m, "features"), 2).map((value, i) => `${value} ${rows[i]}`);
    });
    const inOrder = ["10 0", "11 2", "12 2", "20 1", "21 1", "31 2", "32 2", "33 2"];
    expect([...pairs].sort()).toEqual(inOrder);
    expect(pairs).not.toEqual(inOrder);
  });
  it("features of idx files are bytes", async () => {
    const idx = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 5, 6, 7, 8);
    const own = { ...files, "x-ubyte": idx, "list.scp": "data/b.mfc=x-ubyte[0,1]\n" };
    const [minibatch] = await readEpoch(await openReader(own, section("readMethod = none")), {
      minibatchSize: 2,
    });
    expect(valuesOf(minibatch, "features")).toEqual([5, 6, 7, 8]);
  });
});

describe("deserializers of HTK", () => {
  const composite = (frameMode: boolean): string => `randomize = false ; frameMode = ${frameMode}
    deserializers = (
      [ type = HTKFeatureDeserializer ; module = HTKDeserializers ; input = [ features = [ dim = 2 ; scpFile = list.scp ] ] ] :
      [ type = HTKMLFDeserializer ; module = HTKDeserializers
        input = [ labels = [ dim = 3 ; mlfFile = labels.mlf ; labelMappingFile = states.list ] ] ] )`;
  it("are joined by the names of utterances", async () => {
    const labels = files["labels.mlf"].split('"data/c.rec"')[0] ?? "";
    const reader = await openReader({ ...files, "labels.mlf": labels }, composite(false));
    const [minibatch] = await readEpoch(reader, { minibatchSize: 10 });
    expect(streamOf(minibatch, "features").layout.sequences.map(({ length }) => length)).toEqual([3, 2]);
    expect(minibatch?.keys).toEqual(["data/a", "data/b"]);
  });
  it("frame by frame as well", async () => {
    const [minibatch] = await readEpoch(await openReader(files, composite(true)), { minibatchSize: 4 });
    expect(firsts(valuesOf(minibatch, "features"), 2)).toEqual([10, 11, 12, 20]);
    expect(streamOf(minibatch, "labels").data).toMatchObject({ rows: Int32Array.of(0, 2, 2, 1) });
  });
  it("leave out utterances whose labels have gaps, as often as maxErrors says", async () => {
    const gap = files["labels.mlf"].replace("1 3 s2", "2 3 s2");
    const lenient = composite(false).replace("randomize", "maxErrors = 1 ; randomize");
    let log = "";
    const reader = await openReader({ ...files, "labels.mlf": gap }, lenient, "", (text) => (log += text));
    const [minibatch] = await readEpoch(reader, { minibatchSize: 10 });
    expect(minibatch?.keys).toEqual(["data/b", "data/c"]);
    expect(log).toContain("Labels are not in the consecutive order MLF in label set for utterance 'data/a'");
    const strict = await openReader({ ...files, "labels.mlf": gap }, composite(false));
    await expect(readEpoch(strict, { minibatchSize: 10 })).rejects.toThrow("Number of invalid sequences '1'");
  });
  it("the first frame of a phone has the value 2 with phoneBoundaries", async () => {
    const marked = composite(false).replace("mlfFile", "phoneBoundaries = true ; mlfFile");
    const [minibatch] = await readEpoch(await openReader(files, marked), { minibatchSize: 3 });
    expect(streamOf(minibatch, "labels").data).toMatchObject({ values: Float32Array.of(2, 2, 1) });
  });
});
