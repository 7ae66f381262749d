import { initialValues } from "../numerics/initial-values.js";
import type { ElementType, Values } from "../numerics/values.js";

/** Random numbers that are added to parameters: a normal distribution around 0, the same in every run. */
export class Noise {
  private seed = 0;

  constructor(private readonly elementType: ElementType) {}

  beginEpoch(epoch: number): void {
    // So many minibatches has no epoch.
    this.seed = epoch * 2 ** 32;
  }

  /** Adds numbers of this deviation to arrays, in place. */
  addTo(arrays: Iterable<Values>, deviation: number): void {
    for (const values of arrays) {
      const noise = initialValues({
        init: "normal",
        initValueScale: deviation,
        shape: [values.length],
        seed: ++this.seed,
        elementType: this.elementType,
      });
      for (let i = 0; i < values.length; i++) values[i] = (values[i] ?? 0) + (noise[i] ?? 0);
    }
  }
}
