import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { numpyArchive } from "../../src/exporters/index.js";
import { endsInTime } from "../support/program.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const folder = temporaryFolder();
const arrays = [
  { name: "z.W", shape: [2, 3], values: Float32Array.of(1, 4, 2, 5, 3, 6) },
  { name: "b", shape: [4], values: Float64Array.of(0.5, -1, 2, 1e300) },
  { name: "s", shape: [], values: Float32Array.of(7) },
];

describe("arrays for numpy", () => {
  it("stand row by row behind a header that describes them", () => {
    const bytes = Buffer.from(numpyArchive(arrays));
    const at = bytes.indexOf("\x93NUMPY", 0, "latin1");
    const length = bytes.readUInt16LE(at + 8);
    expect(bytes.toString("latin1", at + 10, at + 10 + length)).toMatch(
      /^\{'descr': '<f4', 'fortran_order': False, 'shape': \(2, 3\), \} *\n$/,
    );
    expect((10 + length) % 64).toBe(0);
    const elements = Array.from({ length: 6 }, (_, i) => bytes.readFloatLE(at + 10 + length + 4 * i));
    expect(elements).toEqual([1, 2, 3, 4, 5, 6]);
  });

  // A second implementation, where the machine has one, opens the archive and checks its sums.
  const hasPython = spawnSync("python3", ["-c", "import zipfile"], endsInTime).status === 0;
  it.skipIf(!hasPython)("are an archive that Python's zipfile finds sound (skipped without Python)", () => {
    const path = join(folder, "arrays.npz");
    writeFileSync(path, numpyArchive(arrays));
    const script = "import zipfile,sys; z=zipfile.ZipFile(sys.argv[1]); print(z.testzip(), z.namelist())";
    const { stdout } = spawnSync("python3", ["-c", script, path], { encoding: "utf8", ...endsInTime });
    expect(stdout.trim()).toBe("None ['z.W.npy', 'b.npy', 's.npy']");
  });
});
