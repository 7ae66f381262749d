import type { BufferId, Instruction, Operand } from "../primitives/instruction.js";
import type { Step } from "./plan.js";

/** The same instruction on other buffers: `read` is asked for each buffer read, `written` for the one written. */
export function withBuffers(
  instruction: Instruction,
  read: (buffer: BufferId) => BufferId,
  written: (buffer: BufferId) => BufferId,
): Instruction {
  const { reads, writes } = instruction;
  const target = written(writes.buffer);
  if (target === writes.buffer && reads.every(({ buffer }) => read(buffer) === buffer)) return instruction;
  return {
    ...instruction,
    reads: reads.map((operand) => withBuffer(operand, read(operand.buffer))),
    writes: withBuffer(writes, target),
  };
}

function withBuffer(operand: Operand, buffer: BufferId): Operand {
  return buffer === operand.buffer ? operand : { ...operand, buffer };
}

/** Applies `change` to every instruction, inside loops too; an instruction that becomes undefined is left out, an empty loop with it. */
export function mapInstructions(
  steps: readonly Step[],
  change: (instruction: Instruction) => Instruction | undefined,
): Step[] {
  const changed: Step[] = [];
  for (const step of steps) {
    if (step.kind === "loop") {
      const body = step.body.flatMap((instruction) => change(instruction) ?? []);
      if (body.length > 0) changed.push({ ...step, body });
      continue;
    }
    const instruction = change(step);
    if (instruction) changed.push(instruction);
  }
  return changed;
}

/** Text that is equal for instructions that do the same with the same operands, wherever the result goes. */
export function workKey(
  { kind, reads, writes, parameters }: Instruction,
  resolve: (buffer: BufferId) => BufferId,
): string {
  const view = ({ dims, axis, storage }: Operand): string => `${dims.join()} ${axis} ${storage}`;
  const operands = reads.map((operand) => `${resolve(operand.buffer)}: ${view(operand)}`).join("; ");
  return `${kind} ${operands} -> ${view(writes)} ${dataKey(parameters)}`;
}

/**
 * Text that is equal for equal data and different for different data: unlike JSON it tells −0, infinities and NaN apart.
 * Plain data only: numbers, text, booleans, null, undefined, arrays, records.
 */
export function dataKey(data: unknown): string {
  if (typeof data === "number") return Object.is(data, -0) ? "-0" : String(data);
  if (typeof data === "string") return JSON.stringify(data);
  if (Array.isArray(data)) return `[${data.map(dataKey).join()}]`;
  if (data !== null && typeof data === "object") {
    const entries = Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, value]) => `${key}:${dataKey(value)}`).join()}}`;
  }
  return String(data);
}
