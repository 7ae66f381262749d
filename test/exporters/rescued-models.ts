import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runConfig } from "../../src/index.js";

/* Models that were trained: by our sample configurations on one minibatch, and files found in CNTK's tree and in public. */

const shared = fileURLToPath(new URL("../../../shared/", import.meta.url));
const examples = "cntk/Examples/LanguageUnderstanding/ATIS";

export interface RescuedModel {
  readonly name: string;
  readonly path: string;
}

const found = (list: readonly string[]): RescuedModel[] =>
  list
    .map((path) => ({ name: path.split("/").at(-1) ?? "", path: join(shared, path) }))
    .filter(({ path }) => existsSync(path));

/** Feed-forward ones; empty where the corpus is not there. */
export const foundModels: readonly RescuedModel[] = found([
  "public-models/fit-example.model",
  "public-models/mnist_conv.cmf",
  "public-models/speech-digits.dnn",
  "cntk/Tests/UnitTests/NetworkTests/Models/01_OneHidden.dnn",
  "cntk/Tests/UnitTests/NetworkTests/Models/ResNet20_CIFAR10_DataAug.dnn",
  "cntk/Tests/EndToEndTests/ParallelTraining/AsynchronousSGD/ASGD_Resnet.model.1",
  "cntk/Tutorials/ImageHandsOn/cifar10.ResNet.cmf",
]);

/** Recurrent ones. */
export const foundRecurrentModels: readonly RescuedModel[] = found([
  "cntk/Tutorials/SLUHandsOn/slu.forward.nobn.cmf",
  "cntk/Tutorials/SLUHandsOn/slu.forward.backward.cmf",
]);

export const sampleConfigs = [
  "01_OneHidden",
  "02_OneConv",
  "03_OneConvDropout",
  "04_OneConvBN",
  "05_OneConvRegr",
  "07_Deconvolution_BS",
  "07_Deconvolution_cMap3",
  "07_Deconvolution_pool2",
  "07_Deconvolution_two",
] as const;

const samples = 32;

/** Writes grey values and labels as the sample configurations read them: small numbers, bright in the middle. */
export function writeDigits(folder: string): void {
  const lines = Array.from({ length: samples }, (_, sample) => {
    const labels = Array.from({ length: 10 }, (_, digit) => Number(digit === sample % 10));
    const features = Array.from({ length: 784 }, (_, place) => {
      const [x, y] = [(place % 28) - 14, Math.floor(place / 28) - 14];
      return x * x + y * y < 80 ? Math.abs(Math.round(255 * Math.sin(sample + place * 0.37))) : 0;
    });
    return `|labels ${labels.join(" ")} |features ${features.join(" ")}\n`;
  });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "Train-28x28_cntk_text.txt"), lines.join(""));
}

/** Trains a sample configuration on one minibatch of such digits, unless that was done; the model's file. */
export async function trainedSample(config: string, folder: string): Promise<string> {
  const path = join(folder, "Models", `${config}.model`);
  if (existsSync(path)) return path;
  const words = [
    `configFile=models/${config}.cntk`,
    "command=trainNetwork",
    `dataDir=${folder}`,
    `outputDir=${folder}`,
    `trainNetwork=[SGD=[maxEpochs=1;epochSize=${samples};minibatchSize=${samples}]]`,
  ];
  await runConfig(words, { log: { write: () => undefined } });
  return path;
}

export const atisIsHere = existsSync(join(shared, examples));

/** Trains CNTK's ATIS example, an LSTM, on a few sentences; the model's file. */
export async function trainedAtis(folder: string): Promise<string> {
  const path = join(folder, "atis.lstm");
  const words = [
    `configFile=${join(shared, examples, "BrainScript/ATIS.cntk")}`,
    "command=Train",
    `DataDir=${join(shared, examples, "Data")}`,
    `OutputDir=${folder}`,
    `modelPath=${path}`,
    "parallelTrain=false",
    "Train=[SGD=[maxEpochs=1;epochSize=70]]",
  ];
  await runConfig(words, { log: { write: () => undefined } });
  return path;
}
