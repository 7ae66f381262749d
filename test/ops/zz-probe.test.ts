import { readFileSync, readdirSync, existsSync } from "node:fs";
import { expect, it } from "vitest";
import { buildText } from "../support/build-text.js";
import { AxisNames, validateNetwork } from "../../src/shapes/index.js";
import { gradientGraph, inferenceGraph } from "../../src/autodiff/index.js";
import { planGraph } from "../../src/plan/index.js";
import { openBackend } from "../../src/backends/select.js";
import { parameterValues as store } from "../../src/training/parameters.js";
const parameterValues = (s: never, e: never) => new Map([...store(s, e)].map(([n, v]) => [n.name, v]));

const root = "/work/shared/cntk-cpu/ops";
const families = (process.env["FAM"] ?? "conv,deconv,pool,unpool").split(",");
function rows(path: string): number[][] {
  return readFileSync(path, "utf8").trim().split("\n").map((l) => l.trim().split(/\s+/).map(Number));
}
for (const c of JSON.parse(readFileSync(root + "/index.json", "utf8"))) {
  if (!families.includes(c.case.split("/")[0]) && !families.includes(c.case)) continue;
  it(c.case, async () => {
    const config = readFileSync(`${root}/${c.config}`, "utf8");
    const m = /^BrainScriptNetworkBuilder = \{\n([\s\S]*?)^\}/m.exec(config);
    const single = config.includes('precision = "float"');
    const elementType = single ? "float" : "double";
    const built = buildText("{\n" + m![1]! + "}", { precision: elementType });
    const { shaped, log } = validateNetwork(built.network, { traceLevel: 1, axisNames: new AxisNames(), elementType });
    // Compare log
    const recorded = readFileSync(`${root}/${c.case}/log.txt`, "utf8");
    const lines = (t: string) => t.split("\n").filter((l) => l.includes("Validating -->") || l.includes("engine for geometry"));
    const want = lines(recorded.slice(0, recorded.indexOf("Post-processing network complete")));
    const got = lines(log);
    const problems: string[] = [];
    if (want.join("\n") !== got.join("\n")) problems.push("LOG\n" + got.filter((l) => !want.includes(l)).join("\n") + "\n---\n" + want.filter((l) => !got.includes(l)).join("\n"));
    // data
    const data = readFileSync(`${root}/${c.data}`, "utf8").trim().split("\n");
    const streams = new Map<string, number[]>();
    for (const line of data) for (const part of line.split("|").slice(1)) {
      const [name, ...vals] = part.trim().split(/\s+/);
      streams.set(name!, [...(streams.get(name!) ?? []), ...vals.map(Number)]);
    }
    const samples = data.length;
    const backend = await openBackend("reference");
    const nodes = new Map(built.network.nodes.map((n) => [n.name, n]));
    const values = parameterValues(shaped as never, elementType as never);
    const run = async (graph: Parameters<typeof planGraph>[0], entry: "evaluate" | "accumulate") => {
      const plan = planGraph(graph, elementType);
      const exe = await backend.compile(plan);
      const states = new Set(plan.buffers.filter((b) => b.role === "state").map((b) => b.name));
      await exe.writeState(new Map([...values].filter(([n]) => states.has(n))));
      const inputs = new Map([...streams].map(([n, v]) => [n, single ? Float32Array.from(v) : Float64Array.from(v)]));
      return exe.run(entry, { samples, inputs }, { dropoutRate: 0 });
    };
    const cmp = (label: string, g: ArrayLike<number>, file: string) => {
      const w = rows(`${root}/${file}`).flat();
      if (w.length !== g.length) { problems.push(`${label}: ${g.length} values, want ${w.length}`); return; }
      let bad = 0, worst = "";
      w.forEach((x, i) => { const y = g[i]!; const tol = single ? 2e-5 : 1e-9; if (!(Math.abs(x - y) <= tol * Math.max(1, Math.abs(x))) && !(Number.isNaN(x) && Number.isNaN(y)) && x !== y) { bad++; if (!worst) worst = `${i}: ${y} want ${x}`; } });
      if (bad) problems.push(`${label}: ${bad}/${w.length} ${worst}`);
    };
    for (const o of c.outputs ?? []) {
      try {
        const n = nodes.get(o.node)!;
        const r = await run(inferenceGraph(shaped, [n]), "evaluate");
        cmp("f." + o.node, r.get(n.name)!, o.file);
      } catch (e) { problems.push(`f.${o.node} ${(e as Error).stack}`); }
    }
    for (const g of c.gradients ?? []) {
      try {
        const rootNode = nodes.get(g.of)!, wrt = nodes.get(g.wrt);
        if (!rootNode || !wrt) { problems.push(`no ${g.of} ${g.wrt}`); continue; }
        const { graph, gradients } = gradientGraph(shaped, { root: rootNode, wanted: [wrt] });
        const r = await run(graph, "accumulate");
        cmp(`d${g.of}/d${g.wrt}`, r.get(gradients.get(wrt)!.name)!, g.file);
      } catch (e) { problems.push(`d ${g.of} ${g.wrt} ${(e as Error).stack?.slice(0, 400)}`); }
    }
    expect(problems.join("\n")).toBe("");
    void existsSync; void readdirSync;
  });
}
