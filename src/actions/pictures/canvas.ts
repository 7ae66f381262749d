import { letterHeight, letterOf, letterWidth } from "./letters.js";

/** A picture in colour, three bytes a pixel, row by row. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** Letters are enlarged so many times. */
const letterScale = 2;

/** Height of a line of text, in pixels. */
export const lineHeight = (letterHeight + 1) * letterScale;

/** Width of a line of text, in pixels. */
export const textWidth = (text: string): number =>
  Math.max([...text].length * (letterWidth + 1) - 1, 0) * letterScale;

/** A white picture to paint on; what lies beyond it is not painted. */
export class Canvas implements Picture {
  readonly pixels: Uint8Array;

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    this.pixels = new Uint8Array(3 * width * height).fill(255);
  }

  /** Red, green and blue, 0 to 255 each, for all pixels of a rectangle. */
  fill(left: number, top: number, width: number, height: number, colour: readonly number[]): void {
    for (let y = Math.max(top, 0); y < Math.min(top + height, this.height); y++)
      for (let x = Math.max(left, 0); x < Math.min(left + width, this.width); x++)
        this.pixels.set(colour, 3 * (y * this.width + x));
  }

  /** One line of text in black. */
  write(text: string, left: number, top: number): void {
    [...text].forEach((character, index) => {
      const start = left + index * (letterWidth + 1) * letterScale;
      letterOf(character).forEach((row, y) => {
        [...row].forEach((pixel, x) => {
          if (pixel !== "#") return;
          const corner = [start + x * letterScale, top + y * letterScale] as const;
          this.fill(...corner, letterScale, letterScale, [0, 0, 0]);
        });
      });
    });
  }
}
