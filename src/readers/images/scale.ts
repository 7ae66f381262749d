import { CntkError } from "../../diagnostics/diagnostic.js";
import { cut, emptyLike, type Picture } from "./picture.js";
import { type Interpolation, resized } from "./resize.js";
import type { Transform } from "./transform.js";

export interface ScaleOptions {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly interpolation: Interpolation;
  /** Fill the target, or keep the sides' ratio and cut what is too long, or pad what is too short. */
  readonly mode: "fill" | "crop" | "pad";
  /** Beside a padded picture; −1 repeats its border. */
  readonly padValue: number;
}

/** Brings a picture to one size (Readers/ImageReader/ImageTransformers.cpp, ScaleTransformer). */
export class Scale implements Transform {
  constructor(private readonly options: ScaleOptions) {}

  get size(): { readonly width: number; readonly height: number; readonly channels: number } {
    return this.options;
  }

  apply(picture: Picture): Picture {
    const { width, height, interpolation, mode } = this.options;
    if (mode === "fill") return resized(picture, width, height, interpolation);
    const byWidth = mode === "crop" ? picture.width < picture.height : picture.width > picture.height;
    const targetWidth = byWidth ? width : Math.round((picture.width * height) / picture.height);
    const targetHeight = byWidth ? Math.round((picture.height * width) / picture.width) : height;
    if (targetWidth < 1 || targetHeight < 1) throw doesNotFit(picture, this.options);
    const scaled = resized(picture, targetWidth, targetHeight, interpolation);
    return mode === "crop" ? this.middleOf(scaled) : this.padded(scaled);
  }

  private middleOf(picture: Picture): Picture {
    const { width, height } = this.options;
    if (picture.width < width || picture.height < height) throw doesNotFit(picture, this.options);
    const left = Math.floor((picture.width - width) / 2);
    return cut(picture, left, Math.floor((picture.height - height) / 2), width, height);
  }

  private padded(picture: Picture): Picture {
    const { width, height, padValue } = this.options;
    if (picture.width > width || picture.height > height) throw doesNotFit(picture, this.options);
    const { channels, values } = picture;
    const left = Math.floor((width - picture.width) / 2);
    const top = Math.floor((height - picture.height) / 2);
    const result = emptyLike(values, width * height * channels);
    const inside = (position: number, length: number): number => Math.max(0, Math.min(position, length - 1));
    for (let y = 0; y < height; y++) {
      const fromY = inside(y - top, picture.height);
      for (let x = 0; x < width; x++) {
        const fromX = inside(x - left, picture.width);
        const isPadding = fromX !== x - left || fromY !== y - top;
        const from = (fromY * picture.width + fromX) * channels;
        for (let c = 0; c < channels; c++) {
          const own = isPadding && padValue >= 0 ? Math.min(padValue, 255) : (values[from + c] ?? 0);
          result[(y * width + x) * channels + c] = own;
        }
      }
    }
    return { width, height, channels, values: result };
  }
}

function doesNotFit(
  picture: { width: number; height: number },
  target: { width: number; height: number },
): CntkError {
  return new CntkError({
    code: "image-size",
    message: `A picture of ${picture.width} x ${picture.height} pixels cannot be brought to ${target.width} x ${target.height} by this scaleMode.`,
    hint: "scaleMode = fill warps any picture to the target",
  });
}
