import type { ElementType, Values } from "../../numerics/values.js";
import { javascriptHeap, type Heap } from "./heap.js";
import type { TouchedColumns } from "./kernel.js";

/**
 * Memory of a touched value: the whole matrix, zero but for the listed columns. Clearing costs no more than what was
 * written, which is the point of it: a vocabulary has many columns, a minibatch few of them.
 */
export class TouchedMatrix implements TouchedColumns {
  readonly values: Values;
  readonly list: Int32Array;
  count = 0;
  private readonly isListed: Uint8Array;

  constructor(
    elementType: ElementType,
    readonly height: number,
    columns: number,
    heap: Heap = javascriptHeap,
  ) {
    this.values = heap.allocate(elementType, height * columns);
    this.list = new Int32Array(columns);
    this.isListed = new Uint8Array(columns);
  }

  clear(): void {
    const { values, height, list, isListed } = this;
    for (let i = 0; i < this.count; i++) {
      const column = list[i] as number;
      isListed[column] = 0;
      values.fill(0, column * height, (column + 1) * height);
    }
    this.count = 0;
  }

  touch(column: number): void {
    if (this.isListed[column]) return;
    this.isListed[column] = 1;
    this.list[this.count++] = column;
  }

  /** Takes a full matrix; lists the columns that are not zero. */
  assign(numbers: ArrayLike<number>): void {
    this.clear();
    const { values, height } = this;
    for (let i = 0; i < values.length; i++) {
      const number = numbers[i] as number;
      values[i] = number;
      if (number !== 0) this.touch(Math.floor(i / height));
    }
  }

  /** Every element the same number. */
  fill(number: number): void {
    this.clear();
    if (number === 0) return;
    this.values.fill(number);
    for (let column = 0; column < this.list.length; column++) this.touch(column);
  }
}
