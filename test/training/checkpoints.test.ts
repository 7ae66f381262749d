import { describe, expect, it } from "vitest";
import { ConfigSection, MappedText } from "../../src/config/index.js";
import type { FileAccess } from "../../src/files/file-access.js";
import {
  checkpointFile,
  determineStartEpoch,
  modelFileAfter,
  removeSupersededCheckpoint,
} from "../../src/training/checkpoints.js";
import { readSgdOptions } from "../../src/training/sgd-options.js";
import { memoryFiles } from "../support/memory-files.js";

/** A file system that holds files of these ages. */
function filesAt(times: Readonly<Record<string, number>>): FileAccess {
  return { ...memoryFiles(new Map()), modified: (path) => times[path] };
}

const start = (times: Readonly<Record<string, number>>, maxEpochs = 3, makeMode = true) =>
  determineStartEpoch(filesAt(times), "m", maxEpochs, makeMode);

it("files are numbered from the untrained model; the last epoch's bears the plain name", () => {
  expect([-1, 0, 1, 2].map((epoch) => modelFileAfter("x/m.dnn", epoch, 3))).toEqual([
    "x/m.dnn.0",
    "x/m.dnn.1",
    "x/m.dnn.2",
    "x/m.dnn",
  ]);
  expect(checkpointFile("x/m.dnn.1")).toBe("x/m.dnn.1.ckp");
});

describe("where a training goes on", () => {
  it("anew without files, and always with makeMode=false", () => {
    expect(start({})).toBe(-1);
    expect(start({ m: 9, "m.2": 8, "m.1": 7, "m.0": 6 }, 3, false)).toBe(-1);
  });
  it("behind the newest model", () => {
    expect(start({ "m.0": 1 })).toBe(0);
    expect(start({ "m.0": 1, "m.1": 2 })).toBe(1);
    expect(start({ "m.0": 1, "m.1": 2, "m.2": 3 })).toBe(2);
    expect(start({ "m.0": 1, "m.1": 2, "m.2": 3, m: 4 })).toBe(3);
  });
  it("models of the same instant are in order", () => {
    expect(start({ "m.0": 5, "m.1": 5, "m.2": 5 })).toBe(2);
  });
  it("a model older than its predecessor does not count", () => {
    expect(start({ "m.0": 1, "m.1": 9, "m.2": 3 })).toBe(1);
    expect(start({ "m.0": 9, "m.1": 3 })).toBe(0);
  });
  it("a missing predecessor does no harm", () => {
    expect(start({ "m.2": 3 })).toBe(2);
    expect(start({ m: 3 })).toBe(3);
  });
  it("with more epochs than before the plain name is the last epoch's, so the numbered one counts", () => {
    expect(start({ "m.0": 1, "m.1": 2, "m.2": 3 }, 5)).toBe(2);
  });
});

describe("a run killed before it cleared the checkpoint before the last", () => {
  const text = "modelPath = m ; maxEpochs = 3 ; learningRatesPerSample = 1";
  const section = ConfigSection.read(MappedText.of({ name: "f.cntk", text }), "f.cntk:train:SGD").result;
  const { autoAdjust } = readSgdOptions(section);
  const left = (startEpoch: number, checkpoints: readonly string[], adjusted = autoAdjust) => {
    const contents = new Map(checkpoints.map((name) => [`/${name}.ckp`, ""] as const));
    const options = { autoAdjust: adjusted, modelPath: "m", maxEpochs: 3 };
    removeSupersededCheckpoint(memoryFiles(contents), options, startEpoch);
    return [...contents.keys()];
  };
  it("has it cleared by the next, and nothing else", () => {
    for (const startEpoch of [-1, 0, 1]) expect(left(startEpoch, ["m.1", "m.2"])).toHaveLength(2);
    expect(left(2, ["m.1", "m.2"])).toEqual(["/m.2.ckp"]);
    expect(left(3, ["m.2", "m"])).toEqual(["/m.ckp"]);
  });
  // CNTK removes nothing when it begins: these are left by runs that ended.
  it("is no training that ended without a checkpoint, that kept them all, or that goes back over two epochs", () => {
    expect(left(3, ["m.2"])).toEqual(["/m.2.ckp"]);
    expect(left(3, ["m.1", "m.2", "m"])).toHaveLength(3);
    const rateControl = { ...autoAdjust.rateControl, loadBestModel: true, interval: 2 };
    const adjusted = { ...autoAdjust, rates: "adjusted after epochs", rateControl } as const;
    expect(left(3, ["m.2", "m"], adjusted)).toEqual(["/m.2.ckp", "/m.ckp"]);
  });
});
