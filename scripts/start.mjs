// `npm start`: makes the MNIST text files ready, trains and tests the auto-encoder of models/07_Deconvolution_BS.cntk,
// draws what it does to five pictures, and closes with the two figures and the picture's path. Whatever is there already
// stays: started again, it goes on from the last checkpoint, or only tests and draws.
//
//   npm start -- [DIR] [key=value …] [--backend=NAME]      DIR: where the MNIST text files lie (default DataSets/MNIST)
//   npm start -- --all …                                   all four auto-encoders, in one picture
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const program = join(root, "dist", "cli.js");
/** The auto-encoders, with what CNTK 2.0 prints and what its documentation says of training and test. */
const encoders = [
  { name: "07_Deconvolution_BS", train: "0.22483, documented 0.225", test: "0.22248, documented 0.223" },
  { name: "07_Deconvolution_cMap3", train: "0.19654, documented 0.196", test: "0.19499, documented 0.196" },
  { name: "07_Deconvolution_pool2", train: "0.13567, documented 0.136", test: "0.13176, documented 0.131" },
  { name: "07_Deconvolution_two", train: "0.30312", test: "0.30536" },
];
const given = process.argv.slice(2);
const trainsAll = given.includes("--all");
const trained = trainsAll ? encoders : encoders.slice(0, 1);
const configurationOf = (name) => relative(process.cwd(), join(root, "models", `${name}.cntk`));

const words = given.filter((word) => word !== "--all" && (word.includes("=") || word.startsWith("-")));
const dataDirectory =
  given.find((word) => word !== "--all" && !words.includes(word)) ?? join("DataSets", "MNIST");
const setting = (key, fallback) => {
  const prefix = `${key.toLowerCase()}=`;
  return words.findLast((word) => word.toLowerCase().startsWith(prefix))?.slice(prefix.length) ?? fallback;
};
const outputDirectory = setting("outputDir", "Output");
const modelOf = (name) => setting("modelPath", join(outputDirectory, "Models", `${name}.model`));
const pictures = join(outputDirectory, "Pictures");

/** Runs cntkts, shows what it prints as it comes, and returns all of it. Ends this script where cntkts fails. */
async function cntkts(...args) {
  // The child's output passes through here; it is told of the terminal behind, so that it draws its progress bar.
  const terminal = process.stderr.isTTY
    ? { CNTKTS_TERMINAL_COLUMNS: String(process.stderr.columns || 80) }
    : {};
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...terminal },
  });
  let printed = "";
  for (const [from, to] of [
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ]) {
    from.setEncoding("utf8");
    from.on("data", (text) => {
      printed += text;
      to.write(text);
    });
  }
  // Ctrl-C reaches the child too: it stops after the minibatch, and this script after it.
  const wait = () => {};
  process.on("SIGINT", wait);
  const status = await new Promise((done) => child.on("close", (code) => done(code ?? 1)));
  process.off("SIGINT", wait);
  if (status !== 0) process.exit(status);
  return printed;
}

/** Criterion of the last epoch, as the training printed it; from the checkpoint, when the training is long over. */
function trainFigure(log, model) {
  const lines = [...log.matchAll(/Finished Epoch\[.*?\]: \[Training\] rmse = ([0-9.eE+-]+)/g)];
  if (lines.length > 0) return Number(lines.at(-1)[1]);
  const checkpoint = `${model}.ckp`;
  if (!existsSync(checkpoint)) return undefined;
  // A CNTK checkpoint holds, behind this marker, the number of samples, the learning rate and the last criterion.
  const bytes = readFileSync(checkpoint);
  const marker = Buffer.from("BLearnRate\0", "utf16le");
  const at = bytes.indexOf(marker);
  return at < 0 ? undefined : bytes.readDoubleLE(at + marker.length + 16);
}

function testFigure(log) {
  const lines = [...log.matchAll(/Final Results: .*?rmse = ([0-9.eE+-]+)/g)];
  return lines.length > 0 ? Number(lines.at(-1)[1]) : undefined;
}

const shown = (figure) => (figure === undefined ? "not known" : figure.toFixed(5));

if (!existsSync(program)) {
  console.error("dist/cli.js is not there: run `npm ci` (or `npm run build`) first.");
  process.exit(1);
}

const dataFiles = ["Train-28x28_cntk_text.txt", "Test-28x28_cntk_text.txt"].map((file) =>
  join(dataDirectory, file),
);
if (!dataFiles.every((file) => existsSync(file))) await cntkts("mnist", dataDirectory);

const figures = [];
for (const { name, train, test } of trained) {
  const log = await cntkts(`configFile=${configurationOf(name)}`, `dataDir=${dataDirectory}`, ...words);
  figures.push(`${name}: root mean square error of a pixel (0 to 1) after encoding and decoding
  train ${shown(trainFigure(log, modelOf(name)))}   (CNTK 2.0: ${train})
  test  ${shown(testFigure(log))}   (CNTK 2.0: ${test})`);
}
const drawn = await cntkts(
  ...["visualize", ...trained.map(({ name }) => modelOf(name)), "--data", dataFiles[1], "--count", "5"],
  // The encodings of the first three models have one name, that of the last one another.
  ...["--node", trainsAll ? "z.pool1,z.pool_B,z" : "z.pool1,z", "--out", pictures],
  ...words.filter((word) => word.startsWith("--")),
);
const picture = /^picture: (.*)$/m.exec(drawn)?.[1] ?? pictures;

console.log(`
${figures.join("\n")}
picture: ${relative(process.cwd(), resolve(picture))}`);
