import { ConfigSection } from "../../src/config/config-section.js";
import { MappedText } from "../../src/config/mapped-text.js";
import type { Minibatch, StreamMinibatch } from "../../src/minibatch/index.js";
import {
  type EpochRequest,
  type PictureDecoder,
  type Reader,
  readerFromConfig,
} from "../../src/readers/index.js";
import { pictureDecoder } from "../../src/threads/index.js";
import { memoryFiles } from "./memory-files.js";

/** A reader on files in memory, described as in a configuration; `around` is the section around it. */
export async function openReader(
  files: Readonly<Record<string, string | Uint8Array>>,
  text: string,
  around = "",
  write: (line: string) => void = () => {},
  pictures: PictureDecoder = pictureDecoder(undefined, false),
): Promise<Reader> {
  const outer = ConfigSection.read(MappedText.of({ name: "x.cntk", text: around }), "x.cntk").result;
  const section = ConfigSection.read(MappedText.of({ name: "x.cntk", text }), "x.cntk:reader", outer).result;
  const contents = new Map(Object.entries(files).map(([name, content]) => [`/${name}`, content]));
  return readerFromConfig(section, { files: memoryFiles(contents), log: { write }, pictures });
}

/** All minibatches of an epoch. */
export async function readEpoch(reader: Reader, request: Partial<EpochRequest>): Promise<Minibatch[]> {
  await reader.start({ epoch: 0, minibatchSize: 1, epochSize: 0, rank: 0, workers: 1, ...request });
  const minibatches: Minibatch[] = [];
  for (let minibatch = await reader.next(); minibatch; minibatch = await reader.next()) {
    minibatches.push(minibatch);
  }
  return minibatches;
}

/** A stream of a minibatch. */
export function streamOf(minibatch: Minibatch | undefined, name: string): StreamMinibatch {
  const stream = minibatch?.streams.get(name);
  if (!stream) throw new Error(`no stream ${name}`);
  return stream;
}

/** Values of a dense stream, column after column. */
export function valuesOf(minibatch: Minibatch | undefined, name: string): number[] {
  const { data } = streamOf(minibatch, name);
  if (data.storage !== "dense") throw new Error(`stream ${name} is not dense`);
  return [...data.values];
}
