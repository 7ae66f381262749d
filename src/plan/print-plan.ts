import { elementCount, type EntryName } from "../network/network.js";
import { expressionText } from "../primitives/expression-text.js";
import type { Geometry, Instruction, MatrixOperand, Operand } from "../primitives/instruction.js";
import { bufferLifetimes } from "./lifetimes.js";
import { bufferWritten } from "./instruction-operands.js";
import type { BufferDeclaration, Plan, PlanEntry } from "./plan.js";

/**
 * A plan as text, for `explain --stage plan`: what lives throughout, then each entry's instructions, one a line,
 * with `free` naming the temporaries whose memory is not needed any more.
 */
export function printPlan(plan: Plan): string {
  const lines = [`plan (${plan.elementType}), N = samples of the minibatch`];
  for (const role of ["input", "state"] as const) {
    const buffers = plan.buffers.filter((buffer) => buffer.role === role);
    if (buffers.length === 0) continue;
    lines.push("", role === "input" ? "inputs" : "states");
    for (const buffer of buffers) {
      const initial = buffer.initial === undefined ? "" : ` = ${buffer.initial}`;
      lines.push(`  ${buffer.name} ${dimsText(buffer.dims, buffer.perSample)}${initial}`);
    }
  }
  if (plan.engines.length > 0) {
    lines.push("", "random engines", ...plan.engines.map(({ name }) => `  ${name}`));
  }
  for (const [name, entry] of Object.entries(plan.entries) as [EntryName, PlanEntry][]) {
    lines.push("", ...entryLines(plan, name, entry));
  }
  return lines.join("\n") + "\n";
}

function entryLines(plan: Plan, name: EntryName, entry: PlanEntry): string[] {
  const lines = [`entry ${name} (${entry.inputs.join(", ")}): ${entry.instructions.length} instructions`];
  const lifetimes = bufferLifetimes(plan, entry);
  const width = String(entry.instructions.length).length;
  let perSampleNow = 0;
  let perSamplePeak = 0;
  entry.instructions.forEach((instruction, index) => {
    const written = plan.buffers[bufferWritten(instruction)];
    const sizeOf = (buffer?: BufferDeclaration) =>
      buffer?.perSample && buffer.role === "temporary" ? elementCount(buffer.dims) : 0;
    if (written && lifetimes.get(written.id)?.first === index) perSampleNow += sizeOf(written);
    perSamplePeak = Math.max(perSamplePeak, perSampleNow);
    const freed = [...lifetimes].flatMap(([buffer, { last }]) => (last === index ? [buffer] : []));
    for (const buffer of freed) perSampleNow -= sizeOf(plan.buffers[buffer]);
    const free = freed.map((buffer) => nameOf(plan, buffer)).join(", ");
    const text = instructionText(plan, instruction);
    lines.push(`  ${String(index).padStart(width)}  ${text}${free && `   ; free ${free}`}`);
  });
  for (const output of entry.outputs) {
    const buffer = nameOf(plan, output.buffer);
    lines.push(
      `  ${" ".repeat(width)}  return ${output.name}${buffer === output.name ? "" : ` from ${buffer}`}`,
    );
  }
  if (perSamplePeak > 0) {
    lines.push(`  ${" ".repeat(width)}  at most ${perSamplePeak} numbers per sample alive at a time`);
  }
  return lines;
}

/** One instruction as text: `conv1 [28 x 28 x 16 x N] = convolution(W [5 x 5 x 1 x 16], x [28 x 28 x 1 x N]; …)`. */
function instructionText(plan: Plan, instruction: Instruction): string {
  const operand = (o: Operand) => `${nameOf(plan, o.buffer)} ${dimsText(o.dims, o.perSample)}`;
  const matrix = (o: MatrixOperand, transposed = false) =>
    `${nameOf(plan, o.buffer)} [${o.rows} x ${columnsText(o)}]${transposed ? "ᵀ" : ""}`;
  const left = instruction.kind === "matmul" ? matrix(instruction.output) : operand(instruction.output);
  return `${left} = ${right()}`;

  function right(): string {
    switch (instruction.kind) {
      case "elementwise": {
        const names = instruction.inputs.map((input) => nameOf(plan, input.buffer));
        const where = instruction.inputs
          .filter(
            (input) =>
              dimsText(input.dims, input.perSample) !==
              dimsText(instruction.output.dims, instruction.output.perSample),
          )
          .map(operand);
        return (
          expressionText(instruction.expression, names) +
          (where.length > 0 ? `   with ${where.join(", ")}` : "")
        );
      }
      case "reduce": {
        const scaled = instruction.scale === 1 ? "" : ` · ${instruction.scale}`;
        return `${instruction.operation}(${operand(instruction.input)})${scaled}`;
      }
      case "matmul":
        return `${matrix(instruction.a, instruction.transposeA)} · ${matrix(instruction.b, instruction.transposeB)}`;
      case "convolution":
        return call(
          [operand(instruction.weights), operand(instruction.input)],
          geometryText(instruction.geometry),
        );
      case "convolutionInputGradient":
        return call(
          [operand(instruction.weights), operand(instruction.outputGradient)],
          geometryText(instruction.geometry),
        );
      case "convolutionWeightGradient":
        return call(
          [operand(instruction.input), operand(instruction.outputGradient)],
          geometryText(instruction.geometry),
        );
      case "pool":
        return call([operand(instruction.input)], poolText(instruction));
      case "poolGradient": {
        const operands = [instruction.input, instruction.pooled, instruction.outputGradient];
        return call(
          operands.flatMap((o) => (o ? [operand(o)] : [])),
          poolText(instruction),
        );
      }
      case "maxUnpool":
        return call(
          [operand(instruction.pooled), operand(instruction.poolInput)],
          geometryText(instruction.geometry),
        );
      case "dropoutMask":
        return call([`engine ${instruction.engine}`, `rate ${instruction.rate}`]);
      case "transpose":
        return call(
          [operand(instruction.input)],
          `axes ${instruction.axes.map((axis) => axis + 1).join(":")}`,
        );
      case "copy":
        return operand(instruction.input);
      default:
        return instruction satisfies never;
    }
  }

  function call(operands: string[], details = ""): string {
    return `${instruction.kind}(${operands.join(", ")}${details && `; ${details}`})`;
  }
}

function poolText(pool: { mode: "max" | "average"; includePad: boolean; geometry: Geometry }): string {
  return `${pool.mode}${pool.includePad ? " with padding" : ""}, ${geometryText(pool.geometry)}`;
}

function geometryText(geometry: Geometry): string {
  const axes = (values: readonly (number | boolean)[]) => values.map(Number).join(":");
  const parts = [
    `kernel ${axes(geometry.kernel)}`,
    `stride ${axes(geometry.stride)}`,
    `start ${axes(geometry.start)}`,
  ];
  if (geometry.maps.some((maps) => maps !== 1)) parts.push(`maps ${axes(geometry.maps)}`);
  if (geometry.sharing.includes(false)) parts.push(`sharing ${axes(geometry.sharing)}`);
  return parts.join(", ");
}

function nameOf(plan: Plan, buffer: number): string {
  return plan.buffers[buffer]?.name ?? `#${buffer}`;
}

function dimsText(dims: readonly number[], perSample: boolean): string {
  const parts = dims.map(String);
  if (perSample) parts.push("N");
  return `[${parts.join(" x ")}]`;
}

function columnsText({ columns, perSample }: MatrixOperand): string {
  if (!perSample) return String(columns);
  return columns === 1 ? "N" : `${columns}·N`;
}
