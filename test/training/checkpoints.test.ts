import { describe, expect, it } from "vitest";
import type { FileAccess } from "../../src/files/file-access.js";
import {
  checkpointFile,
  determineStartEpoch,
  modelFileAfter,
  removeSupersededCheckpoint,
} from "../../src/training/checkpoints.js";
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
  const left = (startEpoch: number) => {
    const contents = new Map(
      ["m.0", "m.1", "m.1.ckp", "m.2", "m.2.ckp", "m", "m.ckp"].map((name) => [`/${name}`, ""] as const),
    );
    removeSupersededCheckpoint(memoryFiles(contents), "m", startEpoch, 3);
    return [...contents.keys()].filter((name) => name.endsWith(".ckp"));
  };
  it("has it cleared by the next, and nothing else", () => {
    expect([-1, 0, 1].map(left)).toEqual(Array(3).fill(["/m.1.ckp", "/m.2.ckp", "/m.ckp"]));
    expect(left(2)).toEqual(["/m.2.ckp", "/m.ckp"]);
    expect(left(3)).toEqual(["/m.1.ckp", "/m.ckp"]);
  });
});
