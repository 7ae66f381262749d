import { describe, expect, it } from "vitest";
import { renderPlace } from "../../src/diagnostics/render.js";
import { openReader, readEpoch, streamOf, valuesOf } from "../support/read-epoch.js";
import { rejectionOf } from "../support/problem-of.js";

const text = (file: string, input: string, more = "") =>
  `[ type = CNTKTextFormatDeserializer ; module = CNTKTextFormatReader ; file = ${file} ; input = [ ${input} ] ${more} ]`;
const dense = (name: string, more = "") => `${name} = [ dim = 1 ; format = dense ${more} ]`;
const both = `deserializers = ( ${text("a.ctf", dense("a"))} : ${text("b.ctf", dense("b"))} )`;

const files = {
  // Keys 7, 3, 12, 5; the second file has them in another order, lacks 12 and has one more.
  "a.ctf": "7 |a 1\n7 |a 2\n3 |a 3\n12 |a 4\n5 |a 5\n",
  "b.ctf": "5 |b 50\n5 |b 51\n5 |b 52\n9 |b 90\n7 |b 70\n3 |b 30\n",
};

describe("deserializers", () => {
  it("are joined by the keys of sequences, in the order of the first one", async () => {
    const reader = await openReader(files, `${both} ; randomize = false`);
    // 7 has two samples, 3 one, 5 three (in the second file): minibatches of at most three samples.
    const minibatches = await readEpoch(reader, { minibatchSize: 3 });
    expect(minibatches.map(({ keys }) => keys)).toEqual([["7", "3"], ["5"]]);
    expect(minibatches.map((minibatch) => valuesOf(minibatch, "a"))).toEqual([[1, 3, 2, 0], [5]]);
    expect(minibatches.map((minibatch) => valuesOf(minibatch, "b"))).toEqual([
      [70, 30],
      [50, 51, 52],
    ]);
    expect(reader.sweepSamples).toBe(6);
    expect(reader.streams.map(({ name }) => name)).toEqual(["a", "b"]);
  });

  it("count the samples of the stream that defines the size of minibatches", async () => {
    const deserializers = `deserializers = ( ${text("a.ctf", dense("a", "; definesMBSize = true"))} : ${text("b.ctf", dense("b"))} )`;
    const reader = await openReader(files, `${deserializers} ; randomize = false`);
    expect(reader.sweepSamples).toBe(4);
    expect((await readEpoch(reader, { minibatchSize: 4 })).map(({ keys }) => keys)).toEqual([
      ["7", "3", "5"],
    ]);
  });

  it("join lines without numbers by their place, and the first of several sequences with one key", async () => {
    const reader = await openReader(
      { "a.ctf": "|a 1\n|a 2\n|a 3\n", "b.ctf": "2 |b 20\n0 |b 10\n2 |b 21\n" },
      `${both} ; randomize = false`,
    );
    const [minibatch] = await readEpoch(reader, { minibatchSize: 9 });
    expect([valuesOf(minibatch, "a"), valuesOf(minibatch, "b")]).toEqual([
      [1, 3],
      [10, 20],
    ]);
  });

  it("are mixed in chunks of the first one, and read the others' chunks as needed", async () => {
    const lines = (name: string, keys: number[]) => keys.map((k) => `${k} |${name} ${k}\n`).join("");
    const keys = Array.from({ length: 40 }, (_, i) => i + 10);
    const reader = await openReader(
      { "a.ctf": lines("a", keys), "b.ctf": lines("b", keys.toReversed()) },
      `randomizationWindow = 3 ; sampleBasedRandomizationWindow = false ; deserializers = (
         ${text("a.ctf", dense("a"), "; chunkSizeInBytes = 40")} : ${text("b.ctf", dense("b"), "; chunkSizeInBytes = 32")} )`,
    );
    const orders = [];
    for (const epoch of [0, 1, 0]) {
      const minibatches = await readEpoch(reader, { epoch, minibatchSize: 7 });
      const [a, b] = ["a", "b"].map((name) => minibatches.flatMap((m) => valuesOf(m, name)));
      expect(a).toEqual(b);
      expect(a?.toSorted((x, y) => x - y)).toEqual(keys);
      orders.push(a);
    }
    expect(orders[1]).not.toEqual(orders[0]);
    expect(orders[2]).toEqual(orders[0]);
  });

  it("have the window of one text reader when there is one", async () => {
    const lines = Array.from({ length: 10 }, (_, i) => `|a ${i}\n`).join("");
    const reader = await openReader({ "a.ctf": lines }, `deserializers = ( ${text("a.ctf", dense("a"))} )`);
    const [minibatch] = await readEpoch(reader, { minibatchSize: 10 });
    // CNTK's order of ten samples in one chunk.
    expect(valuesOf(minibatch, "a")).toEqual([4, 7, 3, 9, 1, 2, 8, 6, 5, 0]);
  });

  it("read names as keys when told so", async () => {
    const named = {
      "a.ctf": "one |a 1\none |a 2\ntwo |a 3\n",
      "b.ctf": "two |b 30\none |b 10\n",
    };
    const entry = (file: string, name: string) => text(file, dense(name), "; maxErrors = 9");
    const options = `useNumericSequenceKeys = false ; randomize = false ; traceLevel = 0 ;
      deserializers = ( ${entry("a.ctf", "a")} : ${entry("b.ctf", "b")} )`;
    for (const hashed of ["false", "true"]) {
      const reader = await openReader(named, `${options} ; hashSequenceKeys = ${hashed}`);
      const [minibatch] = await readEpoch(reader, { minibatchSize: 9 });
      // The letters are unexpected where a sample should start: an error a line, passed over.
      expect([valuesOf(minibatch, "a"), valuesOf(minibatch, "b")]).toEqual([
        [1, 3, 2, 0],
        [10, 30],
      ]);
      // djb2 with exclusive or, worked out apart: of "one" and "two".
      if (hashed === "false") expect(minibatch?.keys).toEqual(["one", "two"]);
      else expect(minibatch?.keys).toEqual(["193420161", "193421353"]);
    }
  });

  it("take frames one by one in frame mode", async () => {
    const reader = await openReader(
      { "a.ctf": "|a 1\n|a 2\n" },
      `frameMode = true ; randomize = false ; deserializers = ( ${text("a.ctf", dense("a"))} )`,
    );
    const [minibatch] = await readEpoch(reader, { minibatchSize: 9 });
    expect(streamOf(minibatch, "a").layout).toMatchObject({ rows: 2, steps: 1 });
  });
});

describe("deserializers that do not work", () => {
  it.each([
    ["deserializers = ( )", "Could not find deserializers in the reader config.", undefined],
    [
      `deserializers = ( ${text("a.ctf", dense("a"))} : ${text("b.ctf", dense("a", "; alias = b"))} )`,
      "Two streams with the same name 'a' have been found. Please rename the duplicate.",
      undefined,
    ],
    [
      "deserializers = ( [ type = LatticeDeserializer ; module = HTKDeserializers ] )",
      "deserializer type LatticeDeserializer is not available yet",
      "1:28",
    ],
    [
      "deserializers = ( [ type = TextDeserializer ; module = CNTKTextFormatReader ] )",
      "Unknown deserializer type 'TextDeserializer'",
      "1:28",
    ],
    [
      "deserializers = ( [ type = CNTKTextFormatDeserializer ; module = TextReader ] )",
      "Plugin not found: 'TextReader'",
      "1:66",
    ],
    [`randomize = None ; ${both}`, "ConfigValue (bool): boolean argument expected", "1:1"],
    [
      `sampleBasedRandomizationWindow = true ; ${both}`,
      "'sampleBasedRandomizationWindow' (== 'true') requires that the 'randomizationWindow' is explicitly specified.",
      "1:34",
    ],
    [`hashSequenceKeys = true ; ${both}`, "Hashing should not be used with numeric sequence keys.", "1:20"],
    [
      `deserializers = ( ${text("a.ctf", dense("a", "; definesMBSize = true"))} : ${text("b.ctf", dense("b", "; definesMBSize = true"))} )`,
      "Only a single deserializer is allowed to define minibatch size, at least two found.",
      undefined,
    ],
    ["readers = (x:y)", "several 'readers' are not available yet", "1:1"],
  ])("%s", async (config, message, place) => {
    const problem = await rejectionOf(openReader(files, config));
    expect(problem.message).toBe(message);
    const { span } = problem.diagnostic;
    if (place !== undefined) expect(span && renderPlace(span)).toBe(`x.cntk:${place}`);
  });

  it("have no key in common", async () => {
    const problem = await rejectionOf(openReader({ "a.ctf": "1 |a 1\n", "b.ctf": "2 |b 1\n" }, both));
    expect(problem.message).toBe(
      "Could not reconcile data between different deserializers. Keys of logical sequences do not match.",
    );
  });

  it("want names where lines have none", async () => {
    const options = `useNumericSequenceKeys = false ; deserializers = ( ${text("a.ctf", dense("a"))} )`;
    const problem = await rejectionOf(openReader({ "a.ctf": "|a 1\n" }, options));
    expect(problem.message).toContain("Corpus expects non-numeric sequence keys present");
  });
});
