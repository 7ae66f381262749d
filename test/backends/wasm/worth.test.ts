import { describe, expect, it } from "vitest";
import { createWasmBackend } from "../../../src/backends/wasm/index.js";
import { pieceByPiece, type Team } from "../../../src/backends/wasm/team.js";
import { argument, multiply } from "../../../src/primitives/expression.js";
import { eighths, PlanBuilder, runOn } from "../../support/plan-builder.js";

/** Two threads, the other one of which does nothing; counts the phases that it was asked to take part in. */
function counted(): { readonly team: Team; readonly phases: () => number } {
  let phases = 0;
  const enlist: Team["enlist"] = () => ({
    run: (_, total, size, own) => {
      phases++;
      pieceByPiece(total, size, own);
    },
    dismiss: () => undefined,
  });
  return { team: { size: 2, enlist }, phases: () => phases };
}

/** y = W x, of so many rows, for numbers of the inputs. */
function layer(rows: number) {
  const b = new PlanBuilder("float");
  const y = b.temporary([rows, 1]);
  const reads = [b.state("w", [rows, 16]), b.input("x", [16, 1])];
  b.emit("matmul", reads, y, { transposeA: false, transposeB: false }).output("y", y);
  return b.plan();
}

async function phasesShared(
  plan: ReturnType<typeof layer>,
  samples: number,
  inputs: Record<string, number[]>,
) {
  const { team, phases } = counted();
  const executable = await createWasmBackend(team).compile(plan);
  await runOn(executable, "float", samples, inputs);
  await executable.dispose();
  return phases();
}

describe("other threads take part", () => {
  const inputs = (samples: number) => ({ x: eighths(16 * samples, 2) });

  it("where there is much to do for every number that is read", async () => {
    expect(await phasesShared(layer(4096), 64, inputs(64))).toBe(1);
  });

  it("not where reading takes about as long as computing", async () => {
    const b = new PlanBuilder("float");
    const y = b.temporary([64]);
    b.emit("map", [b.input("x", [64])], y, { expression: multiply(argument(0), argument(0)) }).output("y", y);
    expect(await phasesShared(b.plan(), 20_000, { x: eighths(64 * 20_000, 1) })).toBe(0);
  });

  it("not in a phase that is done before they are awake", async () => {
    expect(await phasesShared(layer(4096), 2, inputs(2))).toBe(0);
  });
});
