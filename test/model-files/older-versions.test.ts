import { describe, expect, it } from "vitest";
import { joinPieces } from "../../src/files/join-pieces.js";
import { ByteWriter } from "../../src/model-files/byte-writer.js";
import {
  type ModelFile,
  type ModelNode,
  modelFromNetwork,
  readModel,
  writeModel,
} from "../../src/model-files/index.js";
import { AxisNames, validateNetwork } from "../../src/shapes/index.js";
import { parameterValues } from "../../src/training/parameters.js";
import { networkFromBrainScript } from "../support/brainscript-network.js";

function modelOf(members: string): ModelFile {
  const { network } = networkFromBrainScript(members);
  const options = { traceLevel: 0, axisNames: new AxisNames(), elementType: "float" } as const;
  const { shaped } = validateNetwork(network, options);
  // By way of a file, so that all numbers are what float can hold.
  return readModel(writeModel(modelFromNetwork(shaped, parameterValues(shaped, "float"), "float")), "m");
}

/** The nodes without what tells where they come from. */
const nodesOf = ({ nodes }: ModelFile): ModelNode[] => nodes.map((node) => ({ ...node }));

describe("model files of older versions", () => {
  const lstm = modelOf(`x = Input {3} ; z = RecurrentLSTMLayer {2} (x) ; outputNodes = (z)`);
  const versions = Array.from({ length: 25 }, (_, index) => index + 2);

  it.each(versions)("version %i holds an LSTM", (version) => {
    const bytes = writeModel(lstm, version);
    const back = readModel(bytes, "m");
    expect(back.version).toBe(version);
    expect(nodesOf(back)).toEqual(nodesOf(lstm));
    expect(writeModel(back, version)).toEqual(bytes);
  });

  it("that cannot say something name the node and what it is", () => {
    expect(() => writeModel(lstm, 1)).toThrow(
      /^A model file of version 1 cannot hold the PastValue 'z\.prevState\.\w' with such a value of initialState\.$/,
    );
    const linear = modelOf(`x = Input {3} ; z = LinearLayer {2} (x) ; outputNodes = (z)`);
    expect(() => writeModel(linear, 11)).toThrow(
      /the Times 'z\..*' with such a value of inferInputRankToMap/,
    );
    expect(nodesOf(readModel(writeModel(linear, 12), "m"))).toEqual(nodesOf(linear));
  });

  it("hold batch normalization without the count of samples before version 19", () => {
    const model = modelOf(`x = Input {3} ; z = BatchNormalizationLayer {} (x) ; outputNodes = (z)`);
    const back = readModel(writeModel(model, 18), "m");
    // CNTK adds the parameter again when it reads such a file.
    expect(back.nodes.map(({ name }) => name)).toContain("z.run_sample_count");
    expect(back.nodes).toHaveLength(model.nodes.length);
    expect(() => writeModel(model, 12)).toThrow("BatchNormalization");
  });

  it("with a size that no shape can have are broken, though their sizes have room for it", () => {
    const bytes = writeModel(modelOf("x = Input {3} ; z = Abs (x) ; outputNodes = (z)"));
    // Two sizes of 64 bits, both 0 today, before the rank and the dimension.
    const sizes = Buffer.from([...new Uint8Array(16), 1, 0, 0, 0, 3, 0, 0, 0]);
    const at = Buffer.from(bytes).indexOf(sizes);
    const withRows = (rows: bigint) => {
      const copy = bytes.slice();
      new DataView(copy.buffer).setBigUint64(at, rows, true);
      return readModel(copy, "m");
    };
    expect(withRows(7n).nodes.find(({ name }) => name === "x")?.fields["shape"]).toEqual([7]);
    expect(() => withRows(1n << 32n)).toThrow(
      /^The file 'm' is broken: at byte \d+ there should be: shape of a node/,
    );
  });

  it.each([0, 27, 1.5])("there is no version %d", (version) => {
    expect(() => writeModel(lstm, version)).toThrow(`no version ${version}`);
  });

  it("a first version, with the image layout and the markers of its time, comes back byte for byte", () => {
    const pieces: Uint8Array[] = [];
    const writer = new ByteWriter((piece) => void pieces.push(piece));
    const list = (name: string, names: readonly string[]): void => {
      writer.wideText(`B${name}`);
      writer.unsigned8(names.length);
      for (const one of names) writer.wideText(one);
      writer.wideText(`E${name}`);
    };
    writer.wideText("BCN");
    writer.unsigned8(3);
    writer.wideText("BNodeList");
    writer.wideText("InputValue");
    writer.wideText("x");
    for (const size of [12, 1, 2, 2, 3]) writer.unsigned8(size);
    writer.wideText("LearnableParameter");
    writer.wideText("w");
    writer.boolean(true);
    for (const size of [1, 12]) writer.unsigned8(size);
    writer.matrix({ rows: 1, columns: 12, values: new Float32Array(12).fill(0.5) });
    writer.wideText("Times");
    writer.wideText("z");
    writer.wideText("ENodeList");
    writer.wideText("BRelation");
    for (const [name, inputs] of [
      ["x", []],
      ["w", []],
      ["z", ["w", "x"]],
    ] as const) {
      writer.wideText(name);
      writer.unsigned8(inputs.length);
      for (const input of inputs) writer.wideText(input);
    }
    writer.wideText("ERelation");
    writer.wideText("BRootNodes");
    list("FeatureNodes", ["x"]);
    list("LabelNodes", []);
    list("CriteriaNodes", ["z"]);
    list("NodesReqMultiSeqHandling", []);
    list("EvalNodes", []);
    list("OutputNodes", ["z"]);
    list("PairNodes", []);
    writer.wideText("ERootNodes");
    writer.wideText("ECN");
    writer.finish();
    const bytes = joinPieces(pieces);
    const model = readModel(bytes, "m");
    expect(model.groups).toMatchObject({ criterion: ["z"], output: ["z"] });
    expect(model.nodes.find(({ name }) => name === "x")?.fields["shape"]).toEqual([3, 2, 2]);
    expect(writeModel(model, 1)).toEqual(bytes);
    // A changed node is written by what it says today.
    const nodes = model.nodes.map((node) => ({ ...node }));
    expect(readModel(writeModel({ ...model, nodes }, 2), "m").groups.criterion).toEqual(["z"]);
  });
});
