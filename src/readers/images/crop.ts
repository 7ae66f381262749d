import { drawCoin, drawInteger, drawReal } from "../../numerics/boost-draws.js";
import { MersenneTwister32 } from "../../numerics/standard-shuffle.js";
import { cut, mirrored, type Picture } from "./picture.js";
import type { Transform } from "./transform.js";

/** Views of a picture that `multiView10` takes: four corners and the centre, each of them mirrored as well. */
export const viewCount = 10;

export type CropType = "center" | "randomside" | "randomarea" | "multiview10";

/** From and up to. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

export interface CropOptions {
  readonly type: CropType;
  /** In pixels; 0 = by a ratio. */
  readonly width: number;
  readonly height: number;
  /** Of the shorter side, or of the area; at most one of them. */
  readonly sideRatio?: Range | undefined;
  readonly areaRatio?: Range | undefined;
  readonly aspectRatio: Range;
  /** Ratios are drawn between their ends (`uniRatio`); else the lower end counts. */
  readonly jitters: boolean;
  /** Every second picture is mirrored. */
  readonly mirrors: boolean;
  readonly seed: number;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Takes a part of a picture (Readers/ImageReader/ImageTransformers.cpp, CropTransformer). */
export class Crop implements Transform {
  /** What comes out is as large as the picture lets it be. */
  readonly crops = true;
  private readonly engine: MersenneTwister32;

  constructor(private readonly options: CropOptions) {
    this.engine = new MersenneTwister32(options.seed);
  }

  apply(picture: Picture, copy: number): Picture {
    const size = this.sizeIn(picture);
    const view = this.options.type === "multiview10" ? copy % viewCount : 0;
    const place = this.placeIn(picture, size, view);
    const part = cut(picture, place.left, place.top, size.width, size.height);
    const mirrors = (this.options.mirrors && drawCoin(this.engine)) || view >= viewCount / 2;
    return mirrors ? mirrored(part) : part;
  }

  private sizeIn(picture: Size): Size {
    const { width, height } = this.options;
    if (width > 0 && height > 0) {
      return { width: Math.min(picture.width, width), height: Math.min(picture.height, height) };
    }
    // A shape that does not fit is drawn again, and the whole picture taken in the end.
    for (let attempt = 0; attempt < 10; attempt++) {
      const size = this.drawSize(picture);
      if (size.width <= picture.width && size.height <= picture.height) return size;
    }
    return { width: picture.width, height: picture.height };
  }

  private drawSize({ width, height }: Size): Size {
    const { sideRatio, areaRatio, aspectRatio } = this.options;
    let size: Size = { width, height };
    if (sideRatio) {
      const side = Math.round(Math.min(width, height) * this.ratio(sideRatio));
      size = { width: side, height: side };
    } else if (areaRatio) {
      const side = Math.round(Math.sqrt(width * height * this.ratio(areaRatio)));
      size = { width: side, height: side };
    }
    const aspect = this.ratio(aspectRatio);
    if (aspect === 1) return size;
    const area = size.width * size.height;
    const narrow = Math.trunc(Math.sqrt(area * aspect));
    const wide = Math.trunc(Math.sqrt(area / aspect));
    return drawCoin(this.engine) ? { width: narrow, height: wide } : { width: wide, height: narrow };
  }

  private ratio({ low, high }: Range): number {
    return this.options.jitters && low < high ? drawReal(this.engine, low, high) : low;
  }

  private placeIn(picture: Size, size: Size, view: number): { left: number; top: number } {
    const right = picture.width - size.width;
    const bottom = picture.height - size.height;
    const middle = { left: Math.trunc(right / 2), top: Math.trunc(bottom / 2) };
    switch (this.options.type) {
      case "center":
        return middle;
      case "multiview10":
        return this.viewPlace(view % 5, right, bottom) ?? middle;
      default: {
        const left = drawInteger(this.engine, 0, right);
        return { left, top: drawInteger(this.engine, 0, bottom) };
      }
    }
  }

  private viewPlace(view: number, right: number, bottom: number): { left: number; top: number } | undefined {
    if (view === 4) return undefined;
    return { left: view % 2 === 0 ? 0 : right, top: view < 2 ? 0 : bottom };
  }
}
