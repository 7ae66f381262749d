import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { modelFromUnshapedNetwork, readModel, writeModel } from "../../src/model-files/index.js";
import { networkFromModel } from "../../src/sources/model-file/index.js";

const corpora = ["cntk", "cntk-cpu", "public-models"]
  .map((name) => fileURLToPath(new URL(`../../../shared/${name}/`, import.meta.url)))
  .filter((folder) => existsSync(folder));
const fixtures = fileURLToPath(new URL("../fixtures/model-files/", import.meta.url));

const marker = Buffer.from("BCN\0", "utf16le");

/** Every file below a folder that begins as model files do, and is whole. */
function modelsBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => /\.(dnn|model|cmf|bin)(\.\d+)?$/.test(path) && !path.includes("broken"))
    .filter((path) => readFileSync(path).subarray(0, marker.length).equals(marker));
}

/**
 * Files that come back otherwise: in their own version, in today's, and by way of a network whose attributes were made of them.
 */
function changedFiles(paths: readonly string[]): {
  own: string[];
  read: string[];
  network: string[];
  older: number;
} {
  const changed = { own: [] as string[], read: [] as string[], network: [] as string[], older: 0 };
  for (const path of paths) {
    const bytes = readFileSync(path);
    const model = readModel(new Uint8Array(bytes), path);
    const elementType = model.nodes.some(({ precision }) => precision === "double") ? "double" : "float";
    if (!Buffer.from(writeModel(model, model.version)).equals(bytes)) changed.own.push(path);
    const written = Buffer.from(writeModel(model));
    // Older versions are written as today's, which must stay what they are from then on.
    if (model.version < 26) changed.older++;
    const wanted = model.version < 26 ? Buffer.from(writeModel(readModel(written, path))) : bytes;
    if (!written.equals(wanted)) changed.read.push(path);
    const carried = Buffer.from(
      writeModel(modelFromUnshapedNetwork(networkFromModel(model, "m"), elementType)),
    );
    if (!carried.equals(written)) changed.network.push(path);
  }
  return changed;
}

describe("every recorded model file", () => {
  it("of the fixtures comes back byte for byte, runnable or not", () => {
    const paths = modelsBelow(fixtures);
    expect(paths.length).toBeGreaterThanOrEqual(9);
    expect(changedFiles(paths)).toEqual({ own: [], read: [], network: [], older: 0 });
  });

  it.skipIf(corpora.length === 0)("of CNTK's own tree and of its runs comes back byte for byte", () => {
    const paths = corpora.flatMap(modelsBelow);
    expect(paths.length).toBeGreaterThan(0);
    const { own, read, network, older } = changedFiles(paths);
    expect(own).toEqual([]);
    expect(older).toBeGreaterThan(0);
    expect(read).toEqual([]);
    expect(network).toEqual([]);
  });

  it("says the same where its matrices stay in the file's bytes, wherever these begin", () => {
    for (const path of modelsBelow(fixtures)) {
      const bytes = readFileSync(path);
      const expected = readModel(new Uint8Array(bytes), path).nodes;
      for (const offset of [0, 1, 6]) {
        const room = new Uint8Array(bytes.length + offset + 1).fill(0x55);
        room.set(bytes, offset);
        const own = readModel(room.subarray(offset, offset + bytes.length), path, true);
        expect(own.nodes).toEqual(expected);
        expect([...room.subarray(0, offset), room.at(-1)].every((byte) => byte === 0x55)).toBe(true);
      }
    }
  });
});
