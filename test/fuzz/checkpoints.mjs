// A training that goes on from a damaged checkpoint: what `run.mjs checkpoints` does with a seed.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkpointFiles, updateRules } from "./checkpoint-files.mjs";
import { mutated } from "./mutate.mjs";

export const placesOf = () => updateRules;

export function describe(rules, seed) {
  return rules[seed % rules.length];
}

export async function prepare(load, rules, folder) {
  const [{ runConfig, CntkError }] = await Promise.all(["index.js"].map(load));
  const quiet = { write: () => undefined };
  const trained = new Map();
  const inFolder = (rule) => join(folder, rule);
  const train = (rule) =>
    runConfig([`configFile=${join(inFolder(rule), "train.cntk")}`], {
      directory: inFolder(rule),
      log: quiet,
      output: quiet,
      backend: "javascript",
    });
  const whole = async (rule) => {
    if (!trained.has(rule)) {
      mkdirSync(inFolder(rule), { recursive: true });
      for (const [path, text] of Object.entries(checkpointFiles(rule))) {
        writeFileSync(join(inFolder(rule), path), text.replaceAll('"/', '"'));
      }
      await train(rule);
      trained.set(rule, new Uint8Array(readFileSync(join(inFolder(rule), "m.dnn.1.ckp"))));
    }
    return trained.get(rule);
  };
  return async (seed) => {
    const rule = describe(rules, seed);
    const bytes = await whole(rule);
    const inRule = (name) => join(inFolder(rule), name);
    for (const name of ["m.dnn", "m.dnn.ckp"]) rmSync(inRule(name), { force: true });
    writeFileSync(inRule("m.dnn.1.ckp"), mutated(bytes, seed));
    try {
      await train(rule);
      return "ok";
    } catch (error) {
      if (error instanceof CntkError) return error.code;
      throw error;
    }
  };
}
