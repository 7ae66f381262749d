import { describe, expect, it } from "vitest";
import { readWriteFormat } from "../../src/actions/write-format.js";
import { ConfigSection } from "../../src/config/config-section.js";
import { MappedText } from "../../src/config/mapped-text.js";
import { formatNodeValues } from "../../src/log/node-values.js";

const read = (text: string) => {
  const section = ConfigSection.read(MappedText.of({ name: "f", text }), "f").result;
  const lines: string[] = [];
  const files = { readText: () => "" };
  return readWriteFormat(section, { write: (line: string) => lines.push(line) })(files as never);
};

describe("texts in the format of a write that begin with #", () => {
  it("are no comments: CNTK's file of (3, -6) and (0.3, 21)", () => {
    const format = read(
      'format = [ prologue = "#P " ; elementSeparator = "#" ; precisionFormat = "#.0" ; epilogue = "#E$" ]',
    );
    const sequences = [
      { id: 0, columns: [0], length: 1 },
      { id: 1, columns: [1], length: 1 },
    ];
    const values = Float64Array.of(3, -6, 0.3, 21);
    const text = formatNodeValues({ name: "z", shape: [2], rows: 2, values, sequences }, format, 0);
    expect([format.prologue.trim(), text, format.epilogue]).toEqual(["#P", "3.#-6.\n0.#21.\n", "#E$"]);
  });

  it("are given by the section around as they stand there, and default is none", () => {
    const format = read(
      'elementSeparator = "#$a$"\nsampleSeparator = "#"\nformat = [ sampleSeparator = "default" ]',
    );
    expect([format.elementSeparator, format.sampleSeparator]).toEqual(["#$a$", "\\n"]);
  });
});
