import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readModel } from "../../src/model-files/index.js";
import { parameterValues } from "../../src/training/parameters.js";
import { captureRun } from "../support/recorded-run.js";
import { shapedFromBrainScript } from "../support/run-graph.js";
import { temporaryFolder } from "../support/temporary-folder.js";
import { twoClasses, twoClassesConfig } from "../support/two-classes.js";

it("values are made when somebody asks for them, once", () => {
  const shaped = shapedFromBrainScript(`
    x = Input {2}
    huge = ParameterTensor {(1000000 : 1000000), init = "uniform", randomSeed = 1}
    w = ParameterTensor {(1 : 2), init = "uniform", randomSeed = 1}
    z = w * x
    featureNodes = (x) ; outputNodes = (z : huge)
  `);
  const values = parameterValues(shaped, "double");
  const [huge, w] = [...values.keys()].sort((a, b) => a.name.localeCompare(b.name));
  expect([huge?.name, w?.name, values.size]).toEqual(["huge", "w", 2]);
  const first = values.get(w!);
  expect(first).toHaveLength(2);
  expect(values.get(w!)).toBe(first);
});

it("a parameter that only nodes outside of the training use goes through epochs and validations unchanged", async () => {
  const directory = join(temporaryFolder(), "outside");
  mkdirSync(directory);
  writeFileSync(join(directory, "data.txt"), twoClasses(100));
  const outside = `
    apart = ParameterTensor {(3 : 2), init = "uniform", randomSeed = 7}
    shown = apart * (Constant (2) .* features)
    ce =`;
  const configuration = twoClassesConfig()
    .replace("ce =", outside)
    .replace("outputNodes = (z)", "outputNodes = (z : shown)");
  writeFileSync(join(directory, "net.cntk"), configuration);
  const reader =
    "[readerType=CNTKTextFormatReader;file=data.txt;input=[features=[dim=2;format=dense];labels=[dim=2;format=dense]]]";
  const words = ["configFile=net.cntk", "command=train", "epochSize=100", `train=[cvReader=${reader}]`];
  const { log, error } = await captureRun(words, { directory });
  expect(error).toBeUndefined();
  expect(log.split("[Validate]")).toHaveLength(4);
  const valuesIn = (name: string) => {
    const path = join(directory, "Models", name);
    return readModel(Uint8Array.from(readFileSync(path)), path).nodes.find((node) => node.name === "apart")
      ?.values;
  };
  const before = valuesIn("net.0");
  expect(before?.values).toHaveLength(6);
  expect(valuesIn("net")).toEqual(before);
});
