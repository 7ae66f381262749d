import { describe, expect, it } from "vitest";
import { CntkError } from "../../src/diagnostics/diagnostic.js";
import { renderPlace } from "../../src/diagnostics/render.js";
import type { SequenceKey, TextFormatOptions, TextInput } from "../../src/readers/index.js";
import { TextFormatDeserializer } from "../../src/readers/index.js";
import { memoryFiles } from "../support/memory-files.js";
import { rejectionOf } from "../support/problem-of.js";

/** Samples of a stream, each a list of its numbers (dense) or of `row:value` (sparse). */
type Samples = (number[] | string[])[];

interface Parsed {
  /** Per sequence: its samples by stream. */
  readonly sequences: Record<string, Samples>[];
  readonly keys: SequenceKey[];
  readonly lengths: number[];
  readonly log: string;
}

const streams: Record<string, TextInput> = {
  a: { name: "a", alias: "a", dimension: 1, storage: "dense" },
  b: { name: "b", alias: "b", dimension: 1, storage: "dense" },
  B: { name: "b", alias: "b", dimension: 1, storage: "dense", definesMinibatchSize: true },
  A2: { name: "a", alias: "a", dimension: 2, storage: "dense" },
  A3: { name: "a", alias: "a", dimension: 3, storage: "dense" },
  s: { name: "s", alias: "s", dimension: 10, storage: "sparse" },
};

/** Parses a text of one chunk with the given streams. */
async function parse(
  text: string | Uint8Array,
  names: string,
  options: Partial<TextFormatOptions> = {},
): Promise<Parsed> {
  let log = "";
  const files = memoryFiles(new Map([["/FILE", text]]));
  const inputs = names.split(" ").map((name) => streams[name] as TextInput);
  const reader = new TextFormatDeserializer(
    { file: "FILE", elementType: "double", inputs, ...options },
    { files, log: { write: (line) => (log += line) } },
  );
  try {
    const { index } = reader;
    const chunk = reader.loadChunk(0);
    const count = index.starts.length;
    const sequences = Array.from({ length: count }, (_, i) =>
      Object.fromEntries(
        chunk.map((stream) => {
          const { name, dimension, storage } = stream.input;
          const samples: Samples = [];
          for (let at = stream.sequenceStarts[i] ?? 0; at < (stream.sequenceStarts[i + 1] ?? 0); at++) {
            if (storage === "dense") {
              samples.push([...stream.values.values.slice(at * dimension, (at + 1) * dimension)]);
            } else {
              const from = stream.sampleStarts[at] ?? 0;
              const to = stream.sampleStarts[at + 1] ?? 0;
              samples.push(
                Array.from(
                  { length: to - from },
                  (_, k) => `${stream.rows[from + k]}:${stream.values.values[from + k]}`,
                ),
              );
            }
          }
          return [name, samples];
        }),
      ),
    );
    return {
      sequences,
      keys: Array.from({ length: count }, (_, i) => index.key(i)),
      lengths: [...index.lengths],
      log,
    };
  } finally {
    await reader.close();
  }
}

const values = async (text: string, names: string, options?: Partial<TextFormatOptions>) =>
  (await parse(text, names, options)).sequences.map((sequence) => sequence["a"]);

/** What CNTK's own parser made of the same inputs (compiled and run). */
describe("texts that CNTK reads", () => {
  it("one sequence a line, numbered from 0", async () => {
    const { keys, sequences } = await parse("|a 1 2 3\n|a 4 5 6\n", "A3");
    expect(keys).toEqual([0, 1]);
    expect(sequences).toEqual([{ a: [[1, 2, 3]] }, { a: [[4, 5, 6]] }]);
  });

  it.each(["7 |a 1\n7 |a 2\n9 |a 3\n", "7|a 1\n7|a 2\n9 |a 3\n"])(
    "sequences by their numbers: %j",
    async (text) => {
      const { keys, lengths, sequences } = await parse(text, "a");
      expect([keys, lengths]).toEqual([
        [7, 9],
        [2, 1],
      ]);
      expect(sequences.map((sequence) => sequence["a"])).toEqual([[[1], [2]], [[3]]]);
    },
  );

  it("a short dense sample, filled with zeros", async () => {
    const { sequences, log } = await parse("|a 1 2\n", "A3");
    expect(sequences[0]?.["a"]).toEqual([[1, 2, 0]]);
    expect(log).toBe(
      "WARNING: A dense sample at offset 6 in the input file (FILE) has a sparse suffix (expected size = 3, actual size = 2).\n",
    );
  });

  it("a last line without newline, with three warnings", async () => {
    const { sequences, log } = await parse("|a 1 2", "A3");
    expect(sequences[0]?.["a"]).toEqual([[1, 2, 0]]);
    expect(log.match(/WARNING: Exhausted all input expected/g)?.length).toBe(3);
    expect(await values("|a 1 2 3 4", "A3")).toEqual([[[1, 2, 3]]]);
  });

  it.each([
    ["|a 1 |# x y |b 2\n", "a b", { a: [[1]], b: [[2]] }],
    ["1 |a 1 |b 2\n1 |a 3\n", "a b", { a: [[1], [3]], b: [[2]] }],
    ["1 |a 1 |a 2\n1 |b 3 |b 4\n", "a b", { a: [[1], [2]], b: [[3], [4]] }],
    ["|a 1|b 2\n", "a b", { a: [[1]], b: [[2]] }],
    ["|a 1\x01|b 2\n", "a b", { a: [[1]], b: [[2]] }],
    ["|zz 9 |a 1\n", "a", { a: [[1]] }],
    ["|a 1-2\n", "A2", { a: [[1, -2]] }],
    ["|a 1 é \n", "a", { a: [[1]] }],
    ["|a 1 2 3\r\n", "A3", { a: [[1, 2, 3]] }],
    ["\ufeff1 |a 1\n", "a", { a: [[1]] }],
  ])("%j without a word", async (text, names, expected) => {
    const { sequences, log } = await parse(text, names);
    expect(sequences).toEqual([expected]);
    expect(log).toBe("");
  });

  it("sparse samples, kept as written", async () => {
    expect((await parse("|s 1:2 5:6\n|s\n|s 9:1\n", "s")).sequences).toEqual([
      { s: [["1:2", "5:6"]] },
      { s: [[]] },
      { s: [["9:1"]] },
    ]);
    expect((await parse("|s 5:1 2:3 5:9\n", "s")).sequences).toEqual([{ s: [["5:1", "2:3", "5:9"]] }]);
    expect((await parse("|s 1:2", "s")).sequences).toEqual([{ s: [["1:2"]] }]);
    expect((await parse("|a\n", "A2")).sequences).toEqual([{ a: [[0, 0]] }]);
    expect((await parse("|a |s 1:1\n", "A2 s")).sequences).toEqual([{ a: [[0, 0]], s: [["1:1"]] }]);
  });

  it.each([
    ["+1.5e2", 150],
    ["-1e-2", -0.01],
    ["1E+3", 1000],
    ["5.", 5],
    ["-0", -0],
    ["1e400", Infinity],
    ["1e-400", 0],
    ["0.1", 0.1],
    ["123456789.125", 123456789.125],
    ["256", 256],
    ["1e22", 1e22],
    ["12e-5", 12 * 1e-5],
  ])("the number %s", async (text, value) => {
    expect(await values(`|a ${text}\n`, "a")).toEqual([[[value]]]);
    expect(await values(`|a ${text}`, "a")).toEqual([[[value]]]);
    expect(await values(`|a 7\n|a ${text}\n|a 255\n`, "a")).toEqual([[[7]], [[value]], [[255]]]);
  });

  it("numbers rounded to single precision where that is the precision", async () => {
    expect(await values("|a 0.1\n|a 16777217\n", "a", { elementType: "float" })).toEqual([
      [[Math.fround(0.1)]],
      [[16777216]],
    ]);
  });

  it("lines without a number continue a sequence", async () => {
    const { keys, sequences } = await parse("1 |a 1\n |a 2\n|a 3\n2 |a 4\n", "a");
    expect(keys).toEqual([1, 2]);
    expect(sequences.map((sequence) => sequence["a"])).toEqual([[[1], [2], [3]], [[4]]]);
  });

  it("numbers are ignored in a file whose first line has none, or when told so", async () => {
    expect((await parse("|a 1\n5 |a 2\n5 |a 3\n", "a")).keys).toEqual([0, 1, 2]);
    expect((await parse("5 |a 1\n5 |a 2\n", "a", { skipSequenceIds: true })).keys).toEqual([0, 1]);
  });

  it("the same number again later is a sequence of its own", async () => {
    expect((await parse("5 |a 2\n6 |a 3\n5 |a 4\n", "a")).keys).toEqual([5, 6, 5]);
    const large = "18446744073709551615";
    expect((await parse(`${large} |a 1\n${large} |a 2\n3 |a 1\n`, "a")).keys).toEqual([BigInt(large), 3]);
  });

  it("digits that end the file belong to the sequence before them", async () => {
    const { keys, sequences } = await parse("1 |a 1\n2", "a");
    expect(keys).toEqual([1]);
    expect(sequences[0]?.["a"]).toEqual([[1]]);
  });

  it("a stream that defines the length: lines that mention it count", async () => {
    const { lengths, sequences } = await parse("1 |a 1\n1 |a 2 |b 9\n1 |a 3\n", "a B");
    expect(lengths).toEqual([1]);
    expect(sequences).toEqual([{ a: [[1], [2], [3]], b: [[9]] }]);
  });
});

const limit = "Reached the maximum number of allowed errors while reading the input file (FILE).";

describe("texts that CNTK refuses", () => {
  it.each([
    // text, streams, message, line:column
    [
      "|a 1 2 3 4\n",
      "A3",
      "Dense sample (size = 4) at offset 10 in the input file (FILE) exceeds the expected size (3).",
      "1:11",
    ],
    ["|a 1\n\n|a 2\n", "a", "Empty input row at offset 6 in the input file (FILE).", "2:1"],
    ["1 |a 1\n1 |# note\n1 |a 2\n", "a", "Empty input row at offset 17 in the input file (FILE).", "2:10"],
    [
      "|a 1 |a 2\n",
      "a",
      "Input ('a') contains more samples than expected (2 vs. 1) for sequence (id = 0) at offset 10 in the input file (FILE).",
      "1:10",
    ],
    [
      "|s 10:1\n",
      "s",
      "Sparse index value (10) at offset 5 in the input file (FILE) exceeds the maximum expected value (9).",
      "1:6",
    ],
    [
      "|s 3 :1\n",
      "s",
      "Unexpected character(' ') in place of the index delimiter (':') after a sparse value index (3) at offset 4 in the input file (FILE).",
      "1:5",
    ],
    [
      "|s 3\n",
      "s",
      "Unexpected character('\n') in place of the index delimiter (':') after a sparse value index (3) at offset 4 in the input file (FILE).",
      "1:5",
    ],
    [
      "|s 3: 1\n",
      "s",
      "Unexpected character (' ') in a floating point value at offset 5 in the input file (FILE).",
      "1:6",
    ],
    [
      "|s",
      "s",
      "Exhausted all input expected for the current sequence while reading an input name at offset 2 in the input file (FILE).",
      "1:2",
    ],
    [
      "|s ",
      "s",
      "Exhausted all input expected for the current sequence while reading a sparse sample at offset 3 in the input file (FILE).",
      "1:3",
    ],
    [
      "|a .5\n",
      "a",
      "Unexpected character ('.') in a floating point value at offset 3 in the input file (FILE).",
      "1:4",
    ],
    [
      "|a nan\n",
      "a",
      "Unexpected character ('n') in a floating point value at offset 3 in the input file (FILE).",
      "1:4",
    ],
    [
      "|a 0x10\n",
      "a",
      "Unexpected character ('x') in a floating point value at offset 4 in the input file (FILE).",
      "1:5",
    ],
    [
      "|a 1,2\n",
      "a",
      "Unexpected character (',') in a floating point value at offset 4 in the input file (FILE).",
      "1:5",
    ],
    [
      "|a 1.e5\n",
      "a",
      "Unexpected character ('e') in a floating point value at offset 5 in the input file (FILE).",
      "1:6",
    ],
    [
      "|a +\n",
      "a",
      "A sign symbol is followed by an invalid character('\n') in a floating point value at offset 4 in the input file (FILE).",
      "1:5",
    ],
    [
      "|a 1ex\n",
      "a",
      "An exponent symbol is followed by an invalid character('x') in a floating point value at offset 5 in the input file (FILE).",
      "1:6",
    ],
    [
      "|a 1e-x\n",
      "a",
      "An exponent sign symbol followed by an unexpected character('x') in a floating point value at offset 6 in the input file (FILE).",
      "1:7",
    ],
    ["|zz 9\n", "a", "Empty input row at offset 6 in the input file (FILE).", "1:6"],
    ["|A 1\n", "a", "Empty input row at offset 5 in the input file (FILE).", "1:5"],
    [
      "| a 1\n",
      "a",
      "Input name prefix ('|') is followed by an invalid character (' ') at offset 1 in the input file (FILE).",
      "1:2",
    ],
    [
      "||a 1\n",
      "a",
      "Input name prefix ('|') is followed by an invalid character ('|') at offset 1 in the input file (FILE).",
      "1:2",
    ],
    [
      "|a 1 # not comment\n",
      "a",
      "Unexpected character ('#') in a floating point value at offset 5 in the input file (FILE).",
      "1:6",
    ],
    [
      "|a 1 |\n",
      "a",
      "Input name prefix ('|') is followed by an invalid character ('\n') at offset 6 in the input file (FILE).",
      "1:7",
    ],
    [
      "1 2 |a 1\n",
      "a",
      "Unexpected character('2') in place of a name prefix ('|') in an input name at offset 2 in the input file (FILE).",
      "1:3",
    ],
    [
      "|a 0.5\n|a 0.5\n|a 0.5 x\n",
      "A2",
      "Unexpected character ('x') in a floating point value at offset 21 in the input file (FILE).",
      "3:8",
    ],
  ])("%j", async (text, names, message, place) => {
    const problem = await rejectionOf(parse(text, names));
    expect(problem.code).toBe("data-format");
    expect(problem.message).toBe(message);
    expect(problem.diagnostic.hint).toContain(limit);
    expect(problem.diagnostic.span && renderPlace(problem.diagnostic.span)).toBe(`FILE:${place}`);
  });

  it("a sequence that lacks an input, whatever maxErrors says", async () => {
    const problem = await rejectionOf(parse("|a 1 |b 2\n|a 3\n", "a b", { maxErrors: 100 }));
    expect(problem.code).toBe("data-malformed");
    expect(problem.message).toBe(
      "Input ('b') is empty in sequence (id = 1) at offset 15 in the input file (FILE).",
    );
    expect(problem.diagnostic.span && renderPlace(problem.diagnostic.span)).toBe("FILE:2:1");
    expect((await rejectionOf(parse("|a 1\n|a 2\n5", "a"))).code).toBe("data-malformed");
    expect((await rejectionOf(parse("|s 1:2 3:4 xyz |a 5\n", "s a", { maxErrors: 1 }))).code).toBe(
      "data-malformed",
    );
  });

  it.each([
    ["x |a 1\n", "Expected a sequence id at the offset 0, none was found."],
    [" 1 |a 1\n", "Expected a sequence id at the offset 0, none was found."],
    ["18446744073709551616 |a 1\n", "Overflow while reading a numeric sequence id (8-bit value)."],
    ["", "Input file is empty"],
    [
      Uint8Array.of(0xff, 0xfe, 0x7c, 0),
      "Found a UTF-16 BOM at the beginning of the input file (FILE). UTF-16 encoding is currently not supported.",
    ],
  ])("%j, in the first pass", async (text, message) => {
    expect((await rejectionOf(parse(text, "a"))).message).toBe(
      `CNTKTextFormatReader: While reading 'FILE': ${message}`,
    );
  });
});

describe("maxErrors", () => {
  it("passes over that many errors and no more", async () => {
    expect(await values("1 |a 1\n1 |# note\n1 |a 2\n", "a", { maxErrors: 2 })).toEqual([[[1], [2]]]);
    await expect(parse("1 |a 1\n1 |# note\n1 |a 2\n", "a", { maxErrors: 1 })).rejects.toThrow(
      "Maximum per-input number of samples for sequence (id = 1) at offset 24 in the input file (FILE) is less than expected (2 vs. 3).",
    );
    expect(await values("|a 1 |a 2\n", "a", { maxErrors: 1 })).toEqual([[[1], [2]]]);
    expect(await values("|a 1 foo |a 2\n", "A2", { maxErrors: 1 })).toEqual([[[2, 0]]]);
  });

  it("names the cause of the error that was too many", async () => {
    const text = "|a 1 2 |a 1\n|a 2 x\n";
    const problem = await rejectionOf(parse(text, "a", { maxErrors: 1 }));
    expect(problem.message).toContain("Unexpected character ('x')");
    expect(problem.diagnostic.span?.source.text.split("\n")[1]).toBe("|a 2 x");
  });
});

describe("traceLevel", () => {
  it("0 is silent until it fails, 2 tells of unknown names", async () => {
    expect((await parse("|a 1 2\n", "A3", { traceLevel: 0 })).log).toBe("");
    let log = "";
    const files = memoryFiles(new Map([["/FILE", "|a x\n"]]));
    const reader = new TextFormatDeserializer(
      { file: "FILE", elementType: "float", inputs: [streams["a"] as TextInput], traceLevel: 0 },
      { files, log: { write: (line) => (log += line) } },
    );
    expect(() => reader.loadChunk(0)).toThrow(CntkError);
    expect(log).toBe(
      "A number of warnings were generated while reading input data, to see them please set 'traceLevel' to a value greater or equal to 1.\n",
    );
    expect((await parse("|zz 9 |a 1\n", "a", { traceLevel: 2 })).log).toContain(
      "INFO: Skipping unknown input",
    );
  });
});
