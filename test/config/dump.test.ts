import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { printConfiguration, readConfiguration } from "../../src/config/index.js";
import { memoryFiles } from "../support/memory-files.js";

const fixtures = join(import.meta.dirname, "..", "fixtures", "config");
const fixture = (name: string) => readFileSync(join(fixtures, name), "utf8");

it("prints the start-up dump of CNTK 2.0 (recorded from its CPU build), byte for byte", () => {
  const files = memoryFiles(new Map([["/case/two-classes.cntk", fixture("two-classes.cntk")]]));
  const words = [
    "configFile=/case/two-classes.cntk",
    "CaseFolder=/case",
    "RunDir=/run",
    "DataDir=/data",
    "command=train",
    "deviceId=-1",
    "forceDeterministicAlgorithms=true",
    "stderr=-",
  ];
  const { root } = readConfiguration(words, files).result;
  expect(root.dump()).toBe(fixture("two-classes.dump.txt"));
});

it("yields the lines before a faulty one", () => {
  const files = memoryFiles(new Map([["/f", "a = 1\nb = $Nowhere$/m\nc = 3"]]));
  const lines = readConfiguration(["configFile=f"], files).result.root.dumpLines();
  expect(lines.next().value).toBe("configparameters: f:a=1\n");
  expect(() => lines.next()).toThrow(
    "No variable found with the name Nowhere. Parsing of string failed: f:$Nowhere$/m",
  );
});

it("prints raw and resolved values, nested, with their places", () => {
  const text =
    "root = /data # where\ntrain = [\n  reader = { file = $root$/x.txt ; n = 1 }\n  bad = $no$\n]\n";
  const files = memoryFiles(new Map([["/f", text]]));
  const { root } = readConfiguration(["configFile=f", "train=[n=2]"], files).result;
  expect(printConfiguration(root)).toMatchInlineSnapshot(`
    "configuration f
      # f:1:1
      root = /data
      # f:2:1
      train = [
        # f:4:3
        bad = $no$
          ! No variable found with the name no. Parsing of string failed: f:$no$
        # <command line>:1:21
        n = 2
        # f:3:3
        reader = [
          # f:3:14
          file = $root$/x.txt
            → /data/x.txt
          # f:3:36
          n = 1
        ]
      ]
    "
  `);
});
