// Damaged configurations of all languages, checked as `cntkts check` does: what `run.mjs configs` does with a seed.
import { readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { filesIn } from "./files-in.mjs";
import { mutatedText } from "./mutate-text.mjs";

/** Configurations and networks among files and folders. */
export function placesOf(given) {
  return filesIn(given)
    .filter((path) => /\.(cntk|bs|ndl|config|mel)$/.test(path))
    .filter((path) => statSync(path).size < 100_000);
}

export function describe(places, seed) {
  return places[seed % places.length];
}

/** What CNTK's own tests and examples expect on the command line, with folders that are not there. */
function usualWords(path) {
  const folders = "RunDir DataDir OutputDir ExpDir ScpDir MlfDir LibDir OutDir".split(" ");
  const places = [
    ...folders.map((key) => `${key}=/nowhere`),
    ..."ConfigDir NdlDir MelDir".split(" ").map((key) => `${key}=${dirname(path)}`),
  ];
  return [
    ...places,
    "DeviceId=-1",
    "DeviceNumber=-1",
    "configName=a",
    'imageLayout="cudnn"',
    "initOnCPUOnly=true",
  ];
}

const training = "action = train ; modelPath = m ; SGD = [ maxEpochs = 1 ; learningRatesPerMB = 1 ]";
const smallNetwork =
  "BrainScriptNetworkBuilder = { x = Input {2} ; z = LinearLayer {2} (x) ; outputNodes = (z) }";

/** A configuration that uses a file which is none itself. */
function driver(path, text) {
  const train = (builder) => `command = t ; t = [ ${training} ; ${builder} ]`;
  if (path.endsWith(".ndl")) return train(`NDLNetworkBuilder = [ networkDescription = "${path}" ]`);
  if (path.endsWith(".bs")) return train(`BrainScriptNetworkBuilder = [ include "${path}" ]`);
  if (path.endsWith(".mel")) {
    const models =
      "CurModel = m ; currModel = m ; NewModel = n ; newModel = n ; currLayer = 1 ; newLayer = 2";
    return `command = t:e ; t = [ ${training} ; ${smallNetwork} ] ; e = [ action = edit ; editPath = "${path}" ; ${models} ]`;
  }
  // A reader for itself, as CNTK's unit tests have them.
  const section = /^(\w+)\s*=\s*\[/m.exec(text)?.[1] ?? "t";
  return `include = "${path}"\ncommand = ${section}\n${section} = [ action = write ; outputPath = o ; ${smallNetwork} ]`;
}

const driverName = "fuzz-driver.cntk";

/** The machine's files with other texts in the place of some of them; nothing is written. */
export function overlaid(files, texts) {
  const textOf = (other) => texts.get(files.resolve(other));
  const isIt = (other) => textOf(other) !== undefined;
  const nothing = {
    write: () => undefined,
    commit: () => undefined,
    abort: () => undefined,
    close: () => undefined,
  };
  return {
    ...files,
    directory: files.directory,
    withDirectory: (other) => overlaid(files.withDirectory(other), texts),
    resolve: (other) => files.resolve(other),
    exists: (other) => isIt(other) || files.exists(other),
    isDirectory: (other) => files.isDirectory(other),
    modified: (other) => files.modified(other),
    readText: (other) => textOf(other) ?? files.readText(other),
    readBytes: (other) => (isIt(other) ? new TextEncoder().encode(textOf(other)) : files.readBytes(other)),
    open: (other) => files.open(other),
    create: () => nothing,
    log: () => nothing,
    makeDirectory: () => undefined,
    remove: () => undefined,
  };
}

export async function prepare(load, places) {
  const [{ checkConfig, CntkError }, { nodeFiles }] = await Promise.all(
    ["index.js", "node/files.js"].map(load),
  );
  const quiet = { write: () => undefined };
  return async (seed) => {
    const path = describe(places, seed);
    const original = readFileSync(path, "latin1");
    const text = mutatedText(original, seed);
    const isWhole = /^\s*command\s*=/im.test(original) && !/\.(ndl|mel)$/.test(path);
    const config = isWhole ? path : join(dirname(path), driverName);
    const files = overlaid(
      nodeFiles(dirname(path)),
      new Map([[path, text], ...(isWhole ? [] : [[config, driver(path, original)]])]),
    );
    try {
      const words = [`configFile=${config}`, ...usualWords(path)];
      await checkConfig(words, { files, log: quiet, output: quiet, backend: "javascript" });
      return "ok";
    } catch (error) {
      if (error instanceof CntkError) return error.code;
      throw error;
    }
  };
}
