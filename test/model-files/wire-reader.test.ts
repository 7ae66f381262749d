import protobuf from "protobufjs";
import { describe, expect, it } from "vitest";
import { librarySchema } from "../../src/model-files/library/dictionary-schema.js";
import { type Message, type Schema, WireReader } from "../../src/model-files/library/wire-reader.js";
import { MersenneTwister64 } from "../../src/numerics/index.js";

/* The messages of CNTK's library, by protobufjs and by our reader. */

const schema: Schema = librarySchema;

const types = protobuf.Root.fromJSON({
  nested: Object.fromEntries(
    Object.entries(schema).map(([message, fields]) => [
      message,
      {
        fields: Object.fromEntries(
          Object.entries(fields).map(([id, { name, type, repeated }]) => [
            name,
            { id: Number(id), type, ...(repeated && { rule: "repeated" }) },
          ]),
        ),
      },
    ]),
  ),
});

class Broken extends Error {}

function ours(bytes: Uint8Array): Message {
  return new WireReader(bytes, schema, { depth: 100, broken: () => new Broken() }).message("Dictionary");
}

function theirs(bytes: Uint8Array): Message {
  const type = types.lookupType("Dictionary");
  return type.toObject(type.decode(bytes), { longs: Number, arrays: false });
}

const encoded = (dictionary: object): Uint8Array => {
  const type = types.lookupType("Dictionary");
  return Uint8Array.from(type.encode(type.fromObject(dictionary)).finish());
};

const value = (content: object): object => ({ version: 2, ...content });
const sample = encoded({
  version: 1,
  entries: [
    { key: "größe", value: value({ valueType: 3, size: 2 ** 40 + 5 }) },
    { key: "sign", value: value({ valueType: 2, integer: -7 }) },
    { key: "least", value: value({ valueType: 2, integer: -(2 ** 31) }) },
    { key: "numbers", value: value({ valueType: 5, float: 0.1, double: -0.1 }) },
    { key: "shape", value: value({ valueType: 7, shape: { dims: [3, 0, 2 ** 31, 300] } }) },
    { key: "axis", value: value({ valueType: 8, axis: { index: -2, name: "\ufefft", isOrdered: true } }) },
    {
      key: "list",
      value: value({
        valueType: 9,
        vector: { values: [value({ text: "" }), value({ boolean: true }), value({ text: "two" })] },
      }),
    },
    {
      key: "inside",
      value: value({
        dictionary: {
          entries: [
            {
              key: "array",
              value: value({
                array: { dataType: 1, shape: { dims: [2] }, floats: { bytes: Uint8Array.of(1, 2, 3, 4) } },
              }),
            },
          ],
        },
      }),
    },
  ],
});

describe("the reader of protobuf's messages", () => {
  it("reads what protobufjs reads", () => {
    expect(ours(sample)).toEqual(theirs(sample));
  });

  it("takes lists of numbers that stand apart, and passes over what it does not know", () => {
    // Field 9, a stretch; field 1 of the shape twice, each a number; field 2 of the shape, four bytes.
    const shape = [8, 5, 8, 172, 2, 21, 1, 2, 3, 4];
    const content = [74, shape.length, ...shape];
    const entry = [10, 1, 97, 18, content.length, ...content];
    const bytes = Uint8Array.from([18, entry.length, ...entry, 73, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(ours(bytes)).toEqual(theirs(bytes));
    expect(ours(bytes)).toEqual({ entries: [{ key: "a", value: { shape: { dims: [5, 300] } } }] });
  });

  it("refuses what protobufjs refuses of damaged bytes; what it reads of them, protobufjs reads too", () => {
    const random = new MersenneTwister64(1);
    let refused = 0;
    for (let round = 0; round < 1500; round++) {
      const damaged = Uint8Array.from(sample);
      damaged[random.nextModulo(damaged.length)] = random.nextModulo(256);
      const bytes = round % 4 === 0 ? damaged.subarray(0, random.nextModulo(damaged.length)) : damaged;
      const [own, other] = [ours, theirs].map((read) => {
        try {
          return read(bytes);
        } catch (error) {
          if (read === ours) expect(error).toBeInstanceOf(Broken);
          return undefined;
        }
      });
      if (own === undefined) refused++;
      else expect(own, `round ${round}`).toEqual(other);
    }
    expect(refused).toBeGreaterThan(300);
  });
});
