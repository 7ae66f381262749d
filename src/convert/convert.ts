import { CntkError } from "../diagnostics/diagnostic.js";
import { didYouMean } from "../diagnostics/suggest.js";
import { defaultChunkSize } from "../readers/text-format/options.js";
import { binaryToText } from "./binary-to-text.js";
import { columnsToText } from "./columns-to-text.js";
import type { Conversion, Converted } from "./conversion.js";
import { idxToText } from "./idx-to-text.js";
import { imagesToMap } from "./images-to-map.js";
import { readStreams } from "./stream-list.js";
import { textToBinary } from "./text-to-binary.js";

/** What can be converted, `from-to`. */
export const conversionKinds = [
  "text-to-binary",
  "binary-to-text",
  "columns-to-text",
  "images-to-map",
  "idx-to-text",
] as const;
export type ConversionKind = (typeof conversionKinds)[number];

/** What a conversion is told besides its files; each kind takes some of it. */
export interface ConversionOptions {
  /** Streams of a text file: `features dense 784, labels dense 10`. */
  readonly streams?: string;
  /** A file that lists them, as ctf2bin has it. */
  readonly header?: string;
  readonly precision?: string;
  readonly chunkSize?: number;
  /** Columns `first:count`. */
  readonly features?: string;
  readonly labels?: string;
  readonly classes?: number;
}

/**
 * Converts data. @throws CntkError `convert-option` for what it is told, `convert-data` and what readers throw for the data.
 */
export async function convert(
  kind: string,
  work: Conversion,
  options: ConversionOptions,
): Promise<Converted> {
  if (work.files.resolve(work.source) === work.files.resolve(work.target)) {
    throw new CntkError({ code: "convert-option", message: "Source and target are the same file." });
  }
  switch (kind) {
    case "text-to-binary":
      return textToBinary(work, {
        inputs: readStreams(work.files, options.streams, options.header),
        elementType: elementType(options),
        chunkSize: options.chunkSize ?? defaultChunkSize,
      });
    case "binary-to-text":
      return binaryToText(work, elementType(options));
    case "columns-to-text": {
      const [featuresStart, featuresCount] = columns(options.features, "features");
      const [labelsStart, labelsCount] = columns(options.labels, "labels");
      const classes = options.classes ?? 0;
      return columnsToText(work, { featuresStart, featuresCount, labelsStart, labelsCount, classes });
    }
    case "images-to-map":
      return imagesToMap(work);
    case "idx-to-text":
      return idxToText(work, { labels: options.labels, classes: options.classes ?? 10 });
    default:
      throw new CntkError({
        code: "convert-option",
        message: `There is no conversion '${kind}'.`,
        hint: didYouMean(kind, conversionKinds) ?? `conversions: ${conversionKinds.join(", ")}`,
      });
  }
}

function elementType({ precision = "float" }: ConversionOptions): "float" | "double" {
  if (precision === "float" || precision === "double") return precision;
  throw new CntkError({
    code: "convert-option",
    message: `--precision is float or double, not '${precision}'.`,
  });
}

function columns(text: string | undefined, option: string): [number, number] {
  const found = /^(\d{1,9}):(\d{1,9})$/.exec(text ?? "");
  if (found && Number(found[2]) > 0) return [Number(found[1]), Number(found[2])];
  throw new CntkError({
    code: "convert-option",
    message: `--${option} needs the first column and how many there are.`,
    hint: `--${option} 1:784 takes 784 columns from the second one on`,
  });
}
