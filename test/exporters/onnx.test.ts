import { readFileSync } from "node:fs";
import { join } from "node:path";
import type * as ort from "onnxruntime-web";
import { describe, expect, it } from "vitest";
import { exportModel } from "../../src/actions/export-model.js";
import type { ModelSession } from "../../src/actions/model-session.js";
import { exportModelFile, loadModel } from "../../src/index.js";
import { temporaryFolder } from "../support/temporary-folder.js";
import { feedForwardNetworks, modelOf, recurrentNetworks } from "./exported-networks.js";
import { compareWithOnnx, openOnnx, tooFar } from "./onnxruntime.js";

/* Exported models run in onnxruntime and give what our reference backend gives. */

const folder = temporaryFolder();
const producerVersion = "test";

async function running(
  model: ModelSession,
  outputs: readonly string[],
  opset?: number,
): Promise<ort.InferenceSession> {
  const bytes = await exportModel(model, { format: "onnx", outputs, opset, producerVersion });
  if (!(bytes instanceof Uint8Array)) throw new Error("an ONNX model is bytes");
  return openOnnx(bytes);
}

async function expectSame(members: string, outputs: readonly string[], opset?: number): Promise<void> {
  const model = modelOf(members);
  const session = await running(model, outputs, opset);
  expect(session.outputNames).toEqual(outputs);
  expect(tooFar(await compareWithOnnx(model, session, join(folder, "data.txt")))).toEqual([]);
}

describe("feed-forward networks in onnxruntime", () => {
  for (const { title, members, outputs } of feedForwardNetworks)
    it(title, () => expectSame(members, outputs));

  it.each([13, 18, 21])("operation set %i", (opset) =>
    expectSame(
      `x = Input {(4:3)} ; z = ReduceMean (ReduceSum (x, axis = 1), axis = 2) ; outputNodes = (z)`,
      ["z"],
      opset,
    ),
  );
});

describe("recurrent networks in onnxruntime", () => {
  it.each(recurrentNetworks)("$title", ({ members, outputs }) => expectSame(members, outputs));
});

describe("an export", () => {
  it("holds what the outputs need, under recognizable names, and folds what never changes", async () => {
    const model = modelOf(
      `x = Input {3} ; y = Input {2}
       h = DenseLayer {4, activation = Tanh} (x) ; z = DenseLayer {2} (h)
       ce = CrossEntropyWithSoftmax (y, z) ; scaled = Times (ParameterTensor {(2:4)} .* Constant (2), h)
       outputNodes = (scaled) ; criterionNodes = (ce)`,
    );
    const session = await running(model, ["scaled"]);
    expect(session.inputNames).toEqual(["x"]);
    expect(session.outputNames).toEqual(["scaled"]);
  });

  it("names an operation without a counterpart, and the node that it measures", async () => {
    const model = modelOf(
      `x = Input {3} ; y = Input {2} ; z = DenseLayer {2} (x) ; ce = CrossEntropyWithSoftmax (y, z)
       criterionNodes = (ce)`,
    );
    await expect(running(model, ["ce"])).rejects.toMatchObject({
      code: "export-operation",
      message: "CrossEntropyWithSoftmax has no counterpart in ONNX (node 'ce').",
      diagnostic: { hint: "--output z is what it measures" },
    });
  });

  it("is written for a model file, which has float numbers", async () => {
    const from = "test/fixtures/model-files/07-float.model";
    const path = await exportModelFile(from, { format: "onnx", out: join(folder, "07.onnx") });
    const session = await openOnnx(new Uint8Array(readFileSync(path)));
    const model = loadModel(from, { backend: "reference" });
    expect(tooFar(await compareWithOnnx(model, session, join(folder, "data.txt")))).toEqual([]);
  });
});
