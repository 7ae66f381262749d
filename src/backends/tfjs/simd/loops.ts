import type { LoopAxis } from "../layout.js";
import { i32, type FunctionWriter } from "./assembler.js";

/**
 * Writes a loop nest in WebAssembly. `pointers` are locals with the operands' addresses; they move by the axes' strides
 * (in floats) and are put back after each loop.
 */
export class LoopWriter {
  constructor(
    private readonly writer: FunctionWriter,
    private readonly nest: readonly LoopAxis[],
    /** Local with the number of samples. */
    private readonly samples: number,
    private readonly pointers: readonly number[],
  ) {}

  /** Opens all loops but the innermost, which `body` writes itself; null where there is no loop at all. */
  write(body: (innermost: LoopAxis | null, pointers: readonly number[]) => void): void {
    this.level(0, body);
  }

  private level(
    depth: number,
    body: (innermost: LoopAxis | null, pointers: readonly number[]) => void,
  ): void {
    const { writer, nest, pointers } = this;
    const axis = nest[depth];
    if (!axis || depth === nest.length - 1) {
      body(axis ?? null, pointers);
      return;
    }
    // The level below moves the pointers; they start again from here at each turn.
    const starts = pointers.map((pointer) => {
      const start = writer.local(i32);
      writer.get(pointer).set(start);
      return start;
    });
    const turns = this.turns(axis);
    writer.repeatLocal(turns, () => {
      this.level(depth + 1, body);
      pointers.forEach((pointer, k) => {
        writer.advance(starts[k] as number, 4 * (axis.strides[k] as number));
        writer.get(starts[k] as number).set(pointer);
      });
    });
  }

  /** A local with an axis's number of turns. */
  turns(axis: LoopAxis): number {
    const { writer } = this;
    const turns = writer.local(i32);
    writer.integer(axis.extent);
    if (axis.perSample) writer.get(this.samples).op("i32.mul");
    writer.set(turns);
    return turns;
  }

  /**
   * The innermost loop: four elements at a time as long as there are four, the rest one by one; all of them one by one
   * where an operand's elements are not neighbours.
   */
  innermost(axis: LoopAxis | null, pointers: readonly number[], element: (lanes: 4 | 1) => void): void {
    if (!axis) element(1);
    else {
      const neighbours = axis.strides.every((stride) => stride === 0 || stride === 1);
      this.innermostOf(axis, pointers, neighbours, element);
    }
  }

  /** The same, where the caller knows whether four elements can be treated at once. */
  innermostOf(
    axis: LoopAxis,
    pointers: readonly number[],
    neighbours: boolean,
    element: (lanes: 4 | 1) => void,
  ): void {
    const { writer } = this;
    const turns = this.turns(axis);
    const move = (lanes: number) =>
      pointers.forEach((pointer, k) => writer.advance(pointer, 4 * lanes * (axis.strides[k] as number)));
    const counter = writer.local(i32);
    writer.integer(0).set(counter);
    if (neighbours && (axis.perSample || axis.extent >= 4)) {
      const whole = writer.local(i32);
      writer.get(turns).integer(-4).op("i32.and").set(whole);
      writer.countTo(counter, whole, 4, () => {
        element(4);
        move(4);
      });
    }
    if (neighbours && !axis.perSample && axis.extent % 4 === 0) return;
    writer.countTo(counter, turns, 1, () => {
      element(1);
      move(1);
    });
  }
}
