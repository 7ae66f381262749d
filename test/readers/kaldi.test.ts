import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { openReader, readEpoch, streamOf, valuesOf } from "../support/read-epoch.js";

// Archives that kaldiio, another implementation of Kaldi's formats, wrote and read again.
const fixture = (name: string): Uint8Array => new Uint8Array(readFileSync(`test/fixtures/kaldi/${name}`));
const expected = JSON.parse(readFileSync("test/fixtures/kaldi/expected.json", "utf8")) as Readonly<
  Record<string, Readonly<Record<string, readonly number[]>>>
>;

/** Posteriors as hmm/posterior.cc writes them: counts and pairs, each number with its size before it. */
function posteriors(utterances: Readonly<Record<string, readonly number[]>>): Uint8Array {
  const bytes: number[] = [];
  const number = (fill: (view: DataView) => void): void => {
    const view = new DataView(new ArrayBuffer(4));
    fill(view);
    bytes.push(4, ...new Uint8Array(view.buffer));
  };
  const integer = (value: number): void => number((view) => view.setInt32(0, value, true));
  for (const [key, classes] of Object.entries(utterances)) {
    bytes.push(...new TextEncoder().encode(`${key} `), 0, "B".charCodeAt(0));
    integer(classes.length);
    for (const label of classes) {
      integer(1);
      integer(label);
      number((view) => view.setFloat32(0, 1, true));
    }
  }
  return Uint8Array.from(bytes);
}

const classes = {
  "one-a": [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 4],
  "two.b": [4, 3, 2, 1, 0, 0, 0, 0, 1],
};
const base = {
  counts: "one-a 11 \ntwo.b 9\n",
  rx: " ark:feats.ark\n",
  "feats.ark": fixture("float.ark"),
  post: "ark:post.ark",
  "post.ark": posteriors(classes),
};
const section = (more = ""): string => `readerType = Kaldi2Reader ; readMethod = none ; frameMode = false
  features = [ dim = 3 ; scpFile = counts ; rx = rx ; featureTransform = NO_FEATURE_TRANSFORM ]
  labels = [ mlfFile = post ; labelDim = 5 ; labelType = Category ${more} ]`;

/** Values and classes of each utterance of a whole reading. */
async function utterances(files: Readonly<Record<string, string | Uint8Array>>, text = section()) {
  const minibatches = await readEpoch(await openReader(files, text), { minibatchSize: 1 });
  return minibatches.map((minibatch) => {
    const { data } = streamOf(minibatch, "labels");
    return {
      values: valuesOf(minibatch, "features"),
      classes: data.storage === "sparse" ? [...data.rows] : [],
    };
  });
}

/** kaldiio unpacks in doubles where Kaldi rounds to floats on the way. */
function expectClose(read: Awaited<ReturnType<typeof utterances>>, kind: string): void {
  const values = Object.values(expected[kind] ?? {});
  expect(read.map((utterance) => utterance.values.length)).toEqual(values.map(({ length }) => length));
  read.forEach((utterance, i) =>
    utterance.values.forEach((value, k) => expect(value).toBeCloseTo(values[i]?.[k] ?? NaN, 5)),
  );
}

describe("Kaldi's archives", () => {
  it.each(["float", "double", "text"])("hold features: %s", async (kind) => {
    const read = await utterances({ ...base, "feats.ark": fixture(`${kind}.ark`) });
    expect(read).toEqual([
      { values: expected[kind]?.["one-a"], classes: classes["one-a"] },
      { values: expected[kind]?.["two.b"], classes: classes["two.b"] },
    ]);
  });

  it.each(["cm", "cm2", "cm3"])("hold features, compressed: %s", async (kind) => {
    const read = await utterances({ ...base, "feats.ark": fixture(`${kind}.ark`) });
    expectClose(read, kind);
  });

  it("are found by a script with offsets", async () => {
    const files = {
      ...base,
      rx: "scp,p:feats.scp",
      "feats.scp": fixture("cm.scp"),
      "cm.ark": fixture("cm.ark"),
    };
    expectClose(await utterances(files), "cm");
  });

  it("hold labels as text, which a list of states numbers and a delay moves", async () => {
    const line = (key: string, labels: readonly number[]): string =>
      `${key} ${labels.map((label) => `[ ${10 * label} 1 ]`).join(" ")}\n`;
    const text = Object.entries(classes).map(([key, labels]) => line(key, labels));
    const files = { ...base, "post.ark": text.join(""), states: "0\n10\n20\n30\n40\n" };
    const read = await utterances(files, `${section("; labelMappingFile = states")} ; targets_delay = 2`);
    expect(read.map(({ classes: found }) => found)).toEqual([
      [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4],
      [4, 4, 4, 3, 2, 1, 0, 0, 0],
    ]);
  });

  it("give each frame those beside it", async () => {
    const text = section().replace("dim = 3", "dim = 3 ; contextWindow = 0:1");
    const [first] = await utterances(base, text);
    const values = expected["float"]?.["one-a"] ?? [];
    expect(first?.values.slice(0, 6)).toEqual(values.slice(0, 6));
    expect(first?.values.slice(-6)).toEqual([...values.slice(-3), ...values.slice(-3)]);
  });

  const wrong: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
    ["a length that is another", { counts: "one-a 10\n" }, "'one-a' is listed with 10 frames"],
    ["an utterance that is missing", { counts: "three 4\n" }, "Missing features for: three"],
    ["a command", { rx: "ark:copy-feats scp:a ark:- |" }, "Reading the output of a command"],
    ["no specifier", { rx: "feats.ark" }, "invalid rspecifier 'feats.ark'"],
    ["half an archive", { "feats.ark": "one-a [\n 1 2 3\n" }, "a matrix without its ]"],
    ["rows of two lengths", { "feats.ark": "one-a [\n 1 2 3\n 4 5 ]\n" }, "a row of 2 numbers"],
    ["two classes in a frame", { "post.ark": "one-a [ 1 0.5 2 0.5 ]\n" }, "num_cols != 1: 2 (frame 0)"],
  ];
  it.each(wrong)("are refused: %s", async (_, files, message) => {
    await expect(utterances({ ...base, ...files })).rejects.toThrow(message);
  });
});
