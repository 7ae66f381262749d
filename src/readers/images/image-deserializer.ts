import { CntkError } from "../../diagnostics/diagnostic.js";
import type { Chunk, Corpus, Deserializer, DeserializerStream, SequenceKey } from "../deserializer.js";
import type { ReaderSurroundings } from "../reader.js";
import type { KeyReading } from "../text-format/text-index.js";
import { viewCount } from "./crop.js";
import { ImageSamples, type ImageStreams } from "./image-samples.js";
import { type MapEntry, readMapFile } from "./map-file.js";
import type { Picture, PictureDecoder } from "./picture.js";
import { PictureFiles } from "./picture-files.js";
import type { Transform } from "./transform.js";

/** What a section says of an ImageDeserializer. */
export interface ImageOptions extends ImageStreams {
  /** The map file. */
  readonly file: string;
  readonly grayscale: boolean;
  /** Every picture comes ten times in a row, for ten views of it. */
  readonly multiView: boolean;
  /** Makes the transforms anew: each has a random engine of its own. */
  readonly transforms: (surroundings: ReaderSurroundings) => readonly Transform[];
}

/**
 * Pictures that a map file lists: every one a chunk of its own, decoded when it is asked for.
 * Source: Source/Readers/ImageReader/ImageDataDeserializer.cpp.
 */
export class ImageDeserializer implements Deserializer {
  readonly streams: readonly DeserializerStream[];
  readonly corpus: Corpus;
  private byKey: Map<SequenceKey, number> | undefined;

  private constructor(
    private readonly options: ImageOptions,
    private readonly entries: readonly MapEntry[],
    private readonly pictures: PictureFiles,
    private readonly decoder: PictureDecoder,
    private readonly samples: ImageSamples,
  ) {
    this.streams = samples.streams;
    const count = entries.length * this.copies;
    this.corpus = {
      lengths: new Int32Array(count).fill(1),
      firstSequences: Int32Array.from({ length: count + 1 }, (_, i) => i),
    };
  }

  /**
   * Opens a map file. Where no transform says what size pictures have, the first one is looked at.
   * @throws CntkError `image-map`, `image-missing`, `image-format`, `image-mean`.
   */
  static async open(
    options: ImageOptions,
    surroundings: ReaderSurroundings,
    keys: KeyReading,
  ): Promise<ImageDeserializer> {
    const { files } = surroundings;
    const decoder = pictureDecoder(surroundings);
    const entries = readMapFile(files, options.file, options.labelDimension, keys);
    const pictures = new PictureFiles(files, decoder, options.file);
    const transforms = options.transforms(surroundings);
    const [first] = entries;
    const shape = await shapeAfter(
      transforms,
      async () => {
        const path = first?.path ?? "";
        return decode(decoder, pictures.read(path), options.grayscale, path);
      },
      options,
      surroundings,
    );
    return new ImageDeserializer(
      options,
      entries,
      pictures,
      decoder,
      new ImageSamples(options, transforms, shape),
    );
  }

  private get copies(): number {
    return this.options.multiView ? viewCount : 1;
  }

  async chunk(id: number): Promise<Chunk> {
    const entry = this.entries[Math.floor(id / this.copies)];
    if (!entry) throw new Error(`there is no chunk ${id}`);
    return {
      source: () => {
        throw new Error("a picture is asked for before it is decoded");
      },
      ready: () => {
        const picture = this.decoded(entry);
        return this.samples.prepare(picture, entry.label, id % this.copies, entry.path);
      },
    };
  }

  key(sequence: number): SequenceKey {
    return this.entries[Math.floor(sequence / this.copies)]?.key ?? sequence;
  }

  find(key: SequenceKey): number | undefined {
    // Of a key that occurs twice the last line counts, as in CNTK.
    this.byKey ??= new Map(this.entries.map((entry, i) => [entry.key, i * this.copies]));
    return this.byKey.get(key);
  }

  async close(): Promise<void> {
    this.pictures.close();
  }

  private async decoded(entry: MapEntry): Promise<Picture> {
    return decode(this.decoder, this.pictures.read(entry.path), this.options.grayscale, entry.path);
  }
}

/** The decoder of the surroundings. Throws CntkError `image-format` where there is none. */
export function pictureDecoder({ pictures }: ReaderSurroundings): PictureDecoder {
  if (pictures) return pictures;
  throw new CntkError({ code: "image-format", message: "There is nothing here that decodes pictures." });
}

async function decode(
  decoder: PictureDecoder,
  bytes: Uint8Array,
  grayscale: boolean,
  path: string,
): Promise<Picture> {
  try {
    return await decoder.decode(bytes, grayscale);
  } catch (error) {
    throw new CntkError({
      code: "image-format",
      message: `Cannot open file '${path}'`,
      hint: `it cannot be decoded: ${error instanceof Error ? error.message : String(error)}`,
    });
  }
}

/** CNTK takes the first bytes of such pictures, or what lies behind them in memory. */
function otherChannels(declared: number, channels: number): CntkError {
  return new CntkError({
    code: "image-size",
    message: `The pictures are scaled to channels = ${declared}, but they are read with ${channels}.`,
    hint:
      channels === 3
        ? "grayscale = true reads them with one channel"
        : "grayscale reads one channel: channels = 1",
  });
}

/** The size of all samples: what the transforms say, else what they make of the first picture. */
export async function shapeAfter(
  transforms: readonly Transform[],
  first: () => Promise<Picture>,
  { grayscale, transforms: makeTransforms }: ImageOptions,
  surroundings: ReaderSurroundings,
): Promise<{ readonly width: number; readonly height: number; readonly channels: number }> {
  const sized = transforms.findLastIndex(({ size }) => size !== undefined);
  const laterCrops = transforms.slice(sized + 1).some((transform) => "crops" in transform);
  const size = transforms[sized]?.size;
  const channels = grayscale ? 1 : 3;
  if (size && size.channels !== channels) throw otherChannels(size.channels, channels);
  if (size && !laterCrops) return size;
  // Transforms of its own: those of the samples have not drawn a random number yet.
  const sample = makeTransforms(surroundings).reduce((result, step) => step.apply(result, 0), await first());
  return { width: sample.width, height: sample.height, channels: sample.channels };
}
