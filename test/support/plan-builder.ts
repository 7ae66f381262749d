import type { Executable, Output } from "../../src/backends/backend.js";
import type { AxisLayout, FedMinibatch, StreamData } from "../../src/minibatch/minibatch.js";
import type { EntryName } from "../../src/network/execution-graph.js";
import { newValues, type ElementType, type Values } from "../../src/numerics/values.js";
import { layOutMemory } from "../../src/plan/memory-layout.js";
import type { Buffer, Carry, Entry, Loop, Plan, PlanAxis, Step } from "../../src/plan/plan.js";
import type { AxisId, Instruction, Kind, Operand } from "../../src/primitives/instruction.js";
import type { Parameters } from "../../src/primitives/parameters.js";

/** The axis of a buffer: the plan's first one, none, or one made by `axis`. */
type Along = boolean | AxisId;

interface GrowingEntry {
  readonly steps: Step[];
  readonly outputs: { name: string; buffer: number }[];
  readonly carries: Carry[];
}

/** Writes a small plan by hand, one entry at a time. */
export class PlanBuilder {
  private readonly axes: PlanAxis[] = [{ id: 0, name: "*", source: "minibatch" }];
  private readonly buffers: Buffer[] = [];
  private readonly engines: string[] = [];
  private readonly entries = new Map<EntryName, GrowingEntry>();
  private loopBody: Instruction[] | undefined;

  constructor(readonly elementType: ElementType) {}

  axis(name: string, source: PlanAxis["source"] = "minibatch"): AxisId {
    const id = this.axes.length;
    this.axes.push({ id, name, source });
    return id;
  }

  input(name: string, dims: readonly number[], along: Along = true): Operand {
    return this.declare({ name, dims, axis: axisOf(along), role: "input", storage: "dense" });
  }

  sparseInput(name: string, dims: readonly number[], along: Along = true): Operand {
    return this.declare({ name, dims, axis: axisOf(along), role: "input", storage: "sparse" });
  }

  state(
    name: string,
    dims: readonly number[],
    initial?: number,
    storage: Buffer["storage"] = "dense",
  ): Operand {
    return this.declare({
      name,
      dims,
      axis: null,
      role: "state",
      storage,
      ...(initial !== undefined && { initial }),
    });
  }

  temporary(dims: readonly number[], along: Along = true): Operand {
    const name = `t${this.buffers.length}`;
    return this.declare({ name, dims, axis: axisOf(along), role: "temporary", storage: "dense" });
  }

  touched(dims: readonly number[]): Operand {
    const name = `t${this.buffers.length}`;
    return this.declare({ name, dims, axis: null, role: "temporary", storage: "touched" });
  }

  /** Keeps the last frames of `value`; returns the buffer that has them in the next minibatch. */
  carry(value: Operand, frames: number, entry: EntryName = "evaluate"): Operand {
    const { dims, axis } = value;
    const into = this.declare({ name: "carried", dims, axis, role: "carried", storage: "dense" });
    this.entry(entry).carries.push({ value: value.buffer, into: into.buffer, frames });
    return into;
  }

  engine(name: string): string {
    this.engines.push(name);
    return name;
  }

  emit<K extends Kind>(
    kind: K,
    reads: readonly Operand[],
    writes: Operand,
    parameters: Parameters[K],
    entry: EntryName = "evaluate",
  ): this {
    const instruction = { kind, reads, writes, parameters } as Instruction;
    (this.loopBody ?? this.entry(entry).steps).push(instruction);
    return this;
  }

  /** What `build` emits becomes the body of a loop. */
  loop(axis: AxisId, direction: Loop["direction"], build: () => void, entry: EntryName = "evaluate"): this {
    const body: Instruction[] = [];
    this.loopBody = body;
    build();
    this.loopBody = undefined;
    this.entry(entry).steps.push({ kind: "loop", axis, direction, body });
    return this;
  }

  output(name: string, operand: Operand, entry: EntryName = "evaluate"): this {
    this.entry(entry).outputs.push({ name, buffer: operand.buffer });
    return this;
  }

  plan(): Plan {
    const inputs = this.buffers.filter(({ role }) => role === "input").map(({ name }) => name);
    const entries = [...this.entries].map(([name, entry]): [EntryName, Entry] => [
      name,
      { ...entry, inputs },
    ]);
    return {
      elementType: this.elementType,
      axes: this.axes,
      buffers: this.buffers,
      engines: this.engines.map((name) => ({ name })),
      entries: Object.fromEntries(entries),
      memory: layOutMemory(
        this.buffers,
        entries.map(([, entry]) => entry),
      ),
    };
  }

  private entry(name: EntryName): GrowingEntry {
    const known = this.entries.get(name);
    if (known) return known;
    const made: GrowingEntry = { steps: [], outputs: [], carries: [] };
    this.entries.set(name, made);
    return made;
  }

  private declare(declaration: Omit<Buffer, "id">): Operand {
    const id = this.buffers.length;
    this.buffers.push({ id, ...declaration });
    const { dims, axis, storage } = declaration;
    return { buffer: id, dims, axis, storage };
  }
}

function axisOf(along: Along): AxisId | null {
  if (along === false) return null;
  return along === true ? 0 : along;
}

/** A tensor operand as a matrix: its first dimension against the rest, unless told otherwise. */
export function matrix(operand: Operand, rows = operand.dims[0] ?? 1): Operand {
  const count = operand.dims.reduce((product, dim) => product * dim, 1);
  return { ...operand, dims: [rows, count / rows] };
}

/** Numbers of an element type. */
export function numbersOf(elementType: ElementType, numbers: readonly number[]): Values {
  const values = newValues(elementType, numbers.length);
  values.set(numbers);
  return values;
}

/** A layout of single frames, all in the first step. */
export function singleFrames(samples: number): AxisLayout {
  return {
    rows: samples,
    steps: 1,
    sequences: Array.from({ length: samples }, (_, sequence) => ({
      sequence,
      row: sequence,
      begin: 0,
      length: 1,
    })),
  };
}

/** Sparse columns as test data: the pairs [row, value] of each column. */
export type SparseNumbers = readonly (readonly (readonly [row: number, value: number])[])[];

/** Data of one minibatch as plain numbers: an array for a dense input, columns of pairs for a sparse one. */
export type InputNumbers = Readonly<Record<string, readonly number[] | { readonly sparse: SparseNumbers }>>;

export function fed(
  elementType: ElementType,
  layouts: Readonly<Record<string, AxisLayout>>,
  inputs: InputNumbers,
): FedMinibatch {
  const data = Object.entries(inputs).map(([name, given]): [string, StreamData] => {
    if (!("sparse" in given)) return [name, { storage: "dense", values: numbersOf(elementType, given) }];
    const pairs = given.sparse.flat();
    const starts = given.sparse.reduce<number[]>((all, column) => [...all, all.at(-1)! + column.length], [0]);
    return [
      name,
      {
        storage: "sparse",
        values: numbersOf(
          elementType,
          pairs.map(([, value]) => value),
        ),
        rows: Int32Array.from(pairs, ([row]) => row),
        columnStarts: Int32Array.from(starts),
      },
    ];
  });
  return { layouts: new Map(Object.entries(layouts)), inputs: new Map(data) };
}

/** Runs an entry on plain numbers, `samples` single frames. */
export async function runOn(
  executable: Executable,
  elementType: ElementType,
  samples: number,
  inputs: InputNumbers,
  scalars?: Readonly<Record<string, number>>,
  entry: EntryName = "evaluate",
): Promise<Record<string, number[]>> {
  const minibatch = fed(elementType, { "*": singleFrames(samples) }, inputs);
  return plainNumbers(await executable.run(entry, minibatch, scalars));
}

export function plainNumbers(outputs: ReadonlyMap<string, Output>): Record<string, number[]> {
  return Object.fromEntries([...outputs].map(([name, { values }]) => [name, [...values]]));
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
