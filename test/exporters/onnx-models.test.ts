import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { exportModelFile, loadModel } from "../../src/index.js";
import { temporaryFolder } from "../support/temporary-folder.js";
import { compareWithOnnx, openOnnx, tooFar } from "./onnxruntime.js";
import {
  atisIsHere,
  foundModels,
  foundRecurrentModels,
  sampleConfigs,
  trainedAtis,
  trainedSample,
  writeDigits,
} from "./rescued-models.js";

/* Whole models in onnxruntime, against our generated loops (the reference backend takes minutes for these). */

const folder = temporaryFolder();

async function expectSame(path: string): Promise<void> {
  const out = await exportModelFile(path, { format: "onnx", out: join(folder, "exported.onnx") });
  const onnx = await openOnnx(new Uint8Array(readFileSync(out)));
  const model = loadModel(path, { backend: "javascript" });
  expect(tooFar(await compareWithOnnx(model, onnx, join(folder, "data.txt")))).toEqual([]);
}

describe("exported models in onnxruntime", () => {
  it.each(sampleConfigs)("%s, after a minibatch of training", async (config) => {
    writeDigits(folder);
    await expectSame(await trainedSample(config, folder));
  });

  it.skipIf(!atisIsHere)("the LSTM of CNTK's ATIS example (skipped without CNTK's tree)", async () => {
    await expectSame(await trainedAtis(folder));
  });

  const all = [...foundModels, ...foundRecurrentModels];
  it.skipIf(all.length === 0).each(all)("$name (skipped without CNTK's tree)", ({ path }) =>
    expectSame(path),
  );
});
