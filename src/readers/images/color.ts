import { drawReal } from "../../numerics/boost-draws.js";
import type { ElementType, Values } from "../../numerics/values.js";
import { MersenneTwister32 } from "../../numerics/standard-shuffle.js";
import { inNumbers, type Picture } from "./picture.js";
import type { Transform } from "./transform.js";

export interface ColorOptions {
  readonly brightnessRadius: number;
  readonly contrastRadius: number;
  readonly saturationRadius: number;
  readonly seed: number;
  readonly elementType: ElementType;
}

/** Draws another brightness, contrast and saturation (Readers/ImageReader/ImageTransformers.cpp, ColorTransformer). */
export class Color implements Transform {
  private readonly engine: MersenneTwister32;

  constructor(private readonly options: ColorOptions) {
    this.engine = new MersenneTwister32(options.seed);
  }

  apply(picture: Picture): Picture {
    const { brightnessRadius, contrastRadius, saturationRadius, elementType } = this.options;
    if (brightnessRadius === 0 && contrastRadius === 0 && saturationRadius === 0) return picture;
    const result = inNumbers(picture, elementType);
    const values = result.values === picture.values ? result.values.slice() : result.values;
    if (brightnessRadius > 0 || contrastRadius > 0) this.brighten(values);
    if (saturationRadius > 0 && picture.channels === 3) this.saturate(values);
    return { ...result, values };
  }

  private brighten(values: Values): void {
    const { brightnessRadius, contrastRadius, elementType } = this.options;
    const round = elementType === "float" ? Math.fround : (x: number): number => x;
    let beta = 0;
    if (brightnessRadius > 0) {
      let sum = 0;
      for (const value of values) sum += value;
      beta = round((drawReal(this.engine, -brightnessRadius, brightnessRadius) * sum) / values.length);
    }
    const alpha = contrastRadius > 0 ? round(1 + drawReal(this.engine, -contrastRadius, contrastRadius)) : 1;
    for (let i = 0; i < values.length; i++) {
      values[i] = Math.min(Math.max((values[i] ?? 0) * alpha + beta, 0), 255);
    }
  }

  private saturate(values: Values): void {
    const { saturationRadius } = this.options;
    const ratio = 1 + drawReal(this.engine, -saturationRadius, saturationRadius);
    for (let i = 0; i < values.length; i += 3) {
      const pixel = toHueSaturationValue(values[i] ?? 0, values[i + 1] ?? 0, values[i + 2] ?? 0);
      const [hue, saturation, value] = pixel;
      values.set(toBlueGreenRed(hue, Math.min(saturation * ratio, 1), value), i);
    }
  }
}

/** Smallest float above 1, less 1: keeps black from a division by zero, as in OpenCV. */
const epsilon = 2 ** -23;

/** Hue in degrees, saturation from 0 to 1, value as the pixel's largest part. */
function toHueSaturationValue(blue: number, green: number, red: number): [number, number, number] {
  const value = Math.max(blue, green, red);
  const difference = value - Math.min(blue, green, red);
  const scale = 60 / (difference + epsilon);
  let hue =
    value === red
      ? (green - blue) * scale
      : value === green
        ? (blue - red) * scale + 120
        : (red - green) * scale + 240;
  if (hue < 0) hue += 360;
  return [hue, difference / (Math.abs(value) + epsilon), value];
}

function toBlueGreenRed(hue: number, saturation: number, value: number): [number, number, number] {
  const sixth = (((hue / 60) % 6) + 6) % 6;
  const sector = Math.floor(sixth);
  const fraction = sixth - sector;
  const low = value * (1 - saturation);
  const falling = value * (1 - saturation * fraction);
  const rising = value * (1 - saturation * (1 - fraction));
  const sectors: [number, number, number][] = [
    [low, rising, value],
    [low, value, falling],
    [rising, value, low],
    [value, falling, low],
    [value, low, rising],
    [falling, low, value],
  ];
  return sectors[sector] ?? [value, value, value];
}
