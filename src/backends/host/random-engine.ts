import { MersenneTwister64 } from "../../numerics/mersenne-twister.js";
import type { ElementType } from "../../numerics/values.js";

/** A random engine whose whole state is its seed and the number of draws made: what CNTK's model files keep. */
export class RandomEngine {
  private twister: MersenneTwister64 | undefined;

  constructor(
    private seed = 0,
    private offset = 0,
  ) {}

  /** A uniform number of [0, 1), rounded to the element type. */
  nextUniform(elementType: ElementType): number {
    if (!this.twister) {
      this.twister = new MersenneTwister64(this.seed);
      this.twister.discard(this.offset);
    }
    this.offset++;
    return this.twister.nextUniform(elementType);
  }

  /** `[seed, offset]`. */
  read(): Float64Array {
    return Float64Array.of(this.seed, this.offset);
  }

  /** Goes on from `[seed, offset]`. */
  write(state: ArrayLike<number>): void {
    this.seed = state[0] ?? 0;
    this.offset = state[1] ?? 0;
    this.twister = undefined;
  }
}
