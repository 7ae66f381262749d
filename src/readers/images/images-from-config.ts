import type { ConfigSection } from "../../config/config-section.js";
import { CntkError } from "../../diagnostics/diagnostic.js";
import { readPrecision } from "../common-options.js";
import { DataReader, type ReaderOptions } from "../data-reader.js";
import type { Reader, ReaderSurroundings } from "../reader.js";
import { ImageDeserializer, type ImageOptions } from "./image-deserializer.js";
import { readCropType, readFixedTransforms, readTransforms } from "./transforms-from-config.js";

/**
 * Reads an ImageDeserializer or Base64ImageDeserializer: one input with `transforms`, one with `labelDim`.
 * @throws CntkError `image-option` in CNTK's words, and what the transforms throw.
 * Source: Source/Readers/ImageReader/ImageDeserializerBase.cpp.
 */
export function imageOptions(section: ConfigSection): ImageOptions {
  const input = section.section("input");
  const features = sectionsWith(input, "transforms");
  const labels = sectionsWith(input, "labelDim");
  for (const [found, key] of [
    [features, "transforms"],
    [labels, "labelDim"],
  ] as const) {
    if (found.length === 0) throw problem(input, `ImageDeserializerBase requires ${key} parameter.`);
  }
  const [feature, ...otherFeatures] = features;
  const [label, ...otherLabels] = labels;
  if (!feature || !label || otherFeatures.length > 0 || otherLabels.length > 0) {
    throw problem(
      input,
      `Please specify a single feature and label stream. '${features.length}' features , '${labels.length}' labels found.`,
    );
  }
  const elementType = readPrecision(section);
  const { make, transposes } = readTransforms(input.section(feature), elementType);
  return {
    file: section.string("file"),
    features: feature,
    labels: label,
    labelDimension: labelDimension(input.section(label)),
    elementType,
    grayscale: section.boolean("grayscale", false),
    multiView: section.boolean("multiViewCrop", false),
    transforms: make,
    transposes,
  };
}

/** The options of the older ImageReader. */
export interface ImageReaderOptions {
  readonly images: ImageOptions;
  readonly reader: ReaderOptions;
}

/**
 * Reads `readerType = ImageReader`: one section with `width` for the pictures and all that is done to them, one with
 * `labelDim`.
 * @throws CntkError `image-option` in CNTK's words.
 * Source: Source/Readers/ImageReader/ImageConfigHelper.cpp.
 */
export function readImageReader(section: ConfigSection): ImageReaderOptions {
  const features = sectionsWith(section, "width");
  const labels = sectionsWith(section, "labelDim");
  if (features.length === 0) throw problem(section, "ImageReader requires width parameter.");
  if (labels.length === 0) throw problem(section, "ImageReader requires labelDim parameter.");
  const [feature, ...otherFeatures] = features;
  const [label, ...otherLabels] = labels;
  if (!feature || !label || otherFeatures.length > 0 || otherLabels.length > 0) {
    throw problem(
      section,
      `ImageReader currently supports a single feature and label stream. '${features.length}' features , '${labels.length}' labels found.`,
    );
  }
  const pictures = section.section(feature);
  const elementType = readPrecision(section);
  const randomize = section.string("randomize", "auto").toLowerCase();
  if (randomize !== "auto" && randomize !== "none") {
    throw problem(section, "'randomize' parameter must be set to 'auto' or 'none'", "randomize");
  }
  const images: ImageOptions = {
    file: section.string("file"),
    features: feature,
    labels: label,
    labelDimension: labelDimension(section.section(label)),
    elementType,
    grayscale: section.boolean("grayscale", pictures.size("channels") === 1),
    multiView: readCropType(pictures) === "multiview10",
    transforms: readFixedTransforms(pictures, elementType),
    transposes: readPlanes(pictures),
  };
  const seed = section.seed("randomizationSeed", 0);
  const reader: ReaderOptions = {
    ...(randomize === "auto" ? { randomization: { window: 1, sampleBased: true, seed } } : {}),
    keepDataInMemory: false,
    packing: "frame",
    localTimeline: true,
    withKeys: false,
    prefetch: section.boolean("prefetch", true),
    preparesAtOnce: true,
  };
  return { images, reader };
}

/** Opens what `readImageReader` has read. */
export async function openImageReader(
  { images, reader }: ImageReaderOptions,
  surroundings: ReaderSurroundings,
): Promise<Reader> {
  const keys = { kind: "symbolic", toKey: (bytes: Uint8Array) => new TextDecoder().decode(bytes) } as const;
  const deserializer = await ImageDeserializer.open(images, surroundings, keys);
  return new DataReader(deserializer, reader, (text) => surroundings.log.write(text));
}

/** `mbFormat`: colours in planes (nchw), or pixel after pixel. */
function readPlanes(pictures: ConfigSection): boolean {
  const format = pictures.string("mbFormat", "nchw");
  if (/^(nhwc|legacy)$/i.test(format)) return false;
  if (/^nchw$/i.test(format)) return true;
  const message = `ImageReader does not support the sample format '${format}', only 'nchw' and 'nhwc' are supported.`;
  throw problem(pictures, message, "mbFormat");
}

function labelDimension(label: ConfigSection): number {
  const dimension = label.size("labelDim");
  if (dimension > 0 && dimension < 2 ** 31) return dimension;
  throw problem(label, "labelDim is out of range.", "labelDim");
}

/** Names of the sections inside a section that have a key of their own. */
function sectionsWith(section: ConfigSection, key: string): string[] {
  return section.keys().filter((name) => {
    const text = section.raw(name)?.text.trimStart() ?? "";
    return /^[[{(]/.test(text) && isSection(section, name) && section.section(name).hasOwn(key);
  });
}

function isSection(section: ConfigSection, name: string): boolean {
  try {
    section.section(name);
    return true;
  } catch {
    return false;
  }
}

function problem(section: ConfigSection, message: string, key?: string): CntkError {
  const span = (key === undefined ? undefined : section.raw(key)?.spanOf()) ?? section.span;
  return new CntkError({ code: "image-option", message, span });
}
