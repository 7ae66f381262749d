import { operandAt, type KernelCompiler } from "../host/kernel.js";
import type { Operand } from "../../primitives/instruction.js";
import { cellAt, columnStart, countOf, numberAt, placesOf, type Place } from "./cells.js";

/** result[place, column] = x[source(place), column]; 0 where there is no source. */
function moved(x: Operand, writes: Operand, source: (place: Place) => Place | null) {
  const cells = placesOf(writes.dims).map((place) => {
    const from = source(place);
    return from && cellAt(x.dims, from);
  });
  return (run: Parameters<ReturnType<KernelCompiler<"copy">>>[0]) => {
    const [from, target] = [run.view(x), run.view(writes)];
    for (let column = 0; column < run.columns(writes.axis); column++) {
      cells.forEach((cell, i) => {
        target[column * cells.length + i] = cell === null ? 0 : numberAt(from, columnStart(x, column) + cell);
      });
    }
  };
}

/** The place with one coordinate changed. */
function along(place: Place, axis: number, change: (coordinate: number) => number): Place {
  return Array.from({ length: Math.max(place.length, axis + 1) }, (_, i) =>
    i === axis ? change(place[i] ?? 0) : (place[i] ?? 0),
  );
}

export const copy: KernelCompiler<"copy"> = ({ reads, writes }) => {
  const x = operandAt(reads, 0);
  return (run) => {
    const [from, target] = [run.view(x), run.view(writes)];
    for (let i = 0; i < countOf(writes.dims) * run.columns(writes.axis); i++) target[i] = numberAt(from, i);
  };
};

export const transpose: KernelCompiler<"transpose"> = ({ reads, writes, parameters: { axes } }) =>
  moved(operandAt(reads, 0), writes, (place) => {
    const source = [...place];
    axes.forEach((axis, i) => (source[axis] = place[i] ?? 0));
    return source;
  });

export const slice: KernelCompiler<"slice"> = ({ reads, writes, parameters: { axis, begin } }) =>
  moved(operandAt(reads, 0), writes, (place) => along(place, axis, (i) => begin + i));

export const pad: KernelCompiler<"pad"> = ({ reads, writes, parameters: { axis, begin } }) => {
  const x = operandAt(reads, 0);
  const length = x.dims[axis] ?? 1;
  return moved(x, writes, (place) => {
    const source = (place[axis] ?? 0) - begin;
    return source >= 0 && source < length ? along(place, axis, () => source) : null;
  });
};

/** The operand that a place falls into, at its place within that operand. */
export const concatenate: KernelCompiler<"concatenate"> = ({ reads, writes, parameters: { axis } }) => {
  const origins = placesOf(writes.dims).map((place) => {
    let begin = 0;
    for (const [k, x] of reads.entries()) {
      const length = x.dims[axis] ?? 1;
      const within = (place[axis] ?? 0) - begin;
      if (within < length)
        return {
          k,
          cell: cellAt(
            x.dims,
            along(place, axis, () => within),
          ),
        };
      begin += length;
    }
    throw new Error("the operands do not fill the result");
  });
  return (run) => {
    const inputs = reads.map((x) => run.view(x));
    const target = run.view(writes);
    for (let column = 0; column < run.columns(writes.axis); column++) {
      origins.forEach(({ k, cell }, i) => {
        const value = numberAt(inputs[k]!, columnStart(operandAt(reads, k), column) + cell);
        target[column * origins.length + i] = value;
      });
    }
  };
};

export const iota: KernelCompiler<"iota"> =
  ({ writes }) =>
  (run) => {
    const target = run.view(writes);
    for (let i = 0; i < countOf(writes.dims); i++) target[i] = i;
  };
