// How many pictures a reader delivers in a second: JPEG files of 500x375, a random crop of each scaled to 224x224, planes as a
// network takes them:
//   node bench/images.mjs [--pictures 600] [--rounds 3] [--pure]
// The pictures are made here (by sharp, which has to be installed for that); --pure decodes without it.
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const from = (path) => import(join(root, "dist/src", path));
const { values: given } = parseArgs({
  options: {
    pictures: { type: "string", default: "600" },
    rounds: { type: "string", default: "3" },
    pure: { type: "boolean", default: false },
  },
});
const count = Number(given.pictures);
const [width, height] = [500, 375];

/** Slopes, waves and grain: a file of the size that a photograph has. */
async function writePicture(path, number) {
  const pixels = Buffer.alloc(width * height * 3);
  let state = number + 1;
  for (let at = 0; at < pixels.length; at++) {
    const [x, y] = [Math.floor(at / 3) % width, Math.floor(at / 3 / width)];
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const wave = Math.sin((x * (1 + (number % 5))) / 40) + Math.cos((y * (2 + (number % 3))) / 30 + (at % 3));
    pixels[at] = 128 + 45 * wave + (state >>> 28);
  }
  const sharp = createRequire(import.meta.url)("sharp");
  await sharp(pixels, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 85 })
    .toFile(path);
}

async function openReader(folder) {
  const [{ ConfigSection }, { MappedText }] = [
    await from("config/config-section.js"),
    await from("config/mapped-text.js"),
  ];
  const [{ readerFromConfig }, { nodeFiles }, { pictureDecoder }] = [
    await from("readers/index.js"),
    await from("node/index.js"),
    await from("threads/index.js"),
  ];
  const text = `deserializers = ( [ type = ImageDeserializer ; module = ImageReader ; file = map.txt
    input = [ features = [ transforms = (
      [ type = Crop ; cropType = randomSide ; sideRatio = 0.6:1 ; jitterType = uniRatio ] :
      [ type = Scale ; width = 224 ; height = 224 ; channels = 3 ; interpolations = linear ] :
      [ type = Transpose ] ) ] ; labels = [ labelDim = 10 ] ] ] )`;
  const section = ConfigSection.read(MappedText.of({ name: "bench", text }), "bench").result;
  return readerFromConfig(section, {
    files: nodeFiles(folder),
    log: { write: () => undefined },
    pictures: pictureDecoder(undefined, !given.pure),
  });
}

const folder = mkdtempSync(join(tmpdir(), "cntkts-images-"));
try {
  const names = Array.from({ length: count }, (_, i) => join(folder, `${i}.jpg`));
  for (const [i, name] of names.entries()) await writePicture(name, i);
  writeFileSync(join(folder, "map.txt"), names.map((name, i) => `${name}\t${i % 10}\n`).join(""));
  const bytes = names.reduce((sum, name) => sum + statSync(name).size, 0);
  console.log(`${count} pictures of ${Math.round(bytes / count / 1000)} kB, ${availableParallelism()} cores`);
  const reader = await openReader(folder);
  for (let epoch = 0; epoch < Number(given.rounds); epoch++) {
    const [begin, before] = [process.hrtime.bigint(), process.cpuUsage()];
    await reader.start({ epoch, minibatchSize: 64, epochSize: 0, rank: 0, workers: 1 });
    while ((await reader.next()) !== undefined);
    const seconds = Number(process.hrtime.bigint() - begin) / 1e9;
    const { user, system } = process.cpuUsage(before);
    const rate = Math.round(count / seconds);
    console.log(
      `epoch ${epoch + 1}: ${rate} pictures/s, ${((user + system) / 1000 / count).toFixed(1)} ms of CPU time each`,
    );
  }
  await reader.close();
} finally {
  rmSync(folder, { recursive: true });
}
