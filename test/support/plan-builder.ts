import type { Executable, Values } from "../../src/backends/backend.js";
import type { EntryName } from "../../src/network/network.js";
import type { ElementType } from "../../src/numerics/values.js";
import type { BufferDeclaration, Plan } from "../../src/plan/plan.js";
import type { Instruction, MatrixOperand, Operand } from "../../src/primitives/instruction.js";

/** Writes a small plan by hand, one entry at a time. */
export class PlanBuilder {
  private readonly buffers: BufferDeclaration[] = [];
  private readonly engines: string[] = [];
  private readonly entries: Partial<
    Record<EntryName, { instructions: Instruction[]; outputs: { name: string; buffer: number }[] }>
  > = {};

  constructor(readonly elementType: ElementType) {}

  input(name: string, dims: readonly number[], perSample = true): Operand {
    return this.declare({ name, dims, perSample, role: "input" });
  }

  state(name: string, dims: readonly number[], initial?: number): Operand {
    return this.declare({
      name,
      dims,
      perSample: false,
      role: "state",
      ...(initial !== undefined && { initial }),
    });
  }

  temporary(dims: readonly number[], perSample = true): Operand {
    return this.declare({ name: `t${this.buffers.length}`, dims, perSample, role: "temporary" });
  }

  engine(name: string): string {
    this.engines.push(name);
    return name;
  }

  emit(instruction: Instruction, entry: EntryName = "evaluate"): this {
    this.entry(entry).instructions.push(instruction);
    return this;
  }

  output(name: string, operand: Operand | MatrixOperand, entry: EntryName = "evaluate"): this {
    this.entry(entry).outputs.push({ name, buffer: operand.buffer });
    return this;
  }

  plan(): Plan {
    const inputs = this.buffers.filter(({ role }) => role === "input").map(({ name }) => name);
    return {
      elementType: this.elementType,
      buffers: this.buffers,
      engines: this.engines.map((name) => ({ name })),
      entries: Object.fromEntries(
        Object.entries(this.entries).map(([name, entry]) => [name, { ...entry, inputs }]),
      ),
    };
  }

  private entry(name: EntryName) {
    return (this.entries[name] ??= { instructions: [], outputs: [] });
  }

  private declare(declaration: Omit<BufferDeclaration, "id">): Operand {
    const id = this.buffers.length;
    this.buffers.push({ id, ...declaration });
    return { buffer: id, dims: declaration.dims, perSample: declaration.perSample };
  }
}

/** A tensor operand as a matrix: its first dimension against the rest, unless told otherwise. */
export function matrix(operand: Operand, rows = operand.dims[0] ?? 1): MatrixOperand {
  const count = operand.dims.reduce((product, dim) => product * dim, 1);
  return { buffer: operand.buffer, rows, columns: count / rows, perSample: operand.perSample };
}

/** Runs an entry on plain numbers. */
export async function runOn(
  executable: Executable,
  elementType: ElementType,
  samples: number,
  inputs: Readonly<Record<string, readonly number[]>>,
  scalars?: Readonly<Record<string, number>>,
  entry: EntryName = "evaluate",
): Promise<Record<string, number[]>> {
  const values = Object.entries(inputs).map(([name, numbers]): [string, Values] => [
    name,
    elementType === "float" ? Float32Array.from(numbers) : Float64Array.from(numbers),
  ]);
  const results = await executable.run(entry, { samples, inputs: new Map(values) }, scalars);
  return Object.fromEntries([...results].map(([name, numbers]) => [name, [...numbers]]));
}

/**
 * `count` numbers that look random: multiples of 1/8 between −2 and 2, without zeros, so that sums of a few hundred
 * products are exact in float as well. The same seed gives the same numbers.
 */
export function eighths(count: number, seed: number): number[] {
  let state = seed * 2654435761 + 12345;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const step = 1 + ((state >>> 16) % 16);
    return ((state >>> 8) & 1 ? step : -step) / 8;
  });
}
