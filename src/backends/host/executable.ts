import { CntkError } from "../../diagnostics/diagnostic.js";
import { denseValues } from "../../minibatch/data.js";
import { columnCount } from "../../minibatch/layout.js";
import type { FedMinibatch, StreamData } from "../../minibatch/minibatch.js";
import type { EntryName } from "../../network/execution-graph.js";
import { newValues, type Values } from "../../numerics/values.js";
import { roundingOf } from "../../plan/fold-constants.js";
import { instructionsOf, type Buffer, type Entry, type Loop, type Plan } from "../../plan/plan.js";
import { scalarsOf } from "../../primitives/expression.js";
import type { AxisId, Instruction, Kind, Operand } from "../../primitives/instruction.js";
import type { Executable, Output, Outputs, Scalars } from "../backend.js";
import type { Kernel, KernelCompiler, KernelTable } from "./kernel.js";
import { PlanMemory } from "./memory.js";
import { RandomEngine } from "./random-engine.js";
import { HostRun } from "./run.js";

type CompiledStep =
  | { readonly kind: "kernel"; readonly kernel: Kernel; readonly name: string }
  | {
      readonly kind: "loop";
      readonly axis: AxisId;
      readonly direction: 1 | -1;
      readonly body: readonly Kernel[];
      /** What each kernel of the body computes. */
      readonly names: readonly string[];
    };

interface CompiledEntry {
  readonly steps: readonly CompiledStep[];
  readonly inputs: readonly Buffer[];
  readonly outputs: readonly { readonly name: string; readonly buffer: Buffer }[];
  readonly carries: Entry["carries"];
  /** Axes of the minibatch that the entry uses. */
  readonly axes: readonly { readonly id: AxisId; readonly name: string }[];
  /** Names of the numbers that `run` must be given. */
  readonly scalars: readonly string[];
}

/** An error of a kernel with the name of what it computes before it, as CNTK puts the node's. */
function computing(name: string, error: unknown): unknown {
  if (!(error instanceof CntkError) || name === "") return error;
  const { message } = error.diagnostic;
  const node = name.replace(/\.scratch\d+$/, "");
  const separator = message.startsWith("operation ") ? " " : ": ";
  return new CntkError({ ...error.diagnostic, message: `${node}${separator}${message}` });
}

/** A plan as lists of kernels on typed arrays: what all backends share whose memory is the host's. */
export class HostExecutable implements Executable {
  private readonly memory: PlanMemory;
  private readonly entries = new Map<EntryName, CompiledEntry>();
  private readonly engines: ReadonlyMap<string, RandomEngine>;
  private readonly states: ReadonlyMap<string, Buffer>;
  private readonly host: HostRun;
  private disposed = false;

  constructor(
    private readonly plan: Plan,
    private readonly kernels: KernelTable,
  ) {
    this.memory = new PlanMemory(plan);
    this.engines = new Map(plan.engines.map(({ name }) => [name, new RandomEngine()]));
    const states = plan.buffers.filter(({ role }) => role === "state");
    this.states = new Map(states.map((buffer) => [buffer.name, buffer]));
    this.host = new HostRun(this.memory, this.engines);
    for (const name of Object.keys(plan.entries) as EntryName[]) {
      const entry = plan.entries[name];
      if (entry) this.entries.set(name, this.compileEntry(entry));
    }
  }

  async run(entryName: EntryName, minibatch: FedMinibatch, scalars: Scalars = {}): Promise<Outputs> {
    this.checkAlive();
    const entry = this.entries.get(entryName);
    if (!entry) throw new Error(`the plan has no entry ${entryName}`);
    for (const { id, name } of entry.axes) {
      const layout = minibatch.layouts.get(name);
      if (!layout) throw new Error(`the minibatch lacks the layout of the axis ${name}`);
      this.memory.setLayout(id, layout);
    }
    for (const buffer of entry.inputs) this.feed(buffer, minibatch);
    this.setScalars(entryName, entry, scalars);
    this.host.leaveLoop();
    for (const step of entry.steps) {
      this.host.step++;
      if (step.kind === "kernel") this.runKernel(step);
      else this.runLoop(step);
    }
    for (const carry of entry.carries) this.memory.keep(carry);
    return new Map(entry.outputs.map(({ name, buffer }) => [name, this.outputOf(buffer)]));
  }

  async readState(names: readonly string[]): Promise<ReadonlyMap<string, Values>> {
    this.checkAlive();
    return new Map(
      names.map((name): [string, Values] => {
        const engine = this.engines.get(name);
        return [name, engine ? engine.read() : this.valuesOf(this.stateBuffer(name)).slice()];
      }),
    );
  }

  async writeState(values: ReadonlyMap<string, Values>): Promise<void> {
    this.checkAlive();
    for (const [name, given] of values) {
      const engine = this.engines.get(name);
      if (engine) {
        engine.write(given);
        continue;
      }
      const buffer = this.stateBuffer(name);
      const state = this.valuesOf(buffer);
      if (given.length !== state.length) {
        throw new Error(`the state ${name} has ${state.length} elements, not ${given.length}`);
      }
      const touched = this.memory.touched.get(buffer.id);
      if (touched) touched.assign(given);
      else state.set(given);
    }
  }

  stateViews(names: readonly string[]): ReadonlyMap<string, Values> {
    this.checkAlive();
    return new Map(
      names.map((name): [string, Values] => {
        const buffer = this.stateBuffer(name);
        if (buffer.storage !== "dense") throw new Error(`the state ${name} is not dense`);
        return [name, this.valuesOf(buffer)];
      }),
    );
  }

  selectSeries(series: number): void {
    this.memory.selectSeries(series);
  }

  async dispose(): Promise<void> {
    this.disposed = true;
    this.memory.values.length = 0;
    this.memory.touched.clear();
    this.memory.forgetCarried();
    this.entries.clear();
  }

  private runKernel({ kernel, name }: CompiledStep & { readonly kind: "kernel" }): void {
    try {
      kernel(this.host);
    } catch (error) {
      throw computing(name, error);
    }
  }

  private runLoop({ axis, direction, body, names }: CompiledStep & { readonly kind: "loop" }): void {
    const { steps } = this.host.layout(axis);
    const first = direction > 0 ? 0 : steps - 1;
    let index = 0;
    try {
      for (let turn = 0; turn < steps; turn++) {
        this.host.enterFrame(axis, first + direction * turn);
        for (index = 0; index < body.length; index++) body[index]!(this.host);
      }
    } catch (error) {
      throw computing(names[index] ?? "", error);
    }
    this.host.leaveLoop();
  }

  private compileEntry(entry: Entry): CompiledEntry {
    const { axes, buffers } = this.plan;
    const instructions = instructionsOf(entry.steps);
    const inputs = buffers.filter(({ role, name }) => role === "input" && entry.inputs.includes(name));
    const used = new Set<AxisId | null>(inputs.map(({ axis }) => axis));
    const scalars = new Set<string>();
    for (const { reads, writes, kind, parameters } of instructions) {
      for (const { axis } of [writes, ...reads]) used.add(axis);
      if (kind === "map" || kind === "mapTouched") {
        for (const name of scalarsOf(parameters.expression)) scalars.add(name);
      } else if (kind === "dropoutMask") scalars.add(parameters.rate);
    }
    return {
      steps: entry.steps.map((step): CompiledStep =>
        step.kind === "loop"
          ? this.compileLoop(step)
          : {
              kind: "kernel",
              kernel: this.compile(step, new Set()),
              name: this.declaration(step.writes.buffer).name,
            },
      ),
      inputs,
      outputs: entry.outputs.map(({ name, buffer }) => ({ name, buffer: this.declaration(buffer) })),
      carries: entry.carries,
      axes: axes.filter(({ id, source }) => source === "minibatch" && used.has(id)),
      scalars: [...scalars],
    };
  }

  private compileLoop({ axis, direction, body }: Loop): CompiledStep {
    const written = new Set(body.map(({ writes }) => writes.buffer));
    return {
      kind: "loop",
      axis,
      direction,
      body: body.map((instruction) => this.compile(instruction, written)),
      names: body.map(({ writes }) => this.declaration(writes.buffer).name),
    };
  }

  private compile(instruction: Instruction, writtenInLoop: ReadonlySet<number>): Kernel {
    const compile = this.kernels[instruction.kind] as KernelCompiler<Kind>;
    return compile(instruction, {
      elementType: this.plan.elementType,
      isFixed: ({ buffer, axis }: Operand) => axis === null && !writtenInLoop.has(buffer),
    });
  }

  private setScalars(entryName: EntryName, entry: CompiledEntry, scalars: Scalars): void {
    const round = roundingOf(this.plan.elementType);
    const rounded: Record<string, number> = {};
    for (const name of entry.scalars) {
      const value = scalars[name];
      if (value === undefined) throw new Error(`the entry ${entryName} needs the scalar ${name}`);
      rounded[name] = round(value);
    }
    this.host.scalars = rounded;
    this.host.doubles = scalars;
  }

  private feed(buffer: Buffer, { inputs }: FedMinibatch): void {
    const { id, name, axis, storage } = buffer;
    const data = inputs.get(name);
    if (!data) throw new Error(`the minibatch lacks the input ${name}`);
    if (data.storage !== storage) {
      throw new Error(`the input ${name} is ${storage} in the plan and ${data.storage} in the minibatch`);
    }
    const columns = axis === null ? 1 : columnCount(this.host.layout(axis));
    if (data.storage === "sparse") this.feedSparse(buffer, data, columns);
    else {
      const count = columns * (this.memory.sizes[id] ?? 0);
      if (data.values.length < count) {
        throw new Error(`the input ${name} has ${data.values.length} numbers where ${count} are needed`);
      }
      this.memory.values[id] = this.converted(data.values);
    }
  }

  private feedSparse(
    { id, name }: Buffer,
    { values, rows, columnStarts }: StreamData & { readonly storage: "sparse" },
    columns: number,
  ): void {
    const count = columnStarts[columns];
    if (count === undefined || columnStarts.length !== columns + 1) {
      throw new Error(`the input ${name} has ${columnStarts.length - 1} columns where ${columns} are needed`);
    }
    if (values.length < count || rows.length < count) throw new Error(`the input ${name} lacks numbers`);
    const height = this.memory.sizes[id] ?? 0;
    for (let i = 0; i < count; i++) {
      const row = rows[i] as number;
      if (row < 0 || row >= height)
        throw new Error(`the input ${name} has ${height} rows; there is no row ${row}`);
    }
    this.memory.sparse.set(id, { values: this.converted(values), rows, columnStarts });
  }

  /** The caller's array itself where it has the right type, else a converted copy. */
  private converted(given: Values): Values {
    const { elementType } = this.plan;
    if (given instanceof Float64Array === (elementType === "double")) return given;
    const converted = newValues(elementType, given.length);
    converted.set(given);
    return converted;
  }

  private outputOf(buffer: Buffer): Output {
    const layout = buffer.axis === null ? null : this.host.layout(buffer.axis);
    const count = (this.memory.sizes[buffer.id] ?? 0) * (layout ? columnCount(layout) : 1);
    const sparse = this.memory.sparse.get(buffer.id);
    if (sparse) {
      return {
        values: denseValues({ storage: "sparse", ...sparse }, this.memory.sizes[buffer.id] ?? 0),
        layout,
      };
    }
    const values = this.valuesOf(buffer);
    return { values: values.length === count ? values : values.subarray(0, count), layout };
  }

  private checkAlive(): void {
    if (this.disposed) throw new Error("the executable has been disposed of");
  }

  private stateBuffer(name: string): Buffer {
    const buffer = this.states.get(name);
    if (!buffer) throw new Error(`the plan has no state ${name}`);
    return buffer;
  }

  private declaration(id: number): Buffer {
    const buffer = this.plan.buffers[id];
    if (!buffer) throw new Error(`the plan has no buffer ${id}`);
    return buffer;
  }

  private valuesOf({ id }: Buffer): Values {
    const values = this.memory.values[id];
    if (!values) throw new Error(`buffer ${id} has no memory`);
    return values;
  }
}
