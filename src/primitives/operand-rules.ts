import type { Operand } from "./instruction.js";
import type { Parameters } from "./parameters.js";
import { stretchesTo } from "./stretching.js";

/*
 * What instructions ask of their operands: each rule tells what is wrong with them, if anything.
 */

/** Elements of an operand, per column if it has a dynamic axis. */
export const count = (operand: Operand): number => operand.dims.reduce((product, dim) => product * dim, 1);

/** All operands that have a dynamic axis have the result's. */
export function sameAxis(reads: readonly Operand[], writes: Operand): string | undefined {
  const other = reads.find(({ axis }) => axis !== null && axis !== writes.axis);
  return other && `an operand runs along axis ${other.axis}, the result along ${writes.axis}`;
}

/** Every operand can be stretched to the result. */
export function broadcasts(reads: readonly Operand[], writes: Operand): string | undefined {
  for (const { dims } of reads) {
    if (!stretchesTo(dims, writes.dims)) {
      return `[${dims.join(" x ")}] does not stretch to [${writes.dims.join(" x ")}]`;
    }
  }
  return sameAxis(reads, writes);
}

export function sameCount(reads: readonly Operand[], writes: Operand): string | undefined {
  const [x] = reads;
  return x && count(x) !== count(writes)
    ? `${count(x)} elements do not fit into ${count(writes)}`
    : sameAxis(reads, writes);
}

/** The result is the operand with one axis changed. */
export function alongAxis(axis: number, check: (from: number, to: number) => boolean) {
  return ([x]: readonly Operand[], writes: Operand): string | undefined => {
    if (!x) return "there is no operand";
    const rank = Math.max(x.dims.length, writes.dims.length);
    for (let i = 0; i < rank; i++) {
      const [from, to] = [x.dims[i] ?? 1, writes.dims[i] ?? 1];
      if (i === axis ? !check(from, to) : from !== to) {
        return `[${x.dims.join(" x ")}] does not give [${writes.dims.join(" x ")}] along axis ${axis + 1}`;
      }
    }
    return sameAxis([x], writes);
  };
}

export function matmulProblem(
  [a, b]: readonly Operand[],
  writes: Operand,
  { transposeA, transposeB }: Parameters["matmul"],
): string | undefined {
  if (!a || !b) return "two matrices are needed";
  const [aRows = 1, aColumns = 1] = a.dims;
  const [bRows = 1, bColumns = 1] = b.dims;
  const contractsAxis = transposeA !== transposeB && b.axis !== null && transposeB;
  const [inner, other] = [transposeA ? aRows : aColumns, transposeB ? bColumns : bRows];
  if (inner !== other) return `the inner sizes ${inner} and ${other} differ`;
  if (contractsAxis && a.axis !== b.axis) return "a dynamic axis is contracted with another one";
  if (!transposeB && a.axis !== null) return "the left factor cannot have a dynamic axis here";
  const axis = transposeB ? null : b.axis;
  if (writes.axis !== axis) return "the result has the wrong dynamic axis";
  const size = (transposeA ? aColumns : aRows) * (transposeB ? bRows : bColumns);
  return count(writes) === size ? undefined : `the result has ${size} elements, not ${count(writes)}`;
}
