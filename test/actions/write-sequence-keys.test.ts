import { describe, expect, it } from "vitest";
import { formatNodeValues, type WriteFormat } from "../../src/log/node-values.js";

const format: WriteFormat = {
  kind: "real",
  labels: undefined,
  mismatch: () => {},
  transpose: true,
  prologue: "",
  epilogue: "",
  sequenceSeparator: "",
  sequencePrologue: "%k %d:",
  sequenceEpilogue: "\\n",
  elementSeparator: " ",
  sampleSeparator: " | ",
  conversion: { flags: "", width: 0, precision: 1 },
};

/** As CNTK wrote two sequences with the keys 7 and 12, the first of two samples. */
describe("%k in the format of a write", () => {
  const sequences = [
    { id: 0, columns: [0, 2], length: 2 },
    { id: 1, columns: [1], length: 1 },
  ];
  const node = { name: "z", shape: [1], rows: 1, values: Float64Array.of(1, 2, 3) };

  it("is the key of the sequence", () => {
    const keyed = sequences.map((sequence, i) => ({ ...sequence, key: ["7", "$&12"][i] }));
    expect(formatNodeValues({ ...node, sequences: keyed }, format, 0)).toBe("7 0:1.0 | 3.0\n$&12 1:2.0\n");
  });

  it("stays as it is where keys are not written", () => {
    expect(formatNodeValues({ ...node, sequences }, format, 0)).toBe("%k 0:1.0 | 3.0\n%k 1:2.0\n");
  });
});
