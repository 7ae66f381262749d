import { describe, expect, it } from "vitest";
import { CntkError } from "../../src/diagnostics/diagnostic.js";
import type { Minibatch } from "../../src/minibatch/index.js";
import { denseValues } from "../../src/minibatch/index.js";
import { openReader, readEpoch, streamOf, valuesOf } from "../support/read-epoch.js";

/** For each column the rows that are not zero. */
function rowsOf(minibatch: Minibatch | undefined, name: string): number[][] {
  const { data, dimension } = streamOf(minibatch, name);
  const values = denseValues(data, dimension);
  return Array.from({ length: values.length / dimension }, (_, column) =>
    Array.from({ length: dimension }, (__, row) => row).filter((row) => values[column * dimension + row]),
  );
}

describe("LMSequenceReader", () => {
  const words =
    "     0\t     9\t</s>\t0\n     1\t     5\ta\t0\n     2\t     3\tb\t1\n     3\t     2\t<unk>\t1\n";
  const sections =
    "features = [ dim = 0 ]\n" +
    'labelIn = [ labelType = Category ; labelDim = 4 ; beginSequence = "</s>" ; endSequence = "</s>" ; labelMappingFile = none.txt ]\n' +
    'labels = [ labelType = NextWord ; endSequence = "O" ; labelMappingFile = none.txt ]';
  const open = (text: string, options: string, lines: string[] = []) =>
    openReader(
      { "words.txt": words, "t.txt": text },
      `readerType = LMSequenceReader ; file = t.txt ; wordclass = words.txt ; precision = double\n${options}\n${sections}`,
      "",
      (line) => lines.push(line),
    );

  it("tells words one-hot and what follows with its class and the bounds of that", async () => {
    const lines: string[] = [];
    const reader = await open("</s> a b c </s>\n</s> </s>\n", "nbruttsineachrecurrentiter = 1", lines);
    expect(reader.streams).toEqual([
      { name: "features", dimension: 4, storage: "sparse" },
      { name: "labels", dimension: 4, storage: "dense" },
    ]);
    const [first, ...others] = await readEpoch(reader, { minibatchSize: 100 });
    expect(others).toEqual([]);
    expect(rowsOf(first, "features")).toEqual([[0], [1], [2], [3]]);
    // word, class, first word of the class, the word behind its last
    expect(valuesOf(first, "labels")).toEqual([1, 0, 0, 2, 2, 1, 2, 4, 3, 1, 2, 4, 0, 0, 0, 2]);
    // The line of two words tells nothing and is passed over.
    expect(lines.join("")).toBe(
      "LMSequenceReader: Label mapping will be created internally on the fly because the labelMappingFile was not found: none.txt\n".repeat(
        2,
      ) +
        "LMSequenceReader: Reading epoch data... 1 sequences read.\nLMSequenceReader: Reading epoch data... 0 sequences read.\n",
    );
  });

  it("shuffles with the number of the epoch and puts sentences of one length side by side", async () => {
    const text = ["</s> a </s>", "</s> b </s>", "</s> a b </s>", "</s> c </s>", "</s> b a </s>"].join("\n");
    const reader = await open(text, "nbruttsineachrecurrentiter = 2");
    const shapes = (minibatches: readonly Minibatch[]) =>
      minibatches.map((minibatch) => {
        const { rows, steps } = streamOf(minibatch, "features").layout;
        return [rows, steps, rowsOf(minibatch, "features").flat()];
      });
    // std::shuffle of 5 with seed 1: 1 0 2 3 4; with seed 2: 3 0 2 4 1.
    expect(shapes(await readEpoch(reader, { minibatchSize: 100 }))).toEqual([
      [2, 2, [0, 0, 2, 1]],
      [2, 3, [0, 0, 1, 2, 2, 1]],
      [1, 2, [0, 3]],
    ]);
    expect(shapes(await readEpoch(reader, { minibatchSize: 100, epoch: 1 }))).toEqual([
      [2, 2, [0, 0, 3, 1]],
      [2, 3, [0, 0, 1, 2, 2, 1]],
      [1, 2, [0, 2]],
    ]);
  });

  it("cuts long sentences into pieces that go on, unless it fills minibatches by words", async () => {
    const text = "</s> a b a b </s>\n";
    const pieces = await readEpoch(await open(text, "nbruttsineachrecurrentiter = 1"), { minibatchSize: 2 });
    expect(pieces.map((piece) => streamOf(piece, "labels").layout.sequences)).toEqual([
      [{ sequence: 0, row: 0, begin: 0, length: 5 }],
      [{ sequence: 0, row: 0, begin: -2, length: 5 }],
      [{ sequence: 0, row: 0, begin: -4, length: 5 }],
    ]);
    const whole = await readEpoch(await open(text.repeat(3), "nbruttsineachrecurrentiter = 0"), {
      minibatchSize: 13,
    });
    // 6 + 6 words are fewer than 13; a third sentence would not be.
    expect(whole.map((minibatch) => minibatch.columns)).toEqual([10, 5]);
  });

  it("knows vocabularies of any size", async () => {
    const count = 150_000;
    const names = ["</s>", ...Array.from({ length: count - 2 }, (_, i) => `w${i}`), "<unk>"];
    const classes = names.map((word, number) => `${number}\t1\t${word}\t0\n`).join("");
    const reader = await openReader(
      { "words.txt": classes, "t.txt": "</s> w7 w149000 </s>\n" },
      `readerType = LMSequenceReader ; file = t.txt ; wordclass = words.txt\n${sections.replace("labelDim = 4", `labelDim = ${count}`)}`,
    );
    const [first] = await readEpoch(reader, { minibatchSize: 10 });
    expect(reader.streams[0]).toEqual({ name: "features", dimension: count, storage: "sparse" });
    const [word, , nextWord] = valuesOf(first, "labels").filter((_, i) => i % 4 === 0);
    expect([word, nextWord]).toEqual([8, 0]);
  });

  it("says which words it does not know", async () => {
    const reader = await openReader(
      { "words.txt": words.replace("<unk>", "c"), "t.txt": "</s> zebra </s>\n" },
      `readerType = LMSequenceReader ; file = t.txt ; wordclass = words.txt\n${sections}`,
    );
    await expect(readEpoch(reader, { minibatchSize: 10 })).rejects.toThrow("zebra not in vocabulary");
    await expect(
      openReader({}, "readerType = LMSequenceReader ; file = t.txt ; labels = [ labelDim = 2 ]"),
    ).rejects.toThrow("BatchSequenceReader: Two label definitions (in and out) are required");
    await expect(
      open("", "").then(() =>
        openReader(
          {},
          `readerType = LMSequenceReader\nfeatures = [ dim = 0 ; mode = nce ]\n${sections.split("\n").slice(1).join("\n")}`,
        ),
      ),
    ).rejects.toThrow("mode = nce of LMSequenceReader is not available yet");
  });
});

describe("LUSequenceReader", () => {
  const files = {
    "in.txt": "BOS\nEOS\nfly\nto\nrome\n<unk>\n",
    "out.txt": "O\nB-city\n",
    "map.txt": "BOS BOS\nEOS EOS\nfly fly\nto to\nrome rome\n",
    "s.txt": "BOS O\nfly O\nto O\nrome B-city\nEOS O\n\nBOS O\nfly O\noslo B-city\n\n",
  };
  const sections =
    "features = [ dim = 0 ]\n" +
    'labelIn = [ labelDim = 9 ; usewordmap = true ; beginSequence = "BOS" ; endSequence = "EOS" ; token = in.txt ]\n' +
    "labels = [ labelType = Category ; token = out.txt ]";
  const open = (options: string, lines: string[] = [], more: Record<string, string> = {}) =>
    openReader(
      { ...files, ...more },
      `readerType = LUSequenceReader ; file = s.txt ; wordmap = map.txt ; precision = double\n${options}\n${sections}`,
      "",
      (line) => lines.push(line),
    );

  it("puts a word and its neighbours below each other; beyond the end the last word stands", async () => {
    const lines: string[] = [];
    const reader = await open("wordContext = 0:1 ; nbruttsineachrecurrentiter = 1", lines);
    expect(reader.streams).toEqual([
      { name: "features", dimension: 12, storage: "sparse" },
      { name: "labels", dimension: 2, storage: "sparse" },
    ]);
    const [first, second, ...others] = await readEpoch(reader, { minibatchSize: 10 });
    expect(others).toEqual([]);
    expect(rowsOf(first, "features")).toEqual([
      [0, 8],
      [2, 9],
      [3, 10],
      [4, 7],
      [1, 7],
    ]);
    expect(rowsOf(first, "labels")).toEqual([[0], [0], [0], [1], [0]]);
    // oslo is no word of the list: <unk>.
    expect(rowsOf(second, "features")).toEqual([
      [0, 8],
      [2, 11],
      [5, 11],
    ]);
    expect(lines.join("")).toBe(
      "BatchLUSequenceReader: Input file is s.txt\n" +
        "BatchLUSequenceParser: Parsing input data...\n" +
        "BatchLUSequenceParser: Parsed 2 lines with a total of 7+2 tokens.\n" +
        "BatchLUSequenceParser: Parsing input data...\n" +
        "BatchLUSequenceParser: Parsed 0 lines with a total of 0+0 tokens.\n" +
        "EnsureDataAvailable: No more data.\n",
    );
  });

  it("leaves gaps behind shorter sentences, or keeps to one length", async () => {
    const mixed = await open("equalLength = false ; nbruttsineachrecurrentiter = 2");
    const [both, ...none] = await readEpoch(mixed, { minibatchSize: 10 });
    expect(none).toEqual([]);
    expect(both?.columns).toBe(10);
    expect(streamOf(both, "labels").layout.sequences).toEqual([
      { sequence: 0, row: 0, begin: 0, length: 5 },
      { sequence: 1, row: 1, begin: 0, length: 3 },
    ]);
    expect(rowsOf(both, "labels")).toEqual([[0], [0], [0], [0], [0], [1], [1], [], [0], []]);
    const equal = await open("nbruttsineachrecurrentiter = 2");
    const alone = await readEpoch(equal, { minibatchSize: 10 });
    expect(alone.map((minibatch) => minibatch.columns)).toEqual([5, 3]);
  });

  it("tells classes of tags where there are some", async () => {
    const reader = await openReader(
      { ...files, "classes.txt": "O 0\nB-city 1\nI-city 1\nX 2\n", "s.txt": "fly O\nrome B-city\n\n" },
      "readerType = LUSequenceReader ; file = s.txt\nfeatures = [ dim = 0 ]\n" +
        "labelIn = [ labelDim = 9 ; token = in.txt ]\nlabels = [ labelDim = 4 ; mode = class ; token = classes.txt ]",
    );
    const [minibatch] = await readEpoch(reader, { minibatchSize: 10 });
    expect(valuesOf(minibatch, "labels")).toEqual([0, 0, 0, 1, 1, 1, 1, 3]);
  });

  it("counts a last line only with its end, and ends an epoch by sentences", async () => {
    const text = { "s.txt": "BOS O\nrome B-city\n\nBOS O\nfly O\nrome B-city" };
    const cut = await readEpoch(await open("", [], text), { minibatchSize: 10 });
    expect(cut.map((minibatch) => minibatch.columns)).toEqual([2, 2]);
    const three = { "s.txt": "fly O\n\n".repeat(3) };
    const limited = await readEpoch(await open("", [], three), { minibatchSize: 10, epochSize: 1 });
    // One more than the limit says: it is looked at before a sentence is taken.
    expect(limited).toHaveLength(2);
  });

  it("wants minibatches that hold a sentence", async () => {
    const reader = await open("");
    const failed = await readEpoch(reader, { minibatchSize: 4 }).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failed).toBeInstanceOf(CntkError);
    expect(failed).toMatchObject({
      message:
        "LUSequenceReader : minibatch size needs to be large enough to accomodate the longest sentence",
    });
  });
});
