import { MersenneTwister64 } from "../../numerics/mersenne-twister.js";

/** A random engine of a plan. Its whole state is the seed and the number of draws made, as in CNTK's model files. */
export class RandomEngine {
  private twister: MersenneTwister64 | null = null;

  constructor(
    private seed = 0,
    private offset = 0,
  ) {}

  /** Fills `mask`: 0 where a draw of [0, 1) is at most `rate`, else 1/(1−rate); at rate 0 all ones without draws. */
  fillDropoutMask(mask: Float32Array, rate: number): void {
    if (rate === 0) {
      mask.fill(1);
      return;
    }
    let { twister } = this;
    if (!twister) {
      twister = this.twister = new MersenneTwister64(this.seed);
      twister.discard(this.offset);
    }
    // CNTK compares with the rate in the element type, but scales by the unrounded one.
    const threshold = Math.fround(rate);
    const scale = 1 / (1 - rate);
    for (let i = 0; i < mask.length; i++) mask[i] = twister.nextUniform("float") <= threshold ? 0 : scale;
    this.offset += mask.length;
  }

  /** `[seed, offset]`. */
  get state(): Float64Array {
    return Float64Array.of(this.seed, this.offset);
  }

  set state(values: ArrayLike<number>) {
    this.seed = values[0] ?? 0;
    this.offset = values[1] ?? 0;
    this.twister = null;
  }
}
