// Trains and evaluates the same networks by cntkts and by its peers, in turn, and prints and keeps medians and their ratios. Not
// part of the tests. bench/README.md says what the peers are and how to have them.
//   node bench/compare.mjs --data DIR --cntk DIR [--only 07,01,…] [--threads 2,1] [--rounds 5] [--out bench/results.json]
import { spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const option = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at > 0 ? process.argv[at + 1] : fallback;
};
const mnist = option("data", join(root, "DataSets", "MNIST"));
const cntk = option("cntk", join(root, "..", "shared", "cntk"));
const python = option("python", "/usr/bin/python3");
const rounds = Number(option("rounds", 5));
const seconds = Number(option("seconds", 1.5));
const threadCounts = option("threads", "2,1").split(",").map(Number);
const only = option("only")?.split(",");
const out = option("out", join(root, "bench", "results.json"));
const folder = mkdtempSync(join(tmpdir(), "cntkts-compare-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

const cli = join(root, "dist", "cli.js");
const atisExample = join(cntk, "Examples/LanguageUnderstanding/ATIS");
const atis = join(atisExample, "Data/ATIS.train.cntk.sparse");
const resnet = join(cntk, "Tutorials/ImageHandsOn/cifar10.ResNet.cmf");
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** Runs a command to its end: what it printed, its seconds, the peak of its memory in MB. */
async function run(command, words) {
  const begin = performance.now();
  const child = spawn(command, words, { cwd: folder });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (log += text));
  let peak = 0;
  const watch = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
      peak = Math.max(peak, Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024);
    } catch {
      // It has ended, or this is not Linux.
    }
  }, 50);
  const status = await new Promise((resolve) => child.on("close", resolve));
  clearInterval(watch);
  if (status !== 0)
    throw new Error(`${command} ${words.join(" ")} ended with ${status}:\n${log.slice(-1500)}`);
  return { log, seconds: (performance.now() - begin) / 1000, peak };
}

/** A training by cntkts as a user runs it; the rate is the median of its own log's second epoch on. */
async function train(config, words, threads) {
  const place = mkdtempSync(join(folder, "run-"));
  for (const left of readdirSync(folder)) if (left.startsWith("atis")) rmSync(join(folder, left));
  const given = [`configFile=${resolve(root, config)}`, `dataDir=${mnist}`, `outputDir=${place}`, ...words];
  const ended = await run(process.execPath, [cli, ...given, `numCPUThreads=${threads}`]);
  rmSync(place, { recursive: true, force: true });
  const lines = [...ended.log.matchAll(/Epoch\[ *(\d+) of.*samplesPerSecond = ([\d.]+)/g)];
  // The first few minibatches of an epoch are lines of their own in some configurations.
  const rates = lines.filter(([line, epoch]) => epoch !== "1" && !/Minibatch\[ *(\d+)- *\1,/.test(line));
  return { rate: median(rates.map(([, , rate]) => Number(rate))), peak: ended.peak, seconds: ended.seconds };
}

/** A process that answers each line of seconds by a line of JSON. */
class Asked {
  constructor(command, words, threads) {
    const env = { ...process.env, OMP_NUM_THREADS: String(threads) };
    this.child = spawn(command, words, { env, stdio: ["pipe", "pipe", "inherit"] });
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  async measure(time = seconds) {
    this.child.stdin.write(`${time}\n`);
    const { value } = await this.lines.next();
    if (value === undefined) throw new Error("the peer has ended");
    return JSON.parse(value);
  }

  end() {
    this.child.stdin.end();
  }
}

/** Bytes of pictures and labels, numbers of words: what the peers read. */
function peerData() {
  const lines = readFileSync(join(mnist, "Train-28x28_cntk_text.txt"), "latin1").split("\n", 12800);
  const bytes = new Uint8Array(lines.length * 785);
  lines.forEach((line, i) => {
    const [, labels, pixels] = /\|labels ([^|]*)\|features (.*)/.exec(line);
    bytes.set(pixels.trim().split(/\s+/).map(Number), i * 785);
    bytes[i * 785 + 784] = labels.trim().split(/\s+/).indexOf("1");
  });
  writeFileSync(join(folder, "pictures"), bytes);
  if (existsSync(atis)) {
    const words = readFileSync(atis, "latin1")
      .split("\n")
      .map((line) =>
        /^(\d+).*\|PW (\d+):.*\|CW (\d+):.*\|NW (\d+):.*\|L (\d+):/.exec(line)?.slice(1).join(" "),
      )
      .filter((line) => line !== undefined);
    writeFileSync(join(folder, "words"), words.slice(0, 12000).join("\n"));
  }
  const random = Array.from({ length: 384 }, (_, i) => {
    const pixels = Array.from({ length: 3072 }, (_, k) => (i * 31 + k * 7919) % 256);
    return `|features ${pixels.join(" ")} |labels ${Array.from({ length: 10 }, (_, k) => +(k === i % 10)).join(" ")}`;
  });
  writeFileSync(join(folder, "random.txt"), random.join("\n") + "\n");
}

const sgd = (samples, each) =>
  `trainNetwork=[SGD=[epochSize=${samples};maxEpochs=2;numMBsToShowResult=${each};firstMBsToShowResult=0]]`;
const trainings = [
  {
    name: "07",
    config: "models/07_Deconvolution_BS.cntk",
    words: ["command=trainNetwork"],
    data: "pictures",
  },
  { name: "01", config: "models/01_OneHidden.cntk", words: ["command=trainNetwork", sgd(25600, 100)] },
  { name: "02", config: "models/02_OneConv.cntk", words: ["command=trainNetwork", sgd(12800, 50)] },
  { name: "04", config: "models/04_OneConvBN.cntk", words: ["command=trainNetwork", sgd(12800, 50)] },
  {
    name: "atis",
    config: join(atisExample, "BrainScript/ATIS.cntk"),
    words: [
      "command=Train",
      `DataDir=${join(atisExample, "Data")}`,
      `modelPath=${join(folder, "atis.lstm")}`,
      "makeMode=false",
      "traceLevel=1",
      "parallelTrain=false",
      "Train=[SGD=[maxEpochs=2;epochSize=4000;numMBsToShowResult=15;firstMBsToShowResult=0]]",
    ],
    data: "words",
  },
  {
    name: "resnet20",
    config: "bench/models/resnet20.cntk",
    words: [`dataFile=${join(folder, "random.txt")}`],
  },
];
const variants = ["cMap3", "pool2", "two"];

const results = { machine: machine(), rounds, rows: [] };
function machine() {
  const [first] = cpus();
  return `${cpus().length} x ${first?.model}, ${(totalmem() / 2 ** 30).toFixed(0)} GB, Node ${process.versions.node}`;
}
function report(row) {
  results.rows.push(row);
  const number = (x, unit = "") =>
    x === undefined ? "" : `${x >= 100 ? x.toFixed(0) : x.toFixed(1)}${unit}`;
  const cells = [
    `${row.name}, ${row.threads} thread${row.threads > 1 ? "s" : ""}`.padEnd(32),
    `cntkts ${number(row.ours)}`.padEnd(18),
    row.peer ? `${row.peer} ${number(row.theirs)}`.padEnd(26) : "".padEnd(26),
    row.theirs ? `${(row.ours / row.theirs).toFixed(2)}x`.padEnd(9) : "".padEnd(9),
    row.peak ? `peak ${number(row.peak)} MB` : "",
    row.theirPeak ? `(${number(row.theirPeak)} MB)` : "",
  ];
  console.log(cells.join(" "));
}

/** Both in turn, so often; medians. */
async function paired(name, threads, ours, peer, theirs) {
  const found = { ours: [], theirs: [] };
  for (let round = 0; round < rounds; round++) {
    found.ours.push(await ours());
    if (theirs) found.theirs.push(await theirs());
  }
  const of = (list, key) => (list.length > 0 ? median(list.map((one) => one[key])) : undefined);
  report({
    name,
    threads,
    unit: "samples/s",
    ours: of(found.ours, "rate"),
    peer,
    theirs: of(found.theirs, "rate"),
    peak: of(found.ours, "peak"),
    theirPeak: of(found.theirs, "peak"),
    each: { ours: found.ours.map(({ rate }) => rate), theirs: found.theirs.map(({ rate }) => rate) },
  });
}

peerData();
mkdirSync(dirname(out), { recursive: true });
const wants = (name) => !only || only.includes(name);
for (const threads of threadCounts) {
  for (const { name, config, words, data } of trainings.filter(({ name }) => wants(name))) {
    if (name === "atis" && !existsSync(atis)) continue;
    const file = join(folder, data ?? "pictures");
    const peer = new Asked(
      python,
      [join(root, "bench/peers/train.py"), name, String(threads), file],
      threads,
    );
    await peer.measure(0.5);
    const ours = () => train(config, words, threads);
    await paired(name, threads, ours, "PyTorch", () => peer.measure(name === "resnet20" ? 4 : seconds));
    peer.end();
  }
  if (wants("eval") && existsSync(resnet)) {
    const onnx = join(folder, "resnet.onnx");
    if (!existsSync(onnx))
      await run(process.execPath, [cli, "export", resnet, "--to", "onnx", "--out", onnx]);
    for (const batch of [1, 64]) {
      const script = join(root, "bench/peers/evaluate.mjs");
      const asked = (engine, model) =>
        new Asked(process.execPath, [script, engine, model, String(batch), String(threads)], threads);
      const [ours, theirs] = [asked("cntkts", resnet), asked("onnxruntime", onnx)];
      for (const one of [ours, theirs]) await one.measure(0.5);
      const name = `cifar10.ResNet, batch ${batch}`;
      await paired(
        name,
        threads,
        () => ours.measure(1),
        "onnxruntime-web",
        () => theirs.measure(1),
      );
      for (const one of [ours, theirs]) one.end();
    }
  }
}
if (wants("variants")) {
  const [threads] = threadCounts;
  const words = ["command=trainNetwork", "trainNetwork=[SGD=[maxEpochs=2]]"];
  for (const name of variants) {
    const config = `models/07_Deconvolution_${name}.cntk`;
    await paired(`07 ${name}`, threads, () => train(config, words, threads));
  }
}
if (wants("job")) {
  const [threads] = threadCounts;
  const times = [];
  for (let round = 0; round < rounds; round++) {
    times.push((await train("models/07_Deconvolution_BS.cntk", [], threads)).seconds);
  }
  report({ name: "07, whole job, seconds", threads, unit: "s", ours: median(times), each: { ours: times } });
}
writeFileSync(out, `${JSON.stringify(results, null, 1)}\n`);
