import { elementCount, type EntryName } from "../../network/network.js";
import { builtInScalars } from "../../primitives/expression.js";
import { roundingOf } from "../../plan/fold-constants.js";
import type { BufferDeclaration, Plan, PlanEntry } from "../../plan/plan.js";
import type { Executable, MinibatchValues, Values } from "../backend.js";
import { scalarsOf } from "./expression-code.js";
import type { Kernel, KernelRun } from "./kernel.js";
import { compileInstruction } from "./kernels.js";
import { PlanMemory } from "./memory.js";
import { RandomEngine } from "./random-engine.js";

interface CompiledEntry {
  readonly kernels: readonly Kernel[];
  readonly inputs: readonly BufferDeclaration[];
  readonly outputs: readonly { readonly name: string; readonly buffer: BufferDeclaration }[];
  /** Names of the numbers that `run` must be given. */
  readonly scalars: readonly string[];
}

/** A plan as a list of kernels on arrays. */
export class ReferenceExecutable implements Executable {
  private readonly memory: PlanMemory;
  private readonly entries = new Map<EntryName, CompiledEntry>();
  private readonly engines: ReadonlyMap<string, RandomEngine>;
  private readonly round: (x: number) => number;

  constructor(private readonly plan: Plan) {
    this.round = roundingOf(plan.elementType);
    this.memory = new PlanMemory(plan);
    this.engines = new Map(plan.engines.map(({ name }) => [name, new RandomEngine()]));
    for (const name of Object.keys(plan.entries) as EntryName[]) {
      const entry = plan.entries[name];
      if (entry) this.entries.set(name, this.compileEntry(entry));
    }
  }

  async run(
    entryName: EntryName,
    minibatch: MinibatchValues,
    scalars: Readonly<Record<string, number>> = {},
  ): Promise<ReadonlyMap<string, Values>> {
    const entry = this.entries.get(entryName);
    if (!entry) throw new Error(`the plan has no entry ${entryName}`);
    const { samples } = minibatch;
    this.memory.reserve(samples);
    for (const buffer of entry.inputs) this.memory.values[buffer.id] = this.inputValues(buffer, minibatch);

    const doubles: Record<string, number> = { ...scalars, samples };
    for (const name of entry.scalars) {
      if (doubles[name] === undefined) throw new Error(`the entry ${entryName} needs the scalar ${name}`);
    }
    const rounded = Object.fromEntries(
      Object.entries(doubles).map(([name, value]) => [name, this.round(value)]),
    );
    const run: KernelRun = {
      memory: this.memory.values,
      samples,
      scalars: rounded,
      doubles,
      engines: this.engines,
    };
    for (const kernel of entry.kernels) kernel(run);

    return new Map(
      entry.outputs.map(({ name, buffer }) => {
        const count = elementCount(buffer.dims) * (buffer.perSample ? samples : 1);
        return [name, this.valuesOf(buffer).subarray(0, count)];
      }),
    );
  }

  async readState(names: readonly string[]): Promise<ReadonlyMap<string, Values>> {
    return new Map(
      names.map((name): [string, Values] => {
        const engine = this.engines.get(name);
        return [name, engine ? engine.read() : this.valuesOf(this.stateBuffer(name)).slice()];
      }),
    );
  }

  async writeState(values: ReadonlyMap<string, Values>): Promise<void> {
    for (const [name, given] of values) {
      const engine = this.engines.get(name);
      if (engine) {
        engine.write(given);
        continue;
      }
      const state = this.valuesOf(this.stateBuffer(name));
      if (given.length !== state.length) {
        throw new Error(`the state ${name} has ${state.length} elements, not ${given.length}`);
      }
      state.set(given);
    }
  }

  async dispose(): Promise<void> {
    this.memory.values.length = 0;
    this.entries.clear();
  }

  private compileEntry(entry: PlanEntry): CompiledEntry {
    const scalars = new Set<string>();
    for (const instruction of entry.instructions) {
      if (instruction.kind === "elementwise")
        scalarsOf(instruction.expression).forEach((s) => scalars.add(s));
      if (instruction.kind === "dropoutMask") scalars.add(instruction.rate);
    }
    for (const name of builtInScalars) scalars.delete(name);
    return {
      kernels: entry.instructions.map((i) => compileInstruction(i, this.plan.elementType)),
      inputs: this.plan.buffers.filter(({ role, name }) => role === "input" && entry.inputs.includes(name)),
      outputs: entry.outputs.map(({ name, buffer }) => ({ name, buffer: this.declaration(buffer) })),
      scalars: [...scalars],
    };
  }

  /** The caller's array itself where it has the right type, else a converted copy. */
  private inputValues(buffer: BufferDeclaration, { samples, inputs }: MinibatchValues): Values {
    const given = inputs.get(buffer.name);
    if (!given) throw new Error(`the minibatch lacks the input ${buffer.name}`);
    const count = elementCount(buffer.dims) * (buffer.perSample ? samples : 1);
    if (given.length < count) {
      throw new Error(`the input ${buffer.name} has ${given.length} numbers where ${count} are needed`);
    }
    if (given instanceof Float64Array === (this.plan.elementType === "double")) return given;
    const converted = this.memory.newArray(given.length);
    converted.set(given);
    return converted;
  }

  private stateBuffer(name: string): BufferDeclaration {
    const buffer = this.plan.buffers.find((b) => b.role === "state" && b.name === name);
    if (!buffer) throw new Error(`the plan has no state ${name}`);
    return buffer;
  }

  private declaration(id: number): BufferDeclaration {
    const buffer = this.plan.buffers[id];
    if (!buffer) throw new Error(`the plan has no buffer ${id}`);
    return buffer;
  }

  private valuesOf(buffer: BufferDeclaration): Values {
    const values = this.memory.values[buffer.id];
    if (!values) throw new Error("the executable has been disposed of");
    return values;
  }
}
