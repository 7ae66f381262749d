import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkConfig } from "../../src/index.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const folder = temporaryFolder();
let count = 0;

/** Checks a configuration of these commands; returns its log, warnings behind it. */
async function check(commands: Readonly<Record<string, string>>): Promise<string> {
  const directory = join(folder, String(count++));
  mkdirSync(directory);
  const sections = Object.entries(commands).map(([name, text]) => `${name} = [\n${text}\n]\n`);
  writeFileSync(
    join(directory, "a.cntk"),
    `command = ${Object.keys(commands).join(":")}\n${sections.join("")}`,
  );
  writeFileSync(
    join(directory, "widen.mel"),
    'm = LoadModel("$from$", format = "cntk")\nSetDefaultModel(m)\n$statements$\nSaveModel(m, "$to$", format = "cntk")\n',
  );
  let log = "";
  const output = { write: () => undefined };
  const { warnings } = await checkConfig(["configFile=a.cntk"], {
    directory,
    log: { write: (text) => void (log += text) },
    output,
  });
  return [log, ...warnings.map(({ message }) => message)].join("\n");
}

const network = `BrainScriptNetworkBuilder = {
  features = Input {2} ; labels = Input {2}
  z = LinearLayer {2} (features)
  ce = CrossEntropyWithSoftmax (labels, z)
  featureNodes = (features) ; labelNodes = (labels) ; criterionNodes = (ce) ; outputNodes = (z)
}`;
const train = (modelPath: string, builder = network): string =>
  `action = train ; modelPath = ${modelPath} ; traceLevel = 1\n${builder}
   SGD = [ maxEpochs = 3 ; learningRatesPerSample = 0.1 ]\n${reader}`;
const reader =
  "reader = [ readerType = CNTKTextFormatReader ; file = data.txt\n" +
  "input = [ features = [ dim = 2 ; format = dense ] ; labels = [ dim = 2 ; format = dense ] ] ]";
const edit = (from: string, to: string, statements: string): string =>
  `action = edit ; editPath = widen.mel ; from = ${from} ; to = ${to} ; statements = "${statements}"`;
const nothing = "NDLNetworkBuilder = [ networkDescription = not-there.ndl ]";

describe("check: models that a run would have written", () => {
  it("an edited model is trained on, its builder is not asked", async () => {
    const log = await check({
      first: train("a.dnn"),
      change: edit("a.dnn", "b.dnn.0", "h = ReLU(z)"),
      second: train("b.dnn", nothing),
      look: `action = write ; modelPath = b.dnn ; outputNodeNames = h ; outputPath = out\n${reader}`,
    });
    expect(log).toContain("Starting from checkpoint. Loading network from 'b.dnn.0'.");
  });

  it("models that were edited twice", async () => {
    const commands = {
      first: train("a.dnn"),
      once: edit("a.dnn", "b.dnn", "h = ReLU(z)"),
      twice: edit("b.dnn", "c.dnn", "g = Tanh(h)"),
      look: `action = write ; modelPath = c.dnn ; outputNodeNames = g ; outputPath = out\n${reader}`,
    };
    await check(commands);
    const look = commands.look.replace("= g", "= f");
    await expect(check({ ...commands, look })).rejects.toMatchObject({ code: "no-output-nodes" });
  });

  it("the model of an epoch, and one of lower rank", async () => {
    await check({
      first: train("a.dnn"),
      lower:
        "action = SVD ; modelPath = a.dnn.2 ; outputmodelPath = b.dnn ; NodeNameRegex = W.* ; KeepRatio = 0.5",
      look: `action = write ; modelPath = b.dnn ; outputNodeNames = z ; outputPath = out\n${reader}`,
    });
  });

  it("the model that a cross-validation looks at", async () => {
    const look = `action = cv ; modelPath = a.dnn ; crossValidationInterval = 1:1:3 ; minibatchSize = 4 ; evalNodeNames = q\n${reader}`;
    const problem = { code: "node-unknown" };
    await expect(check({ first: train("a.dnn"), look })).rejects.toMatchObject(problem);
    await check({ first: train("a.dnn"), look: look.replace("= q", "= ce") });
  });

  it("a model that no command writes is not there", async () => {
    const look = `action = write ; modelPath = a.dnn.3 ; outputPath = out\n${reader}`;
    expect(await check({ first: train("a.dnn"), look })).toMatch(/'a\.dnn\.3'.*: a run would stop here/);
  });
});
