import { describe, expect, it } from "vitest";
import { ConfigSection } from "../../src/config/config-section.js";
import { MappedText } from "../../src/config/mapped-text.js";
import { denseValues } from "../../src/minibatch/index.js";
import { readerFromConfig } from "../../src/readers/index.js";
import { memoryFiles } from "../support/memory-files.js";
import { readEpoch } from "../support/read-epoch.js";
import { rejectionOf } from "../support/problem-of.js";

const table = ["cat 0.5 1e2 7", "dog -1 +2 8", "cat 3.25 4 9", "", "cow 5 6 10"].join("\n");

/** A reader of that table whose section has this text; its log goes to `log`. */
function open(text: string, more: Readonly<Record<string, string>> = {}, log: string[] = []) {
  const contents = new Map<string, string | Uint8Array>(Object.entries({ "/t.txt": table, ...more }));
  const { result } = ConfigSection.read(MappedText.of({ name: "a.cntk", text }), "a.cntk");
  const files = memoryFiles(contents);
  return {
    contents,
    reader: readerFromConfig(result, { files, log: { write: (part) => void log.push(part) } }),
  };
}

const features = "features = [ file = t.txt ; start = 1 ; dim = 2 ]";
const labels =
  "labels = [ file = t.txt ; start = 0 ; dim = 1 ; labelDim = 3 ; labelMappingFile = map.txt ; labelType = category ]";
const section = `readerType = UCIFastReader ; precision = double\n${features}\n${labels}\n`;
const mapping = { "/map.txt": "cow\ncat\ndog\n" };

async function epoch(
  text: string,
  request: {
    readonly epoch?: number;
    readonly minibatchSize: number;
    readonly epochSize?: number;
    readonly rank?: number;
    readonly workers?: number;
  },
  log: string[] = [],
) {
  const reader = await open(text, mapping, log).reader;
  await reader.start({ epoch: 0, epochSize: 0, rank: 0, workers: 1, ...request });
  const minibatches: Record<string, readonly number[]>[] = [];
  for (let minibatch = await reader.next(); minibatch; minibatch = await reader.next()) {
    const entries = [...minibatch.streams].map(
      ([name, { data, dimension }]) => [name, [...denseValues(data, dimension)]] as const,
    );
    minibatches.push(Object.fromEntries(entries));
  }
  return minibatches;
}

describe("UCIFastReader", () => {
  it("reads columns of a table, and labels by their words", async () => {
    expect(await epoch(`${section}randomize = none`, { minibatchSize: 3 })).toEqual([
      { features: [0.5, 100, -1, 2, 3.25, 4], labels: [0, 1, 0, 0, 0, 1, 0, 1, 0] },
      { features: [5, 6], labels: [1, 0, 0] },
    ]);
  });

  it("drops a last minibatch that is too small, or goes round the data", async () => {
    const whole = `${section}randomize = none ; minibatchMode = full`;
    expect((await epoch(whole, { minibatchSize: 3, epochSize: 6 })).map(({ features }) => features)).toEqual([
      [0.5, 100, -1, 2, 3.25, 4],
      [5, 6, 0.5, 100, -1, 2],
    ]);
    const log: string[] = [];
    await epoch(whole, { minibatchSize: 3, epochSize: 4 }, log);
    expect(log.join("")).toContain("epochSize rounded up to 6 to fit an integral number of minibatches\n");
  });

  // The order of 4 samples with seeds 5 and 2, printed by a C program with glibc's rand and the loop of RandomOrdering.h.
  it("draws the order of each epoch as GNU's C library does", async () => {
    const log: string[] = [];
    const firstOf = async (number: number) =>
      (await epoch(section, { epoch: number, minibatchSize: 2 }, log)).flatMap(({ features = [] }) =>
        features.filter((_, index) => index % 2 === 0),
      );
    const rows = [0.5, -1, 3.25, 5];
    expect(await firstOf(5)).toEqual([0, 2, 1, 3].map((row) => rows[row]));
    expect(await firstOf(2)).toEqual([0, 2, 3, 1].map((row) => rows[row]));
    expect(log.join("")).toContain("starting epoch 3 at record count 8, and file position 0\n");
    expect(log.join("")).toContain("RandomOrdering: 0 retries for 4 elements (0.0%)");
  });

  it("gives each process its share of every minibatch", async () => {
    const share = (rank: number) =>
      epoch(`${section}randomize = none`, { minibatchSize: 4, rank, workers: 2 }).then((all) =>
        all.map(({ features }) => features),
      );
    expect(await share(0)).toEqual([[0.5, 100, -1, 2]]);
    expect(await share(1)).toEqual([[3.25, 4, 5, 6]]);
  });

  it("takes numbers for labels, other separators and decimal points, or no labels at all", async () => {
    const text =
      'readerType = Cntk.Reader.UCIFast ; randomize = none ; customDelimiter = ";" ; customDecimalPoint = "," ; precision = double\n' +
      "x = [ file = n.txt ; dim = 2 ]\ny = [ file = n.txt ; start = 2 ; dim = 2 ; labelType = regression ]";
    const log: string[] = [];
    const reader = await open(text, { "/n.txt": "1,5;2;3;4\n-0,25;1;5;6" }, log).reader;
    await reader.start({ epoch: 0, epochSize: 0, minibatchSize: 2, rank: 0, workers: 1 });
    const { streams } = (await reader.next())!;
    expect([...denseValues(streams.get("x")!.data, 2)]).toEqual([1.5, 2, -0.25, 1]);
    expect([...denseValues(streams.get("y")!.data, 2)]).toEqual([3, 4, 5, 6]);
    await open(`readerType = UCIFastReader\n${features}`, {}, log).reader;
    expect(log.at(-1)).toBe("Warning: labels are not specified.");
  });

  // As CNTK's log has it: the warning about the missing section is not for one that says `none`.
  it("warns of itself before it reads its section, and of labels only where their section is missing", async () => {
    const log: string[] = [];
    const none = section.replace("labelType = category", "labelType = none");
    await open(none, mapping, log).reader;
    expect(log.join("")).toContain("DEPRECATED");
    expect(log.join("")).not.toContain("labels are not specified");
    const wrong: string[] = [];
    const same = 'customDelimiter = "," ; customDecimalPoint = ","';
    await expect(open(section + same, mapping, wrong).reader).rejects.toThrow("cannot be the same");
    expect(wrong.join("")).toContain("DEPRECATED");
  });

  it("makes the mapping file where it may", async () => {
    const { reader, contents } = open(`${section}allowMapCreation = true`);
    await (await reader).close();
    expect(new TextDecoder().decode(contents.get("/map.txt") as Uint8Array)).toBe(" cat \n dog \n cow \n");
  });

  it.each([
    ["a mapping file that is not there", section, {}, "label mapping file map.txt not found"],
    [
      "a label that it lacks",
      section,
      { "/map.txt": "cat\ndog\n" },
      "label found in data not specified in label mapping file: cow",
    ],
    [
      "a word among the numbers",
      section.replace("start = 1 ; dim = 2", "start = 0 ; dim = 2"),
      mapping,
      "t.txt, line 1: ** String found in numeric-only file: cat",
    ],
    [
      "columns that are not there",
      section.replace("dim = 2", "dim = 5"),
      mapping,
      "t.txt, line 1: this line has 4 columns",
    ],
    [
      "labels of another file",
      section.replace("[ file = t.txt ; start = 0", "[ file = u.txt ; start = 0"),
      mapping,
      "features and label files must be the same file",
    ],
    [
      "a cache",
      `${section}writerType = BinaryWriter`,
      mapping,
      "writerType of UCIFastReader is not available yet",
    ],
  ])("refuses %s", async (_, text, files, message) => {
    // What is wrong with the data is told of with the first minibatch, else at once.
    const read = async () => {
      const reader = await open(text, files).reader;
      return readEpoch(reader, { minibatchSize: 2 });
    };
    const problem = await rejectionOf(read());
    expect(problem.message).toContain(message);
  });

  it("refuses an order that the minibatches do not divide", async () => {
    const problem = await rejectionOf(epoch(`${section}randomize = 3`, { minibatchSize: 2, epochSize: 4 }));
    expect(problem.message).toBe(
      "randomizeRange must be an even multiple of mbSize and an integral factor of epochSize",
    );
  });
});
