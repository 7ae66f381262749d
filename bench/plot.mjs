// Draws bench/results.json, as bench/compare.mjs leaves it, as a picture: node bench/plot.mjs [RESULTS] [PICTURE]
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse, View } from "vega";
import { compile } from "vega-lite";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const [given = join(root, "bench/results.json"), picture = join(root, "docs/images/speed.svg")] =
  process.argv.slice(2);
const { machine, rows } = JSON.parse(readFileSync(given, "utf8"));
const names = {
  "07": "07: auto-encoder",
  "01": "01: one hidden layer",
  "02": "02: one convolution",
  "04": "04: normalized",
  atis: "ATIS: LSTM",
  resnet20: "ResNet20, training",
};
const most = Math.max(...rows.map(({ threads }) => threads));
const values = rows
  .filter(({ threads, theirs }) => threads === most && theirs !== undefined && theirs !== null)
  .flatMap(({ name, ours, peer, theirs }) => [
    { network: names[name] ?? name, engine: "cntkts", rate: Math.round(ours) },
    { network: names[name] ?? name, engine: peer, rate: Math.round(theirs) },
  ]);
// A logarithmic axis has no zero for bars to stand on.
const ground = 10 ** Math.floor(Math.log10(Math.min(...values.map(({ rate }) => rate))));
const bars = {
  y: { field: "network", type: "nominal", sort: null, title: null },
  yOffset: { field: "engine", sort: null },
  x: {
    field: "rate",
    type: "quantitative",
    scale: { type: "log", domainMin: ground },
    title: "samples per second",
  },
};
const { spec } = compile({
  $schema: "https://vega.github.io/schema/vega-lite/v6.json",
  title: { text: `Samples per second, ${most} threads`, subtitle: machine },
  background: "white",
  data: { values },
  width: 520,
  height: { step: 16 },
  config: { axis: { labelLimit: 300 }, legend: { orient: "bottom" } },
  encoding: bars,
  layer: [
    {
      mark: "bar",
      encoding: {
        x2: { datum: ground },
        color: { field: "engine", type: "nominal", sort: null, title: null },
      },
    },
    { mark: { type: "text", align: "left", dx: 3 }, encoding: { text: { field: "rate", format: ",.0f" } } },
  ],
});
writeFileSync(picture, await new View(parse(spec), { renderer: "none" }).toSVG());
