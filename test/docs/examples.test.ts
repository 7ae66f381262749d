import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { checkoutOf } from "../support/checkout.js";
import { builtProgram, endsInTime } from "../support/program.js";

const cli = builtProgram();

describe("the examples", () => {
  const folder = checkoutOf(cli);
  const run = (...words: string[]): string =>
    execFileSync(process.execPath, words, {
      ...endsInTime,
      cwd: folder,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });

  it("train from a program, and show a mistake", () => {
    const text = run("examples/train.mjs");
    expect(text).toContain("epoch 20 of 20");
    expect(text).toMatch(/Final Results: .*errs = 0\.000% \* 246/);
    expect(text).toContain("train=[SGD=[maxEpochs=many]]");
  });

  it("look into the model that was trained", () => {
    expect(run("examples/inspect-model.mjs")).toMatch(/single bit 0: even\n.*single bit 1: odd/);
  });

  it("train another head on the layers of that model, which stay", () => {
    run(cli, "configFile=examples/fine_tune.cntk", "stderr=log");
    const values = (model: string, node: string): string =>
      run(cli, "eval", "--model", `Output/Models/${model}.model`, "--node", node);
    const cloned = run(cli, "print-nodes", "--long", "Output/Models/fine_tune.model");
    expect(cloned).toContain("lstm.W");
    const [, name = ""] = /^(\S*lstm\.W)\b/m.exec(cloned) ?? [];
    expect(values("fine_tune", name).replace(name, "")).toBe(
      values("parity_LSTM", "lstm.W").replace("model.arrayOfFunctions[0].lstm.W", ""),
    );
  });

  it("print the shapes of a network in memory", () => {
    expect(run("examples/in-memory.mjs")).toMatch(/Pooling +\[28 x 28 x 8 x \*\] +→ +\[7 x 7 x 8 x \*\]/);
  });
});
