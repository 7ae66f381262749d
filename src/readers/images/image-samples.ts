import { CntkError } from "../../diagnostics/diagnostic.js";
import { newValues, type ElementType } from "../../numerics/values.js";
import type { Chunk, DeserializerStream, SequenceBlock } from "../deserializer.js";
import { emptyLike, type Picture } from "./picture.js";
import type { Transform } from "./transform.js";

/** What a section says of the two streams of a deserializer of images. */
export interface ImageStreams {
  readonly features: string;
  readonly labels: string;
  readonly labelDimension: number;
  readonly elementType: ElementType;
  /** The colours lie in planes, as convolutions take them; else pixel after pixel. */
  readonly transposes: boolean;
}

/** A sequence whose data is there. */
export type ReadySequence = Pick<Chunk, "source">;

/**
 * Makes samples of pictures: transforms in the order of calls, so that random numbers do not depend on which picture was
 * decoded first.
 */
export class ImageSamples {
  readonly streams: readonly DeserializerStream[];
  private queue: Promise<unknown> = Promise.resolve();

  /** `shape`: width, height, channels of every sample. */
  constructor(
    private readonly options: ImageStreams,
    private readonly transforms: readonly Transform[],
    private readonly shape: { readonly width: number; readonly height: number; readonly channels: number },
  ) {
    const { width, height, channels } = shape;
    const { elementType, features, labels, labelDimension, transposes } = options;
    this.streams = [
      {
        ...{ name: features, dimension: width * height * channels, storage: "dense", elementType },
        sampleShape: transposes ? [width, height, channels] : [channels, width, height],
        definesMinibatchSize: false,
      },
      {
        ...{ name: labels, dimension: labelDimension, storage: "sparse", elementType },
        sampleShape: [labelDimension],
        definesMinibatchSize: false,
      },
    ];
  }

  /** The sample of a picture that is being decoded; undefined where there is none. `name` is for messages. */
  prepare(
    decoding: Promise<Picture | undefined>,
    label: number,
    copy: number,
    name: string,
  ): Promise<ReadySequence | undefined> {
    const before = this.queue;
    const ready = (async () => {
      // Both are awaited, whichever fails: a failure that nobody awaits would end the process.
      const [picture] = await Promise.all([decoding, before]);
      return picture && this.sample(picture, label, copy, name);
    })();
    this.queue = ready.catch(() => undefined);
    return ready;
  }

  private sample(picture: Picture, label: number, copy: number, name: string): ReadySequence {
    let result = picture;
    for (const transform of this.transforms) result = transform.apply(result, copy);
    const { width, height, channels } = this.shape;
    if (result.width !== width || result.height !== height || result.channels !== channels) {
      throw new CntkError({
        code: "image-size",
        message:
          "Packer currently does not support samples with varying shapes." +
          "Please make sure there is a transform that unifies the shape of samples for input stream " +
          `'${this.options.features}' or the deserializer provides samples with the same shape.`,
        hint: `'${name}' is ${result.width} x ${result.height} with ${result.channels} channels, not ${width} x ${height} with ${channels}`,
      });
    }
    const { elementType, transposes } = this.options;
    const values = transposes ? planes(result) : result.values;
    const one = Int32Array.of(0, 1);
    const features: SequenceBlock = {
      storage: "dense",
      values: values,
      sequenceStarts: one,
      sampleStarts: new Int32Array(0),
      rows: new Int32Array(0),
    };
    const labels: SequenceBlock = {
      storage: "sparse",
      values: newValues(elementType, 1).fill(1),
      sequenceStarts: one,
      sampleStarts: one,
      rows: Int32Array.of(label),
    };
    return { source: (stream) => ({ block: stream === 0 ? features : labels, index: 0 }) };
  }
}

/** Colour by colour instead of pixel by pixel; bytes stay bytes until they are packed. */
function planes({ width, height, channels, values }: Picture): Picture["values"] {
  const count = width * height;
  const result = emptyLike(values, values.length);
  if (channels === 3 && values instanceof Uint8Array && result instanceof Uint8Array) {
    bytePlanes(values, result, count);
    return result;
  }
  for (let c = 0; c < channels; c++) {
    for (let i = 0, from = c, to = c * count; i < count; i++, from += channels)
      result[to++] = values[from] as number;
  }
  return result;
}

/** The usual case, in one pass. */
function bytePlanes(values: Uint8Array, result: Uint8Array, count: number): void {
  for (let i = 0, from = 0; i < count; i++, from += 3) {
    result[i] = values[from] as number;
    result[i + count] = values[from + 1] as number;
    result[i + 2 * count] = values[from + 2] as number;
  }
}
