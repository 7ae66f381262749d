import { ConfigSection } from "../../config/config-section.js";
import { CntkError } from "../../diagnostics/diagnostic.js";
import { didYouMean } from "../../diagnostics/suggest.js";
import type { ElementType } from "../../numerics/values.js";
import type { ReaderSurroundings } from "../reader.js";
import { Color } from "./color.js";
import { Crop, type CropType, type Range } from "./crop.js";
import { Intensity } from "./intensity.js";
import { Mean } from "./mean.js";
import type { Interpolation } from "./resize.js";
import { Scale } from "./scale.js";
import type { Transform } from "./transform.js";

/** Reads a section; the function returned makes the transform, or undefined where it does nothing. */
type MakeTransform = (surroundings: ReaderSurroundings) => Transform | undefined;

/** What a list of transforms says. */
export interface TransformList {
  readonly make: (surroundings: ReaderSurroundings) => readonly Transform[];
  /** Is there a Transpose? It changes nothing but where the numbers of a sample lie. */
  readonly transposes: boolean;
}

const readers: Readonly<Record<string, (section: ConfigSection, elementType: ElementType) => MakeTransform>> =
  {
    Crop: readCrop,
    Scale: readScale,
    Color: readColor,
    Intensity: readIntensity,
    Mean: readMean,
  };

/**
 * Reads `transforms = ( [ type = … ; … ] : … )` of an input.
 * @throws CntkError `image-option` in CNTK's words, `reader-type` for a type that does not exist.
 */
export function readTransforms(input: ConfigSection, elementType: ElementType): TransformList {
  const texts = input.optionalText("transforms")?.length ? input.texts("transforms") : [];
  const makers: MakeTransform[] = [];
  let transposes = false;
  for (const text of texts) {
    const { result: section, diagnostics } = ConfigSection.read(text, `${input.name}:transforms`, input);
    if (diagnostics[0]) throw new CntkError(diagnostics[0]);
    const type = section.string("type");
    if (type === "Transpose") transposes = true;
    else if (type !== "Cast") makers.push(readerOf(type, section)(section, elementType));
    if (transposes && type !== "Transpose" && type !== "Cast") {
      throw problem(
        section,
        "type",
        `Currently ${type} transform only works with images.`,
        "Transpose comes last",
      );
    }
  }
  return { make: makeAll(makers), transposes };
}

/** The fixed list of the older ImageReader, whose options stand in one section (ImageReader.cpp). */
export function readFixedTransforms(
  features: ConfigSection,
  elementType: ElementType,
): TransformList["make"] {
  const kinds = ["Crop", "Scale", "Color", "Intensity", "Mean"];
  return makeAll(kinds.map((kind) => readerOf(kind, features)(features, elementType)));
}

function makeAll(makers: readonly MakeTransform[]): TransformList["make"] {
  return (surroundings) => makers.flatMap((make) => make(surroundings) ?? []);
}

function readerOf(type: string, section: ConfigSection): NonNullable<(typeof readers)[string]> {
  const reader = readers[type];
  if (reader) return reader;
  throw new CntkError({
    code: "reader-type",
    message: `Unknown transform type '${type}'`,
    span: section.raw("type")?.spanOf() ?? section.span,
    hint: didYouMean(type, [...Object.keys(readers), "Transpose", "Cast"]),
  });
}

function problem(section: ConfigSection, key: string, message: string, hint?: string): CntkError {
  return new CntkError({
    code: "image-option",
    message,
    span: section.raw(key)?.spanOf() ?? section.span,
    hint,
  });
}

const cropTypes: readonly CropType[] = ["center", "randomside", "randomarea", "multiview10"];

/** `cropType`, in any case; empty = center. */
export function readCropType(section: ConfigSection): CropType {
  const word = section.string("cropType", "");
  const type = word === "" ? "center" : cropTypes.find((known) => known === word.toLowerCase());
  if (type) return type;
  throw problem(section, "cropType", `Invalid crop type: ${word}.`, didYouMean(word, cropTypes));
}

function readCrop(section: ConfigSection): MakeTransform {
  const [width = 0, height = width] = section.integerSchedule("cropSize", [0]).values;
  if (width < 0 || height < 0) throw problem(section, "cropSize", "Invalid cropSize value, must be >= 0");
  const sideRatio = readRatio(section, "sideRatio", "side");
  const areaRatio = readRatio(section, "areaRatio", "area");
  if (sideRatio && areaRatio) {
    throw problem(section, "sideRatio", "sideRatio and areaRatio cannot be specified simultaneously");
  }
  const aspectRatio = readRatio(section, "aspectRatio", "aspect") ?? { low: 1, high: 1 };
  const jitter = section.string("jitterType", "");
  if (!/^(|none|uniratio)$/i.test(jitter))
    throw problem(section, "jitterType", `Invalid jitter type: ${jitter}.`);
  const type = readCropType(section);
  const isRandom = type === "randomside" || type === "randomarea";
  const mirrors = section.hasOwn("hflip") ? section.boolean("hflip") : isRandom;
  const seed = section.size("seed", 0);
  const options = {
    ...{ type, width, height, sideRatio, areaRatio, aspectRatio, seed },
    jitters: /uniratio/i.test(jitter),
    mirrors: mirrors && type !== "multiview10",
  };
  return () => new Crop(options);
}

/** One ratio or two, as floats; both 0 means that none is given. */
function readRatio(section: ConfigSection, key: string, word: string): Range | undefined {
  const [low = 0, high = low] = section.floatSchedule(key, []).values;
  if (low === 0 && high === 0) return undefined;
  if (low > 0 && high <= 1 && low <= high) return { low, high };
  throw problem(section, key, `Invalid ${key} value, must be > 0 and <= 1. ${word}Min must <= ${word}Max`);
}

const interpolations: readonly Interpolation[] = ["nearest", "linear", "cubic", "lanczos"];

function readScale(section: ConfigSection): MakeTransform {
  const [width, height, channels] = [section.size("width"), section.size("height"), section.size("channels")];
  if (!(width * height * channels > 0) || width * height * channels > 2 ** 31) {
    throw problem(section, "width", "Invalid image dimensions.");
  }
  const mode = section.string("scaleMode", "fill");
  if (mode !== "fill" && mode !== "crop" && mode !== "pad") {
    throw problem(
      section,
      "scaleMode",
      "Invalid scaleMode value, must be fill, crop or pad (all lower case)",
    );
  }
  const padValue = section.integer("padValue", -1);
  if (padValue < -1) {
    const message = "Invalid padValue value, must be -1 (replicates border) or >= 0 (constant)";
    throw problem(section, "padValue", message);
  }
  const word = section.string("interpolations", "linear").toLowerCase();
  const interpolation = interpolations.find((known) => known === word);
  if (!interpolation) {
    const message = "Invalid interpolations value, must be nearest, cubic, lanczos or linear";
    throw problem(section, "interpolations", message);
  }
  return () => new Scale({ width, height, channels, interpolation, mode, padValue });
}

function readColor(section: ConfigSection, elementType: ElementType): MakeTransform {
  const radius = (key: string): number => {
    const value = section.number(key, 0);
    if (value >= 0 && value <= 1) return value;
    throw problem(section, key, `${key} must be >= 0.0 and <= 1.0`);
  };
  const options = {
    brightnessRadius: radius("brightnessRadius"),
    contrastRadius: radius("contrastRadius"),
    saturationRadius: radius("saturationRadius"),
    seed: section.size("seed", 0),
    elementType,
  };
  const doesNothing =
    options.brightnessRadius === 0 && options.contrastRadius === 0 && options.saturationRadius === 0;
  return () => (doesNothing ? undefined : new Color(options));
}

function readIntensity(section: ConfigSection, elementType: ElementType): MakeTransform {
  const deviation = section.number("intensityStdDev", 0);
  const file = section.string("intensityFile", "");
  const seed = section.size("seed", 0);
  return ({ files }) =>
    file === "" || deviation === 0 ? undefined : new Intensity(files, { deviation, file, seed, elementType });
}

function readMean(section: ConfigSection, elementType: ElementType): MakeTransform {
  const file = section.string("meanFile", "");
  return ({ files, log }) => (file === "" ? undefined : new Mean(files, file, elementType, log));
}
