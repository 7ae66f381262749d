import { nthElement } from "../../numerics/nth-element.js";
import type { Values } from "../../numerics/values.js";
import { axisOf, operandAt, type KernelCompiler } from "../host/kernel.js";
import { topTooLarge } from "../host/ranking-failures.js";

/** Is a row among the largest of its column (CPUMatrixImpl.h, VectorMax with topK, AssignNumOfDiff)? */
export const compileOutsideTop: KernelCompiler<"outsideTop"> = ({ reads, writes }) => {
  const [row, z, count] = [operandAt(reads, 0), operandAt(reads, 1), operandAt(reads, 2)];
  const height = z.dims.reduce((product, dim) => product * dim, 1);
  const order = new Int32Array(height);
  return (run) => {
    const top = Math.trunc(run.view(count)[0] ?? 1);
    if (top > height) throw topTooLarge(top, height);
    const [rows, values, target] = [run.view(row), run.view(z), run.view(writes)];
    order.forEach((_, index) => (order[index] = index));
    for (let column = 0, columns = run.columns(axisOf(z)); column < columns; column++) {
      const at = column * height;
      if (top === 1) order[0] = firstMaximum(values, at, height);
      else nthElement(order, top, (a, b) => values[at + a]! > values[at + b]!);
      target[column] = order.subarray(0, top).includes(rows[column]!) ? 0 : 1;
    }
  };
};

/** CNTK takes the first of the largest where a single one counts. */
function firstMaximum(values: Values, at: number, height: number): number {
  let best = 0;
  for (let row = 1; row < height; row++) if (values[at + row]! > values[at + best]!) best = row;
  return best;
}
