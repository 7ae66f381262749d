import type { EntryName } from "../network/execution-graph.js";
import type { AxisId, Instruction, Operand } from "../primitives/instruction.js";
import { signatureOf } from "../primitives/signatures.js";
import { bufferLifetimes } from "./lifetimes.js";
import { type Entry, instructionsOf, type Plan } from "./plan.js";

/**
 * A plan as text, for `explain --stage plan`: what lives throughout, then each entry's steps, one a line, with `free`
 * naming the temporaries whose memory is not needed any more, and the memory that all temporaries share.
 */
export function printPlan(plan: Plan): string {
  const lines = [`plan (${plan.elementType})`];
  for (const role of ["input", "state", "carried"] as const) {
    const buffers = plan.buffers.filter((buffer) => buffer.role === role);
    if (buffers.length === 0) continue;
    lines.push("", titles[role]);
    for (const { name, dims, axis, storage, initial } of buffers) {
      const kind = storage === "dense" ? "" : ` ${storage}`;
      lines.push(
        `  ${name} ${dimsText(plan, dims, axis)}${kind}${initial === undefined ? "" : ` = ${initial}`}`,
      );
    }
  }
  if (plan.engines.length > 0) {
    lines.push("", "random engines", ...plan.engines.map(({ name }) => `  ${name}`));
  }
  for (const [name, entry] of Object.entries(plan.entries) as [EntryName, Entry][]) {
    lines.push("", ...entryLines(plan, name, entry));
  }
  lines.push("", ...memoryLines(plan));
  return lines.join("\n") + "\n";
}

const titles = { input: "inputs", state: "states", carried: "carried over" } as const;

function entryLines(plan: Plan, name: EntryName, entry: Entry): string[] {
  const count = instructionsOf(entry.steps).length;
  const lines = [`entry ${name} (${entry.inputs.join(", ")}): ${count} instructions`];
  const ends = new Map<number, string[]>();
  for (const [buffer, { last }] of bufferLifetimes(plan.buffers, entry)) {
    const names = ends.get(last);
    if (names) names.push(nameOf(plan, buffer));
    else ends.set(last, [nameOf(plan, buffer)]);
  }
  const width = String(entry.steps.length).length;
  entry.steps.forEach((step, index) => {
    const freed = ends.get(index)?.join(", ");
    const free = freed ? `   ; free ${freed}` : "";
    const number = String(index).padStart(width);
    if (step.kind !== "loop") {
      lines.push(`  ${number}  ${instructionText(plan, step)}${free}`);
      return;
    }
    const direction = step.direction > 0 ? "forward" : "backward";
    lines.push(`  ${number}  for each step of ${axisName(plan, step.axis)}, ${direction}${free}`);
    for (const instruction of step.body) {
      lines.push(`  ${" ".repeat(width)}    ${instructionText(plan, instruction)}`);
    }
  });
  const indent = " ".repeat(width + 4);
  for (const { value, into, frames } of entry.carries) {
    lines.push(`${indent}carry the last ${frames} of ${nameOf(plan, value)} into ${nameOf(plan, into)}`);
  }
  for (const { name: output, buffer } of entry.outputs) {
    const from = nameOf(plan, buffer);
    lines.push(`${indent}return ${output}${from === output ? "" : ` from ${from}`}`);
  }
  return lines;
}

/** One instruction as text: `conv1 [28 x 28 x 16 x *] = convolution(W [5 x 5 x 1 x 16], x [28 x 28 x 1 x *]; …)`. */
function instructionText(plan: Plan, instruction: Instruction): string {
  const { kind, reads, writes, parameters } = instruction;
  const operand = ({ buffer, dims, axis }: Operand) =>
    `${nameOf(plan, buffer)} ${dimsText(plan, dims, axis)}`;
  const text = signatureOf(kind).text(
    parameters,
    reads.map(({ buffer }) => nameOf(plan, buffer)),
  );
  const left = operand(writes);
  if (kind !== "map")
    return `${left} = ${kind}(${[reads.map(operand).join(", "), text].filter(Boolean).join("; ")})`;
  // Operands are named in the formula already; those that stretch are listed with their dimensions.
  const shape = dimsText(plan, writes.dims, writes.axis);
  const stretched = reads.filter(({ dims, axis }) => dimsText(plan, dims, axis) !== shape).map(operand);
  return `${left} = ${text}${stretched.length > 0 ? `   with ${stretched.join(", ")}` : ""}`;
}

/** How much the temporaries take: per column of each axis, and without one. */
function memoryLines(plan: Plan): string[] {
  const sizes = new Map<AxisId | null, number>();
  for (const { axis, size } of plan.memory.slots) sizes.set(axis, (sizes.get(axis) ?? 0) + size);
  return [
    `memory of temporaries: ${plan.memory.slots.length} slots`,
    ...Array.from(sizes, ([axis, size]) =>
      axis === null ? `  ${size} numbers` : `  ${size} numbers per column of ${axisName(plan, axis)}`,
    ),
  ];
}

function nameOf(plan: Plan, buffer: number): string {
  return plan.buffers[buffer]?.name ?? `#${buffer}`;
}

function axisName(plan: Plan, axis: AxisId): string {
  return plan.axes[axis]?.name ?? `#${axis}`;
}

function dimsText(plan: Plan, dims: readonly number[], axis: AxisId | null): string {
  const parts = dims.map(String);
  if (axis !== null) parts.push(axisName(plan, axis));
  return `[${parts.join(" x ")}]`;
}
