import type { Values } from "../../numerics/values.js";
import type { Operand } from "../../primitives/instruction.js";
import { operandAt, type KernelCompiler, type KernelContext, type KernelRun } from "../host/kernel.js";
import { multiplyInnerFirst, multiplyOuter } from "./blocked-product.js";
import { Scratch } from "./scratch.js";
import { compileSparseMatmul, compileTouchedProduct } from "./sparse-matmul.js";

/**
 * writes = op(a)·op(b). Both factors are brought into the form where the contracted index is contiguous (doubles; a copy only
 * where memory lies the other way round), then multiplied in blocks that stay in the cache. A contracted dynamic axis leaves
 * its gaps behind in these copies.
 */
export const compileMatmul: KernelCompiler<"matmul"> = (instruction, context) => {
  const { reads, writes, parameters } = instruction;
  const [a, b] = [operandAt(reads, 0), operandAt(reads, 1)];
  if (b.storage === "sparse") return compileSparseMatmul(instruction, context);
  if (writes.storage === "touched") return compileTouchedProduct(instruction, context);
  const { transposeA, transposeB } = parameters;
  const left = new Factor(a, transposeA, context);
  const right = new Factor(b, !transposeB, context);
  const scratch = new Scratch();
  return (run) => {
    const x = left.load(run);
    const y = right.load(run);
    if (left.inner !== right.inner) throw new Error("matmul: the inner sizes differ");
    const target = run.view(writes);
    const count = left.outer * right.outer;
    if (left.inner === 1) {
      multiplyOuter(x, y, target, left.outer, right.outer);
      return;
    }
    if (target instanceof Float64Array) {
      multiplyInnerFirst(x, y, target, left.outer, right.outer, left.inner);
      return;
    }
    const product = scratch.ofSize(count);
    multiplyInnerFirst(x, y, product, left.outer, right.outer, left.inner);
    for (let i = 0; i < count; i++) target[i] = product[i]!;
  };
};

/**
 * A factor as doubles with the contracted index first. What does not change during a step is brought into that form once: a
 * recurrence multiplies the same weights with every frame.
 */
class Factor {
  /** Sizes of the contracted index and of the other one. */
  inner = 0;
  outer = 0;
  private readonly rows: number;
  private readonly columnsEach: number;
  private readonly isFixed: boolean;
  private readonly scratch = new Scratch();
  private loadedStep = -1;
  private loaded: Float64Array = new Float64Array(0);

  /** `contractsRows`: the rows are the contracted index; otherwise the columns are. */
  constructor(
    private readonly matrix: Operand,
    private readonly contractsRows: boolean,
    context: KernelContext,
  ) {
    const [rows = 1, columns = 1] = matrix.dims;
    this.rows = rows;
    this.columnsEach = columns;
    this.isFixed = context.isFixed(matrix);
  }

  load(run: KernelRun): Float64Array {
    if (this.isFixed && this.loadedStep === run.step) return this.loaded;
    this.loadedStep = run.step;
    const { matrix, rows, columnsEach, contractsRows, scratch } = this;
    const values = run.view(matrix);
    const columns = columnsEach * run.columns(matrix.axis);
    const gaps = contractsRows ? null : run.gaps(matrix.axis);
    [this.inner, this.outer] = contractsRows ? [rows, columns] : [columns, rows];
    if (gaps) {
      this.inner = columnsEach * countSamples(gaps, run.columns(matrix.axis));
      this.loaded = samplesFirst(
        values,
        rows,
        columnsEach,
        gaps,
        scratch.ofSize(rows * this.inner),
        this.inner,
      );
    } else if (contractsRows) this.loaded = asDoubles(values, rows * columns, scratch);
    else this.loaded = transposed(values, rows, columns, scratch.ofSize(rows * columns));
    return this.loaded;
  }
}

function asDoubles(values: Values, count: number, scratch: Scratch): Float64Array {
  if (values instanceof Float64Array) return values;
  const copy = scratch.ofSize(count);
  for (let i = 0; i < count; i++) copy[i] = values[i]!;
  return copy;
}

/** copy[column + columns·row] = matrix[row + rows·column]. */
function transposed(matrix: Values, rows: number, columns: number, copy: Float64Array): Float64Array {
  // Bands of eight rows: eight output columns are written side by side while one cache line of input lasts.
  for (let row0 = 0; row0 < rows; row0 += 8) {
    const rowEnd = Math.min(row0 + 8, rows);
    for (let column = 0; column < columns; column++) {
      for (let row = row0; row < rowEnd; row++) {
        copy[row * columns + column] = matrix[column * rows + row]!;
      }
    }
  }
  return copy;
}

function countSamples(gaps: Uint8Array, columns: number): number {
  let samples = 0;
  for (let c = 0; c < columns; c++) if (gaps[c] === 0) samples++;
  return samples;
}

/** The same without the columns that belong to gaps; `inner` columns are left. */
function samplesFirst(
  matrix: Values,
  rows: number,
  columnsEach: number,
  gaps: Uint8Array,
  copy: Float64Array,
  inner: number,
): Float64Array {
  let to = 0;
  for (let c = 0; c < gaps.length; c++) {
    if (gaps[c] !== 0) continue;
    for (let column = c * columnsEach; column < (c + 1) * columnsEach; column++) {
      for (let row = 0; row < rows; row++) copy[row * inner + to] = matrix[column * rows + row]!;
      to++;
    }
  }
  return copy;
}
