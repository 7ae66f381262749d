import { describe, expect, it } from "vitest";
import { ConfigSection } from "../../src/config/config-section.js";
import { MappedText } from "../../src/config/mapped-text.js";
import type { CntkError } from "../../src/diagnostics/diagnostic.js";
import { renderPlace } from "../../src/diagnostics/render.js";
import { readerFromConfig, textFormatOptions } from "../../src/readers/index.js";
import { memoryFiles } from "../support/memory-files.js";
import { rejectionOf } from "../support/problem-of.js";

function section(text: string, around = ""): ConfigSection {
  const outer = ConfigSection.read(MappedText.of({ name: "x.cntk", text: around }), "x.cntk").result;
  const source = { name: "x.cntk", text };
  return ConfigSection.read(MappedText.of(source), "x.cntk:reader", outer).result;
}

const files = memoryFiles(new Map([["/data.txt", "|features 1 2\n|features 3 4\n"]]));
const log = { write: () => {} };
const features = "input = [ features = [ dim = 2 ; format = dense ] ]";

const problemOf = (text: string): Promise<CntkError> =>
  rejectionOf(readerFromConfig(section(text), { files, log }));

describe("textFormatOptions", () => {
  it("has CNTK's defaults", () => {
    expect(textFormatOptions(section(`file = data.txt ; ${features}`))).toEqual({
      file: "data.txt",
      inputs: [
        { name: "features", alias: "features", dimension: 2, storage: "dense", definesMinibatchSize: false },
      ],
      elementType: "float",
      skipSequenceIds: false,
      maxErrors: 0,
      traceLevel: 1,
      verbosity: 0,
      chunkSizeInBytes: 33554432,
      keepDataInMemory: false,
      frameMode: false,
      randomize: true,
      sampleBasedRandomizationWindow: false,
      randomizationSeed: 0,
    });
  });

  it("finds options in the sections around, inputs in CNTK's order", () => {
    const inner = `file = data.txt
      input = [ Words = [ alias = w ; dim = 1000 ; format = Sparse ] ; labels = [ dim = 10 ; format = DENSE ; definesMBSize = true ] ]
      randomize = NONE ; randomizationWindow = 3`;
    const options = textFormatOptions(
      section(inner, "precision = Double ; traceLevel = 2 ; frameMode = true"),
    );
    expect(options).toMatchObject({
      elementType: "double",
      traceLevel: 2,
      frameMode: true,
      randomize: false,
      inputs: [
        { name: "labels", dimension: 10, storage: "dense", definesMinibatchSize: true },
        { name: "Words", alias: "w", dimension: 1000, storage: "sparse" },
      ],
    });
    expect(options.randomizationWindow).toBeUndefined();
  });
});

describe("readerFromConfig", () => {
  it("makes a text reader, also without a type and by its new name", async () => {
    for (const type of [
      "",
      "readerType = CNTKTextFormatReader",
      'readerType = "Cntk.Deserializers.TextFormat"',
    ]) {
      const reader = await readerFromConfig(section(`${type}\nfile = data.txt\n${features}`), { files, log });
      expect(reader.streams).toEqual([{ name: "features", dimension: 2, storage: "dense" }]);
      await reader.close();
    }
  });

  it.each([
    ["file = data.txt", 'CNTKTextFormatReader configuration does not contain "input" section.', "1:1"],
    [
      "file = data.txt ; input = [ ]",
      'CNTKTextFormatReader configuration contains an empty "input" section.',
      undefined,
    ],
    [
      "input = [ features = [ format = dense ] ]",
      'Input section for input \'features\' does not specify all the required parameters, "dim" and "format".',
      "1:11",
    ],
    [
      "input = [ a = [ dim = 1 ; format = thick ] ]",
      "'format' parameter must be set either to 'dense' or 'sparse'.",
      "1:36",
    ],
    [
      'input = [ a = [ dim = 1 ; format = dense ; alias = "" ] ]',
      "Alias value for input 'a' is empty.",
      undefined,
    ],
    [
      "input = [ a = [ dim = 1 ; format = dense ] ; b = [ alias = a ; dim = 1 ; format = dense ] ]",
      "Alias a is already mapped to input a.",
      "1:60",
    ],
    [
      "input = [ a = [ dim = -2 ; format = sparse ] ]",
      "Sample dimension (18446744073709551614) for sparse input 'a' exceeds the maximum allowed value (2147483647).",
      "1:23",
    ],
    [
      "input = [ a = [ dim = 2147483648 ; format = dense ] ]",
      "Sample dimension of input 'a' is out of range.",
      "1:23",
    ],
    [
      "input = [ a = [ dim = 2147483648 ; format = sparse ] ]",
      "Sample dimension (2147483648) for sparse input 'a' exceeds the maximum allowed value (2147483647).",
      "1:23",
    ],
    [
      "input = [ a = [ dim = 1 ; format = dense ; definesMBSize = true ] ; b = [ dim = 1 ; format = dense ; definesMBSize = true ] ]",
      "Only a single stream is allowed to define the minibatch size, but 2 found.",
      undefined,
    ],
    [
      `${features} ; precision = half`,
      "Not supported precision 'half'. Expected 'double' or 'float'.",
      "1:67",
    ],
    [
      `file = data.txt ; ${features} ; randomize = auto`,
      "ConfigValue (bool): boolean argument expected",
      "1:85",
    ],
    [`readerType = TextReader ; ${features}`, "Plugin not found: 'TextReader'", "1:14"],
    ["readerType = KaldiReader", "readerType KaldiReader is not available yet", "1:14"],
  ])("%s", async (text, message, place) => {
    const problem = await problemOf(text);
    expect(problem.message).toBe(message);
    if (place !== undefined) {
      expect(problem.diagnostic.span && renderPlace(problem.diagnostic.span)).toBe(`x.cntk:${place}`);
    }
  });

  it("reports a missing file as CNTK does, and knows where MNIST's text files come from", async () => {
    const problem = await problemOf(`file = nothing.txt ; ${features}`);
    expect(problem.code).toBe("file-missing");
    expect(problem.message).toBe(
      "CNTKTextFormatReader: While reading 'nothing.txt': error opening file 'nothing.txt': No such file or directory",
    );
    expect((await problemOf(`file = Data/Train-28x28_cntk_text.txt ; ${features}`)).diagnostic.hint).toBe(
      "cntkts mnist Data makes the MNIST text files",
    );
    expect((await problemOf(`file = Test-28x28_cntk_text.txt ; ${features}`)).diagnostic.hint).toContain(
      "cntkts mnist .",
    );
  });
});
