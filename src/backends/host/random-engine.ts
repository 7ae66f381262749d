import { MersenneTwister64 } from "../../numerics/mersenne-twister.js";
import type { ElementType, Values } from "../../numerics/values.js";

/** A random engine whose whole state is its seed and the number of draws made: what CNTK's model files keep. */
export class RandomEngine {
  private twister: MersenneTwister64 | undefined;

  constructor(
    private seed = 0,
    private offset = 0,
  ) {}

  /** A uniform number of [0, 1), rounded to the element type. */
  nextUniform(elementType: ElementType): number {
    const twister = this.ready();
    this.offset++;
    return twister.nextUniform(elementType);
  }

  /** As many of them: `inside` in the places of those that are at most `limit`, `outside` in the others'. */
  fillByLimit(
    target: Values,
    count: number,
    values: readonly [limit: number, inside: number, outside: number],
    elementType: ElementType,
  ): void {
    this.ready().fillByLimit(target, count, values, elementType);
    this.offset += count;
  }

  private ready(): MersenneTwister64 {
    if (!this.twister) {
      this.twister = new MersenneTwister64(this.seed);
      this.twister.discard(this.offset);
    }
    return this.twister;
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
