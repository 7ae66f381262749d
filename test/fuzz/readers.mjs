// An epoch of a reader one of whose files is damaged: what `run.mjs readers` does with a seed.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mutated } from "./mutate.mjs";
import { dataSets } from "./reader-files.mjs";

/** Every file of every data set, or of those whose description contains one of the given words. */
export function placesOf(given) {
  const places = dataSets.flatMap((set) => Object.keys(set.files).map((file) => ({ set, file })));
  const isWanted = (place) => given.length === 0 || given.some((word) => describe([place], 0).includes(word));
  return places.filter(isWanted);
}

export function describe(places, seed) {
  const { set, file } = places[seed % places.length];
  return `${set.name}: ${file}`;
}

export async function prepare(load, places, folder) {
  const [
    { CntkError },
    { ConfigSection },
    { MappedText },
    { readerFromConfig },
    { nodeFiles },
    { decodePure },
  ] = await Promise.all(
    [
      "index.js",
      "config/config-section.js",
      "config/mapped-text.js",
      "readers/index.js",
      "node/files.js",
      "node/pure-pictures.js",
    ].map(load),
  );
  // On this thread: starting another one for every damaged picture would take longer than all else.
  const pictures = {
    decode: async (bytes, grayscale) => decodePure(bytes, grayscale),
    inflate: () => new Uint8Array(),
  };
  const log = { write: () => undefined };
  const read = (text, outer) =>
    ConfigSection.read(MappedText.of({ name: "x.cntk", text }), "x.cntk", outer).result;
  const epoch = async (section, files) => {
    const reader = await readerFromConfig(read(section, read("")), { files, log, pictures });
    try {
      await reader.start({ epoch: 0, minibatchSize: 4, epochSize: 0, rank: 0, workers: 1 });
      while (await reader.next());
    } finally {
      await reader.close();
    }
  };
  return async (seed) => {
    const { set, file } = places[seed % places.length];
    const directory = join(folder, set.name);
    mkdirSync(directory, { recursive: true });
    for (const [name, bytes] of Object.entries(set.files)) {
      writeFileSync(join(directory, name), name === file ? mutated(bytes, seed) : bytes);
    }
    try {
      await epoch(set.section, nodeFiles(directory));
      return "ok";
    } catch (error) {
      if (error instanceof CntkError) return error.code;
      throw error;
    }
  };
}
