import type { LoopAxis } from "../layout.js";

/**
 * JavaScript text of a loop nest around `body`. Operand k's position is kept in variables `NAME_1` (outermost loop) …
 * `NAME_d` (innermost); the text reads the number of samples from `samples`.
 */
export function writeLoops(
  nest: readonly LoopAxis[],
  names: readonly string[],
  body: readonly string[],
): string[] {
  const opening = nest.map((axis, depth) => openLoop(axis, depth, names));
  return [...opening.flat(), ...body, ...nest.map(() => "}")];
}

/** The lines that open loop number `depth` of a nest. */
export function openLoop(axis: LoopAxis, depth: number, names: readonly string[]): string[] {
  const starts = names.map((name) => `${name}_${depth + 1} = ${depth === 0 ? "0" : `${name}_${depth}`}`);
  const steps = names
    .map((name, k) => ({ name, distance: axis.strides[k] as number }))
    .filter(({ distance }) => distance !== 0)
    .map(({ name, distance }) => `${name}_${depth + 1} += ${distance}`);
  const counter = `i${depth}`;
  return [
    `const n${depth} = ${turnsOf(axis)};`,
    `for (let ${[`${counter} = 0`, ...starts].join(", ")}; ${counter} < n${depth}; ${[`${counter}++`, ...steps].join(", ")}) {`,
  ];
}

/** JavaScript text of a loop's number of turns. */
export function turnsOf(axis: LoopAxis): string {
  if (!axis.perSample) return String(axis.extent);
  return axis.extent === 1 ? "samples" : `samples * ${axis.extent}`;
}
