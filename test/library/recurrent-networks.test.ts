import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { AxisNames } from "../../src/shapes/index.js";
import { buildText } from "../support/build-text.js";
import { validateWithLog } from "../support/validate-with-log.js";

interface RecordedNetwork {
  readonly case: string;
  readonly text: string;
  /** What was printed while the network was built: random parameters in the order they are made. */
  readonly built: string;
  /** The block `Post-processing network...`: loops, names, operations, shapes and seeds, pass by pass. */
  readonly compiled: string;
}

const recorded = JSON.parse(
  readFileSync(new URL("../fixtures/library/recurrent-networks.json", import.meta.url), "utf8"),
) as RecordedNetwork[];

describe("networks over sequences made by the library (recorded from CNTK 2.0, CPU build)", () => {
  it.each(recorded.map((item) => [item.case, item] as const))("%s", (_name, { text, built, compiled }) => {
    const { network, log } = buildText(text);
    expect(log).toBe(built);
    const options = { traceLevel: 1, axisNames: new AxisNames(), elementType: "double" } as const;
    expect(validateWithLog(network, options).log).toBe(compiled);
  });
});
