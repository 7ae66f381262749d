import type { ImageGeometry } from "../image-geometry.js";

/**
 * Turns CNTK's weights (row-major maps x channels x height x width) into the filter of the opposite direction: turned
 * by 180 degrees, row-major height x width x maps x channels.
 */
export function flipFilter(g: ImageGeometry, weights: Float32Array, filter: Float32Array): void {
  const cells = g.kernelWidth * g.kernelHeight;
  let from = 0;
  for (let map = 0; map < g.maps; map++) {
    for (let channel = 0; channel < g.channels; channel++) {
      for (let cell = 0; cell < cells; cell++) {
        const to = ((cells - 1 - cell) * g.maps + map) * g.channels + channel;
        filter[to] = weights[from++] as number;
      }
    }
  }
}

/**
 * Spreads `windowsX x windowsY` images of `maps` channels (channels innermost) to one cell per stride, zeros between.
 */
export function dilate(g: ImageGeometry, samples: number, image: Float32Array, spread: Float32Array): void {
  spread.fill(0);
  const width = (g.windowsX - 1) * g.strideX + 1;
  const height = (g.windowsY - 1) * g.strideY + 1;
  let from = 0;
  for (let n = 0; n < samples; n++) {
    for (let y = 0; y < g.windowsY; y++) {
      for (let x = 0; x < g.windowsX; x++) {
        const to = ((n * height + y * g.strideY) * width + x * g.strideX) * g.maps;
        for (let map = 0; map < g.maps; map++) spread[to + map] = image[from++] as number;
      }
    }
  }
}
