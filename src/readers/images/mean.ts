import type { FileAccess } from "../../files/file-access.js";
import type { LogSink } from "../../log/log.js";
import type { ElementType } from "../../numerics/values.js";
import { inNumbers, type Picture } from "./picture.js";
import type { Transform } from "./transform.js";
import { XmlMatrices } from "./xml-matrices.js";

/** Subtracts a mean picture (Readers/ImageReader/ImageTransformers.cpp, MeanTransformer). */
export class Mean implements Transform {
  private readonly width: number;
  private readonly height: number;
  private readonly channels: number;
  private readonly values: Float64Array;

  /** @throws CntkError `image-mean`. */
  constructor(
    files: FileAccess,
    path: string,
    private readonly elementType: ElementType,
    private readonly log: LogSink,
  ) {
    const file = new XmlMatrices(files, path);
    this.values = file.matrix("MeanImg").values;
    this.channels = file.number("Channel");
    this.height = file.number("Row");
    this.width = file.number("Col");
    if (this.channels * this.height * this.width !== this.values.length) {
      throw file.invalid("Channel, Row and Col do not agree with MeanImg");
    }
  }

  apply(picture: Picture): Picture {
    const { width, height, channels, values } = this;
    if (picture.width !== width || picture.height !== height || picture.channels !== channels) {
      this.log.write(
        "WARNING: Mean file does not match the size of the input image, will be ignored.\n" +
          "Please remove mean transformation from the config.\n",
      );
      return picture;
    }
    const numbers = inNumbers(picture, this.elementType);
    return { ...numbers, values: numbers.values.map((value, i) => value - (values[i] ?? 0)) };
  }
}
