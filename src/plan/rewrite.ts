import type { BufferId, Instruction, Operand } from "../primitives/instruction.js";
import type { Step } from "./plan.js";

/** The same instruction on other buffers: `read` is asked for each buffer read, `written` for the one written. */
export function withBuffers(
  instruction: Instruction,
  read: (buffer: BufferId) => BufferId,
  written: (buffer: BufferId) => BufferId,
): Instruction {
  const renamed = (operand: Operand, rename: (buffer: BufferId) => BufferId): Operand => {
    const buffer = rename(operand.buffer);
    return buffer === operand.buffer ? operand : { ...operand, buffer };
  };
  return {
    ...instruction,
    reads: instruction.reads.map((operand) => renamed(operand, read)),
    writes: renamed(instruction.writes, written),
  };
}

/** Applies `change` to every instruction, inside loops too; an instruction that becomes undefined is left out, an empty loop with it. */
export function mapInstructions(
  steps: readonly Step[],
  change: (instruction: Instruction) => Instruction | undefined,
): Step[] {
  return steps.flatMap((step): Step[] => {
    if (step.kind !== "loop") {
      const changed = change(step);
      return changed ? [changed] : [];
    }
    const body = step.body.flatMap((instruction) => change(instruction) ?? []);
    return body.length > 0 ? [{ ...step, body }] : [];
  });
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
