import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

const recorded = "test/fixtures/conformance/simple2d";

/** Puts the Simple2d data of CNTK's tests (two classes in the plane, 10,000 and 603 samples) into a folder. */
export function writeSimple2d(folder: string): void {
  const train = "SimpleDataTrain_cntk_text.txt";
  const test = "SimpleDataTest_cntk_text.txt";
  writeFileSync(join(folder, train), gunzipSync(readFileSync(join(recorded, `${train}.gz`))));
  copyFileSync(join(recorded, test), join(folder, test));
}
