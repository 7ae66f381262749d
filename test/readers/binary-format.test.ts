import { describe, expect, it } from "vitest";
import { CntkError } from "../../src/diagnostics/diagnostic.js";
import { MersenneTwister64 } from "../../src/numerics/index.js";
import { openReader, readEpoch, streamOf, valuesOf } from "../support/read-epoch.js";
import { rejectionOf } from "../support/problem-of.js";

/** Bytes of a file, put together number by number. */
class Writer {
  readonly bytes: number[] = [];

  add(length: number, set: (view: DataView) => void): void {
    const view = new DataView(new ArrayBuffer(length));
    set(view);
    this.bytes.push(...new Uint8Array(view.buffer));
  }
  u1(...values: number[]): void {
    this.bytes.push(...values);
  }
  u4(...values: number[]): void {
    for (const value of values) this.add(4, (view) => view.setUint32(0, value, true));
  }
  u8(value: number | bigint): void {
    this.add(8, (view) => view.setBigUint64(0, BigInt(value), true));
  }
  f4(...values: number[]): void {
    for (const value of values) this.add(4, (view) => view.setFloat32(0, value, true));
  }
}

const magic = 0x636e746b5f62696en;

/**
 * Two chunks. `x` is dense of 2, `w` sparse of 10. First chunk: a sequence of two samples and one of one; second chunk: a
 * sequence of one sample.
 */
function sample(version = 1): Uint8Array {
  const file = new Writer();
  file.u8(magic);
  file.u4(version);
  const first = file.bytes.length;
  file.u4(2, 1);
  file.u4(2);
  file.f4(1, 2, 3, 4);
  file.u4(1);
  file.f4(5, 6.5);
  // w: {3: 0.5, 7: 1}, {}; then {0: 2}.
  file.u4(2, 2);
  file.f4(0.5, 1);
  file.u4(3, 7, 2, 0);
  file.u4(1, 1);
  file.f4(2);
  file.u4(0, 1);
  const second = file.bytes.length;
  file.u4(1);
  file.u4(1);
  file.f4(7, 8);
  file.u4(1, 0, 0);
  const header = file.bytes.length;
  file.u8(magic);
  file.u4(2, 2);
  file.u1(0);
  file.u4(1);
  file.u1("x".charCodeAt(0), 0);
  file.u4(2);
  file.u1(1);
  file.u4(1);
  file.u1("w".charCodeAt(0), 0);
  file.u4(10);
  file.u8(first);
  file.u4(2, 3);
  file.u8(second);
  file.u4(1, 1);
  file.u8(header);
  return Uint8Array.from(file.bytes);
}

const binary = "readerType = CNTKBinaryReader ; file = d.bin";

describe("a binary file", () => {
  it("gives sequences of dense and sparse inputs", async () => {
    const reader = await openReader({ "d.bin": sample() }, `${binary} ; randomize = false`);
    expect(reader.streams).toEqual([
      { name: "x", dimension: 2, storage: "dense" },
      { name: "w", dimension: 10, storage: "sparse" },
    ]);
    expect(reader.sweepSamples).toBe(4);
    const [minibatch, ...others] = await readEpoch(reader, { minibatchSize: 9 });
    expect(others).toEqual([]);
    // Sequences of 2, 1 and 1: the third lies behind the second.
    expect(streamOf(minibatch, "x").layout).toMatchObject({ rows: 2, steps: 2 });
    expect(valuesOf(minibatch, "x")).toEqual([1, 2, 5, 6.5, 3, 4, 7, 8]);
    const { data } = streamOf(minibatch, "w");
    if (data.storage !== "sparse") throw new Error("not sparse");
    expect([[...data.values], [...data.rows], [...data.columnStarts]]).toEqual([
      [0.5, 1, 2],
      [3, 7, 0],
      [0, 2, 3, 3, 3],
    ]);
  });

  it("is mixed, and its streams take other names", async () => {
    const input = "input = [ words = [ alias = w ] ]";
    const reader = await openReader({ "d.bin": sample() }, `${binary} ; ${input}`);
    expect(reader.streams.map(({ name }) => name)).toEqual(["x", "words"]);
    const values = (await readEpoch(reader, { minibatchSize: 1 })).flatMap((m) => valuesOf(m, "x"));
    expect(values.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6.5, 7, 8]);
  });

  it("must hold numbers of the precision, be of version 1, and exist", async () => {
    const files = { "d.bin": sample() };
    expect((await rejectionOf(openReader(files, `${binary} ; precision = double`))).message).toBe(
      "Unsupported combination of the input data type 0 and precision 1. At the moment, both have to match.",
    );
    expect((await rejectionOf(openReader({ "d.bin": sample(2) }, binary))).message).toBe(
      "The reader version is 1, but the data file was created for version 2.",
    );
    expect((await rejectionOf(openReader({ "d.bin": "|x 1 2\n" }, binary))).message).toBe(
      "CNTKBinaryReader: While reading 'd.bin': The input (d.bin) is not a valid CNTK binary format file.",
    );
    expect((await rejectionOf(openReader({}, binary))).code).toBe("file-missing");
  });

  it("gives samples or an error where it is damaged", async () => {
    const engine = new MersenneTwister64(7);
    const sound = sample();
    for (let round = 0; round < 2000; round++) {
      let bytes = sound.slice();
      for (let changes = 1 + engine.nextModulo(3); changes > 0; changes--) {
        bytes[engine.nextModulo(bytes.length)] = [0, 1, 0x7f, 0x80, 0xff][engine.nextModulo(5)] ?? 0;
      }
      if (engine.nextModulo(10) === 0) bytes = bytes.slice(0, engine.nextModulo(bytes.length));
      try {
        const reader = await openReader({ "d.bin": bytes }, binary);
        await readEpoch(reader, { minibatchSize: 3 });
      } catch (error) {
        if (!(error instanceof CntkError)) throw error;
        expect(["data-format", "minibatch-too-large", "reader-streams"]).toContain(error.code);
      }
    }
  });
});
