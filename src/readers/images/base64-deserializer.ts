import { CntkError } from "../../diagnostics/diagnostic.js";
import type { LogSink } from "../../log/log.js";
import type { Chunk, Corpus, Deserializer, DeserializerStream, SequenceKey } from "../deserializer.js";
import type { ReaderSurroundings } from "../reader.js";
import type { KeyReading } from "../text-format/text-index.js";
import { viewCount } from "./crop.js";
import { type ImageOptions, pictureDecoder, shapeAfter } from "./image-deserializer.js";
import { ImageSamples } from "./image-samples.js";
import { keyOf } from "./map-file.js";
import type { Picture, PictureDecoder } from "./picture.js";

/** A chunk holds up to this many bytes of lines. */
const chunkSize = 32 * 1024 * 1024;

/** A line of the file. */
interface Line {
  readonly key: SequenceKey;
  /** Where its text lies in the file. */
  readonly begin: number;
  readonly end: number;
}

/**
 * Pictures in a text file: `[key<TAB>]label<TAB>picture in base64`, one a line. A picture that cannot be read is warned of
 * and left out, as far as the reader's maxErrors allows.
 * Source: Source/Readers/ImageReader/Base64ImageDeserializer.cpp.
 */
export class Base64ImageDeserializer implements Deserializer {
  readonly streams: readonly DeserializerStream[];
  readonly corpus: Corpus;
  private byKey: Map<SequenceKey, number> | undefined;

  private constructor(
    private readonly options: ImageOptions,
    private readonly file: Base64File,
    private readonly decoder: PictureDecoder,
    private readonly samples: ImageSamples,
    private readonly log: LogSink,
  ) {
    this.streams = samples.streams;
    const { copies } = this;
    const count = file.lines.length * copies;
    this.corpus = {
      lengths: new Int32Array(count).fill(1),
      firstSequences: Int32Array.from(file.chunkStarts, (line) => line * copies),
    };
  }

  /** @throws CntkError `image-map` in CNTK's words. */
  static async open(
    options: ImageOptions,
    surroundings: ReaderSurroundings,
    keys: KeyReading,
  ): Promise<Base64ImageDeserializer> {
    const decoder = pictureDecoder(surroundings);
    const file = new Base64File(surroundings, options.file, keys);
    const transforms = options.transforms(surroundings);
    const shape = await shapeAfter(
      transforms,
      async () => {
        const { image } = file.read(file.lines[0], options.labelDimension);
        return decoder.decode(image ?? new Uint8Array(), options.grayscale);
      },
      options,
      surroundings,
    );
    const samples = new ImageSamples(options, transforms, shape);
    return new Base64ImageDeserializer(options, file, decoder, samples, surroundings.log);
  }

  private get copies(): number {
    return this.options.multiView ? viewCount : 1;
  }

  async chunk(id: number): Promise<Chunk> {
    const first = this.corpus.firstSequences[id] ?? 0;
    return {
      source: () => {
        throw new Error("a picture is asked for before it is decoded");
      },
      ready: (sequence) => {
        const line = this.file.lines[Math.floor((first + sequence) / this.copies)];
        const { label, image } = this.file.read(line, this.options.labelDimension);
        const picture = this.decoded(image, line?.key ?? 0);
        return this.samples.prepare(picture, label, (first + sequence) % this.copies, String(line?.key));
      },
    };
  }

  key(sequence: number): SequenceKey {
    return this.file.lines[Math.floor(sequence / this.copies)]?.key ?? sequence;
  }

  find(key: SequenceKey): number | undefined {
    this.byKey ??= new Map(this.file.lines.map((line, i) => [line.key, i * this.copies]));
    return this.byKey.get(key);
  }

  async close(): Promise<void> {
    this.file.close();
  }

  private async decoded(image: Uint8Array | undefined, key: SequenceKey): Promise<Picture | undefined> {
    if (image === undefined) {
      this.log.write(
        `WARNING: Cannot decode sequence with id ${key} in the input file '${this.options.file}'\n`,
      );
      return undefined;
    }
    try {
      return await this.decoder.decode(image, this.options.grayscale);
    } catch {
      this.log.write(`WARNING: Could not decompress sequence with id '${key}'\n`);
      return undefined;
    }
  }
}

/** The lines of a file of pictures, found once and read when they are asked for. */
class Base64File {
  readonly lines: Line[] = [];
  /** First line of each chunk, and at the end the number of lines. */
  readonly chunkStarts: number[] = [0];
  private readonly file;
  private readonly hasKeys: boolean;

  constructor(
    { files }: Pick<ReaderSurroundings, "files">,
    private readonly path: string,
    keys: KeyReading,
  ) {
    if (!files.exists(path) || files.isDirectory(path)) {
      throw new CntkError({ code: "image-map", message: `Could not open '${path}' for reading.` });
    }
    this.file = files.open(path);
    const ends = [...this.lineEnds()];
    if (ends.length === 0) {
      throw new CntkError({ code: "image-map", message: `Could not read the file '${path}'.` });
    }
    this.hasKeys = this.text(0, ends[0] ?? 0).split("\t").length >= 3;
    let begin = 0;
    let chunkBytes = 0;
    for (const [number, end] of ends.entries()) {
      chunkBytes += end + 1 - begin;
      if (number > 0 && chunkBytes > chunkSize) {
        this.chunkStarts.push(number);
        chunkBytes = end + 1 - begin;
      }
      this.lines.push({ key: this.keyOfLine(number, begin, end, keys), begin, end });
      begin = end + 1;
    }
    this.chunkStarts.push(this.lines.length);
  }

  /** Label and picture of a line; no picture where the text is no base64. */
  read(line: Line | undefined, labelDimension: number): { label: number; image: Uint8Array | undefined } {
    const fields = line ? this.text(line.begin, line.end).split("\t") : [];
    const [label = "", image] = this.hasKeys ? fields.slice(1) : fields;
    const key = String(line?.key);
    const digits = /^\s*\+?(\d+)/.exec(label)?.[1];
    if (digits === undefined || digits.length > 19) {
      throw this.problem(`Cannot parse label value for sequence '${key}' in the input file '${this.path}'`);
    }
    if (Number(digits) >= labelDimension) {
      const limit = `It is exceeding the label dimension of '${labelDimension}'`;
      throw this.problem(`Image with id '${key}' has invalid class id '${digits}'. ${limit}`);
    }
    if (image === undefined) {
      throw this.problem(`No data found for sequence '${key}' in the input file '${this.path}'`);
    }
    const text = image.replace(/[^A-Za-z0-9+/=]+$/, "");
    const isBase64 = text.length > 0 && text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
    return { label: Number(digits), image: isBase64 ? fromBase64(text) : undefined };
  }

  close(): void {
    this.file.close();
  }

  private *lineEnds(): Generator<number> {
    const piece = 1 << 20;
    let last = -1;
    for (let offset = 0; offset < this.file.size; offset += piece) {
      const bytes = this.file.read(offset, piece);
      for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) {
        last = offset + at;
        yield last;
      }
    }
    if (last + 1 < this.file.size) yield this.file.size;
  }

  private text(begin: number, end: number): string {
    return new TextDecoder("latin1").decode(this.file.read(begin, end - begin));
  }

  private keyOfLine(number: number, begin: number, end: number, keys: KeyReading): SequenceKey {
    const fail = (message: string): never => {
      throw this.problem(message, `line ${number + 1} of ${this.path}, counted from 1`);
    };
    if (!this.hasKeys) return keyOf(String(number), keys, fail);
    const [key = ""] = this.text(begin, Math.min(end, begin + 1024)).split("\t");
    return keyOf(key, keys, fail);
  }

  private problem(message: string, hint?: string): CntkError {
    return new CntkError({ code: "image-map", message, hint });
  }
}

function fromBase64(text: string): Uint8Array {
  const binary = atob(text);
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
