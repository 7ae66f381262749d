import type { WeightPicture } from "../view-data.js";
import { make, shortNumber } from "./elements.js";

const gap = 1;
const widest = 640;
const largestPixel = 12;

/** Weights as a picture with what it shows below: blue is negative, red positive; or the colours themselves. */
export function weightPicture(picture: WeightPicture, space: number): HTMLElement {
  const { width, height, columns, rows, channels, caption, scale } = picture;
  const [wide, tall] = [columns * (width + gap) - gap, rows * (height + gap) - gap];
  const canvas = make("canvas", { width: wide, height: tall, className: "weights" });
  const factor = Math.max(1, Math.min(largestPixel, Math.floor(Math.min(space, widest) / wide)));
  canvas.style.width = `${Math.min(wide * factor, space)}px`;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", caption);
  paint(canvas, picture);
  const legend =
    channels === 3
      ? `grey is 0; brightest and darkest are ±${shortNumber(scale)}`
      : `blue −${shortNumber(scale)} · white 0 · red ${shortNumber(scale)}`;
  return make("figure", {}, canvas, make("figcaption", {}, caption, make("br"), legend));
}

function paint(
  canvas: HTMLCanvasElement,
  { width, height, columns, rows, channels, pixels }: WeightPicture,
): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const bytes = Uint8Array.from(atob(pixels), (character) => character.charCodeAt(0));
  const image = context.createImageData(canvas.width, canvas.height);
  let at = 0;
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++, at += channels) {
          const pixel = 4 * ((row * (height + gap) + y) * canvas.width + column * (width + gap) + x);
          const values = bytes.subarray(at, at + channels);
          // 0 stands where there is no value.
          if (values[0] !== 0) image.data.set([...colourOf(values), 255], pixel);
        }
  context.putImageData(image, 0, 0);
}

function colourOf(values: Uint8Array): [number, number, number] {
  if (values.length === 3) return [values[0] as number, values[1] as number, values[2] as number];
  const value = ((values[0] as number) - 128) / 127;
  const rest = 255 * (1 - Math.min(1, Math.abs(value)));
  return value < 0 ? [rest, 0.35 * 255 + 0.65 * rest, 255] : [255, 0.25 * 255 + 0.75 * rest, rest];
}
