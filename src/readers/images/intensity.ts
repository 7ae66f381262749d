import { CntkError } from "../../diagnostics/diagnostic.js";
import type { FileAccess } from "../../files/file-access.js";
import { drawNormal } from "../../numerics/boost-draws.js";
import { MersenneTwister32 } from "../../numerics/standard-shuffle.js";
import type { ElementType } from "../../numerics/values.js";
import { inNumbers, type Picture } from "./picture.js";
import type { Transform } from "./transform.js";
import { XmlMatrices } from "./xml-matrices.js";

export interface IntensityOptions {
  readonly deviation: number;
  readonly file: string;
  readonly seed: number;
  readonly elementType: ElementType;
}

/**
 * Shifts the colours of a picture along the principal components of a data set's colours, which a file holds
 * (Readers/ImageReader/ImageTransformers.cpp, IntensityTransformer).
 */
export class Intensity implements Transform {
  private readonly engine: MersenneTwister32;
  private readonly lengths: readonly number[];
  private readonly directions: Float64Array;

  /** @throws CntkError `image-mean`. */
  constructor(
    files: FileAccess,
    private readonly options: IntensityOptions,
  ) {
    this.engine = new MersenneTwister32(options.seed);
    const file = new XmlMatrices(files, options.file);
    const lengths = file.matrix("EigVal");
    const directions = file.matrix("EigVec");
    const check = (name: string, fits: boolean): void => {
      if (fits) return;
      throw new CntkError({ code: "image-mean", message: `Invalid ${name} data in file: ${options.file}` });
    };
    check("EigVal", lengths.rows === 1 && lengths.columns === 3);
    check("EigVec", directions.rows === 3 && directions.columns === 3);
    this.lengths = [...lengths.values];
    this.directions = directions.values;
  }

  apply(picture: Picture): Picture {
    const { deviation, elementType } = this.options;
    if (deviation === 0) return picture;
    const { fround } = Math;
    const alphas = this.lengths.map((length) =>
      fround(fround(drawNormal(this.engine) * fround(deviation)) * fround(length)),
    );
    const shifts = [0, 1, 2].map((row) =>
      fround(alphas.reduce((sum, alpha, i) => sum + fround(this.directions[3 * row + i] ?? 0) * alpha, 0)),
    );
    const numbers = inNumbers(picture, elementType);
    const { channels } = picture;
    // Pixels are blue, green, red; the file's rows are red, green, blue.
    const shifted = numbers.values.map((value, i) =>
      Math.min(Math.max(value + (shifts[channels - 1 - (i % channels)] ?? 0), 0), 255),
    );
    return { ...numbers, values: shifted };
  }
}
