import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { captureRun, numberLines } from "../support/recorded-run.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const folder = temporaryFolder();
const data = join(process.cwd(), "test/fixtures/conformance/sequences/seq.ctf");
const streams = `input = [ x = [ dim = 3 ; format = dense ] ; y = [ dim = 2 ; format = dense ] ; w = [ dim = 10 ; format = sparse ] ]`;

interface Job {
  readonly network: string;
  readonly sgd?: string;
  readonly reader: string;
  readonly precision?: string;
}

const whole = `readerType = CNTKTextFormatReader ; file = seq.ctf ; ${streams}`;

const jobs: Readonly<Record<string, Job>> = {
  "an LSTM in both directions with dropout inside the loops": {
    network: `
      cell (h, x) = Dropout (Tanh (DenseLayer {5} (Splice (x : h))))
      forward = cell (PastValue (5, forward), x)
      backward = cell (FutureValue (5, backward), x)
      top = RecurrentLSTMLayer {4} (Splice (forward : backward))`,
    sgd: "dropoutRate = 0.3",
    reader: whole,
  },
  "the same in float": {
    network: `
      cell (h, x) = Dropout (Tanh (DenseLayer {5} (Splice (x : h))))
      forward = cell (PastValue (5, forward), x)
      top = RecurrentLSTMLayer {4, goBackwards = true} (forward)`,
    sgd: "dropoutRate = 0.3 ; gradUpdateType = fsAdagrad",
    reader: whole,
    precision: "float",
  },
  "an LSTM over sparse words": {
    network: `
      words = SparseInput {10}
      top = RecurrentLSTMLayer {4} (Splice (x : EmbeddingLayer {3} (words)))`,
    reader: whole.replace(
      "w = [ dim = 10 ; format = sparse ]",
      "words = [ dim = 10 ; format = sparse ; alias = w ]",
    ),
  },
  "truncated sequences, whose state goes on from minibatch to minibatch": {
    network: "top = RecurrentLSTMLayer {4} (x)",
    sgd: "truncated = true",
    reader: `randomize = true ; truncationLength = 2
      deserializers = ( [ type = CNTKTextFormatDeserializer ; module = CNTKTextFormatReader ; file = seq.ctf
        input = [ x = [ dim = 3 ; format = dense ] ; y = [ dim = 2 ; format = dense ] ] ] )`,
  },
};

function configuration({ network, sgd = "", reader, precision = "double" }: Job): string {
  return `
command = train
precision = ${precision} ; traceLevel = 1 ; modelPath = Models/net
train = [
  action = train
  BrainScriptNetworkBuilder = [
    x = Input {3} ; y = Input {2}${network}
    z = LinearLayer {2} (top)
    ce = CrossEntropyWithSoftmax (y, z)
    errs = ClassificationError (y, z)
    criterionNodes = (ce) ; evaluationNodes = (errs) ; outputNodes = (z)
  ]
  SGD = [
    epochSize = 0 ; minibatchSize = 30 ; maxEpochs = 3 ; numMBsToShowResult = 3
    learningRatesPerSample = 0.02 ; momentumAsTimeConstant = 50
    ${sgd}
  ]
  reader = [ ${reader} ]
]
`;
}

function fresh(name: string, job: Job): string {
  const directory = join(folder, name);
  mkdirSync(directory);
  copyFileSync(data, join(directory, "seq.ctf"));
  writeFileSync(join(directory, "net.cntk"), configuration(job));
  return directory;
}

const words = ["configFile=net.cntk", "stderr=-"];

function models(directory: string): Record<string, Uint8Array> {
  const place = join(directory, "Models");
  const names = readdirSync(place).sort();
  return Object.fromEntries(names.map((name) => [name, Uint8Array.from(readFileSync(join(place, name)))]));
}

/** The lines about numbers from the beginning of an epoch on; a resumed run cannot know how long an epoch is. */
function fromEpoch(log: string, epoch: number): string[] {
  const lines = numberLines(log).map((line) => line.replace(/, +[\d.]+%\]/, "]"));
  return lines.slice(lines.findIndex((line) => line.startsWith(`Starting Epoch ${epoch}:`)));
}

describe("a recurrent training killed in an epoch and started again ends as if nothing had happened", () => {
  Object.entries(jobs).forEach(([title, job], index) => {
    it(title, async () => {
      const directory = fresh(`whole${index}`, job);
      const uninterrupted = await captureRun(words, { directory });
      expect(uninterrupted.error).toBeUndefined();
      for (const epoch of [2, 3]) {
        const running = fresh(`killed${index}-${epoch}`, job);
        const left = `${running}-left`;
        const stop = new AbortController();
        let minibatches = 0;
        await captureRun(words, {
          directory: running,
          signal: stop.signal,
          onProgress: (progress) => {
            // In the middle of an epoch, when delays and engines hold something.
            if (progress.epoch !== epoch || ++minibatches < 3 || existsSync(left)) return;
            cpSync(running, left, { recursive: true, preserveTimestamps: true });
            stop.abort();
          },
        });
        expect(Object.keys(models(left)).at(-1)).toBe(`net.${epoch - 1}.ckp`);
        const resumed = await captureRun(words, { directory: left });
        expect(resumed.error).toBeUndefined();
        const theirs = fromEpoch(uninterrupted.log, epoch);
        expect(theirs.length).toBeGreaterThan(4);
        expect(fromEpoch(resumed.log, epoch)).toEqual(theirs);
        expect(models(left)).toEqual(models(directory));
      }
    });
  });
});
