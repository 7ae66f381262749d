import { describe, expect, it } from "vitest";
import { CntkError } from "../../src/diagnostics/diagnostic.js";
import { ByteReader } from "../../src/model-files/byte-reader.js";
import { joinPieces } from "../../src/files/join-pieces.js";
import { ByteWriter } from "../../src/model-files/byte-writer.js";
import { readFields, writeFields } from "../../src/model-files/stored-bytes.js";
import type { Fields } from "../../src/network/stored-fields.js";
import { attributesFromFields, fieldsFromAttributes } from "../../src/network/stored-fields.js";
import { operations } from "../../src/ops/index.js";
import { modelFileOperationNames, operationOfModelFile } from "../../src/ops/unavailable.js";

function layoutOf(operation: string) {
  const layout = operationOfModelFile(operation)?.stored;
  if (!layout) throw new Error(`no layout of ${operation}`);
  return layout;
}

/** Bytes as an older CNTK would have written them. */
function bytesOf(write: (writer: ByteWriter) => void): Uint8Array {
  const pieces: Uint8Array[] = [];
  const writer = new ByteWriter((piece) => void pieces.push(piece));
  write(writer);
  writer.finish();
  return joinPieces(pieces);
}

/** Fields of a node read from the bytes of a file of that version; everything must be consumed. */
function fieldsOf(operation: string, version: number, write: (writer: ByteWriter) => void): Fields {
  const reader = new ByteReader(bytesOf(write), "m");
  const { fields } = readFields(reader, layoutOf(operation), version, "float");
  expect(reader.atEnd).toBe(true);
  return fields;
}

describe("stored fields", () => {
  it("are known for every operation, under every name", () => {
    for (const op of operations.filter(({ internal }) => !internal)) {
      expect(operationOfModelFile(op.name)?.stored, op.name).toBeDefined();
      for (const alias of op.aliases ?? []) expect(operationOfModelFile(alias)?.name).toBe(op.name);
    }
    for (const name of modelFileOperationNames())
      expect(operationOfModelFile(name)?.stored, name).toBeDefined();
    expect(operationOfModelFile("constructor")?.stored).toBeUndefined();
  });

  it("of slices: length in the file, end in the node; one axis or several", () => {
    const layout = layoutOf("Slice");
    const one = fieldsOf("Slice", 21, (writer) => {
      writer.signed8(2);
      writer.signed8(-3);
      writer.signed4(2);
    });
    expect(attributesFromFields(layout, one)).toEqual({ beginIndex: 2, endIndex: -1, axis: 2 });
    // Up to version 2 slices were of rows.
    const rows = fieldsOf("Slice", 2, (writer) => {
      writer.signed8(1);
      writer.signed8(4);
    });
    expect(attributesFromFields(layout, rows)).toEqual({ beginIndex: 1, endIndex: 5, axis: 1 });
    const two = fieldsOf("Slice", 22, (writer) => {
      writer.signed4(2);
      for (const number of [0, 1]) {
        writer.signed8(number);
        writer.signed8(5);
        writer.signed4(number + 1);
      }
    });
    const attributes = attributesFromFields(layout, two);
    expect(attributes).toEqual({ beginIndex: [0, 1], endIndex: [5, 6], axis: [1, 2] });
    expect(fieldsFromAttributes(layout, attributes)).toEqual(two);
  });

  it("of deprecated reshapes: the image that came out, whatever was asked for", () => {
    const fields = fieldsOf("LegacyReshape", 26, (writer) => {
      writer.unsigned8(30);
      writer.shape([5, 3, 2]);
    });
    const attributes = attributesFromFields(layoutOf("LegacyReshape"), fields);
    expect(attributes).toMatchObject({ numRows: 30, imageWidth: 5, imageHeight: 3, imageChannels: 2 });
    expect(fieldsFromAttributes(layoutOf("LegacyReshape"), attributes)).toEqual(fields);
  });

  it("of delays: rows before version 4, no initial value before 2", () => {
    const old = (version: number): Fields =>
      fieldsOf("PastValue", version, (writer) => {
        writer.signed4(3);
        writer.unsigned8(10);
        writer.unsigned8(1);
        if (version >= 2) writer.float4(0.5);
      });
    expect(old(1)).toEqual({ timeStep: 3, shape: [10], initialState: 0.1 });
    expect(old(3)).toEqual({ timeStep: 3, shape: [10], initialState: 0.5 });
    expect(attributesFromFields(layoutOf("PastValue"), old(3))).toEqual({
      timeStep: 3,
      shape: [10],
      defaultHiddenActivation: 0.5,
    });
  });

  it("of convolutions before version 5: two dimensions", () => {
    const fields = fieldsOf("Convolution", 4, (writer) => {
      for (const size of [5, 3, 2, 1]) writer.unsigned8(size);
      writer.unsigned4(16);
      writer.unsigned4(0);
      writer.boolean(true);
      writer.unsigned8(0);
    });
    expect(attributesFromFields(layoutOf("Convolution"), fields)).toMatchObject({
      kernelShape: [5, 3, 1],
      strideShape: [2, 1, 1],
      mapCount: [16],
      dimPadding: [true],
      imageLayout: "HWC",
      transpose: false,
    });
  });

  it("of batch normalization: its own version numbers, minibatches instead of samples, a yes or no", () => {
    const inner = fieldsOf("BatchNormalization", 5, (writer) => {
      writer.signed4(0x00010002);
      writer.signed4(0x00010001);
      writer.boolean(false);
      writer.boolean(true);
      writer.float8(0.9);
      writer.signed4(1);
      writer.unsigned8(7);
    });
    // An averaging factor is no time constant; the count has moved into a parameter.
    expect(inner).toEqual({
      spatial: true,
      normalizationTimeConstant: 0,
      blendTimeConstant: 0,
      imageLayout: 1,
      runCount: 0,
      epsilon: 0.00001,
      useCntkEngine: true,
    });
    const yesOrNo = (isZero: boolean): Fields =>
      fieldsOf("BatchNormalization", 19, (writer) => {
        writer.boolean(true);
        writer.float8(5000);
        writer.float8(Infinity);
        writer.signed4(1);
        writer.boolean(isZero);
        writer.float8(0.001);
        writer.boolean(false);
      });
    expect(yesOrNo(true)).toMatchObject({ runCount: 0, epsilon: 0.001, useCntkEngine: false });
    expect(yesOrNo(false)).toMatchObject({ runCount: 2n ** 64n - 1n, blendTimeConstant: Infinity });
    expect(() =>
      fieldsOf("BatchNormalization", 5, (writer) => {
        writer.signed4(0x00010001);
        writer.signed4(0x00010003);
      }),
    ).toThrow(CntkError);
  });

  it("of noise contrastive estimation: an old file has no mode, its bytes belong to the next node", () => {
    const layout = layoutOf("NCEBasedCrossEntropyWithSoftmax");
    const reader = new ByteReader(
      bytesOf((writer) => writer.wideText("float")),
      "m",
    );
    expect(readFields(reader, layout, 1, "float").fields).toEqual({ mode: 2 });
    expect(reader.position).toBe(0);
  });

  it("of recurrent stacks: old names, no axis", () => {
    const fields = fieldsOf("OptimizedRNNStack", 13, (writer) => {
      writer.unsigned8(1);
      writer.unsigned8(2);
      writer.unsigned8(300);
      writer.wideText("RNN_TANH");
    });
    const layout = layoutOf("OptimizedRNNStack");
    const attributes = attributesFromFields(layout, fields);
    expect(attributes).toEqual({
      bidirectional: true,
      numLayers: 2,
      hiddenDims: 300,
      recurrentOp: "rnnTanh",
      axis: -1,
    });
    expect(fieldsFromAttributes(layout, attributes)).toEqual(fields);
    expect(layout.upgradeInputs?.(["w", "x"], 13)).toEqual([{ name: "x" }, { name: "w" }]);
    expect(layout.upgradeInputs?.(["x", "w"], 14)).toEqual([{ name: "x" }, { name: "w" }]);
  });

  it("of a trace: no limit is Infinity", () => {
    const layout = layoutOf("Trace");
    const attributes = { say: "here", logFirst: 10, logFrequency: 100, onlyUpToRow: Infinity, onlyUpToT: 5 };
    const fields = fieldsFromAttributes(layout, attributes);
    expect(fields).toMatchObject({ message: "here", onlyUpToRow: 2n ** 64n - 1n, onlyUpToT: 5 });
    const bytes = bytesOf((writer) => writeFields(writer, layout, { fields }, "float"));
    const read = readFields(new ByteReader(bytes, "m"), layout, 26, "float").fields;
    expect(read).toEqual(fields);
    expect(attributesFromFields(layout, read)).toMatchObject(attributes);
  });

  it("that no node can have are a broken file, with its name and the byte", () => {
    const times =
      (rank: bigint): (() => Fields) =>
      () =>
        fieldsOf("Times", 26, (writer) => {
          writer.unsigned8(rank);
          writer.signed4(-1);
        });
    expect(times(2n)()).toEqual({ outputRank: 2, inferInputRankToMap: -1 });
    expect(times(2n ** 60n)).toThrow("'m' is broken: at byte 0 there should be: outputRank");
    expect(times(5000n)).toThrow("outputRank");
  });
});
