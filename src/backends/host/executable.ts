import { denseValues } from "../../minibatch/data.js";
import { columnCount } from "../../minibatch/layout.js";
import type { FedMinibatch, StreamData } from "../../minibatch/minibatch.js";
import type { EntryName } from "../../network/execution-graph.js";
import type { Values } from "../../numerics/values.js";
import { roundingOf } from "../../plan/fold-constants.js";
import { instructionsOf, type Buffer, type Entry, type Plan } from "../../plan/plan.js";
import { scalarsOf } from "../../primitives/expression.js";
import type { AxisId } from "../../primitives/instruction.js";
import type { Executable, Output, Outputs, Scalars } from "../backend.js";
import type { Heap } from "./heap.js";
import { PlanMemory } from "./memory.js";
import { RandomEngine } from "./random-engine.js";
import { HostRun } from "./run.js";
import type { Steps, StepsCompiler } from "./steps.js";

interface CompiledEntry {
  readonly steps: Steps;
  readonly inputs: readonly Buffer[];
  readonly outputs: readonly { readonly name: string; readonly buffer: Buffer }[];
  readonly carries: Entry["carries"];
  /** Axes of the minibatch that the entry uses. */
  readonly axes: readonly { readonly id: AxisId; readonly name: string }[];
  /** Names of the numbers that `run` must be given. */
  readonly scalars: readonly string[];
}

/** A plan on typed arrays: what all backends share whose memory this process can see. */
export class HostExecutable implements Executable {
  private readonly memory: PlanMemory;
  private readonly entries = new Map<EntryName, CompiledEntry>();
  private readonly engines: ReadonlyMap<string, RandomEngine>;
  private readonly states: ReadonlyMap<string, Buffer>;
  private readonly host: HostRun;
  private disposed = false;

  constructor(
    private readonly plan: Plan,
    private readonly compileSteps: StepsCompiler,
    heap?: Heap,
  ) {
    this.memory = new PlanMemory(plan, heap);
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
    entry.steps(this.host);
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
      steps: this.compileSteps(this.plan, entry),
      inputs,
      outputs: entry.outputs.map(({ name, buffer }) => ({ name, buffer: this.declaration(buffer) })),
      carries: entry.carries,
      axes: axes.filter(({ id, source }) => source === "minibatch" && used.has(id)),
      scalars: [...scalars],
    };
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
      const { length } = data.unpacked ?? data.values;
      if (length < count) {
        throw new Error(`the input ${name} has ${length} numbers where ${count} are needed`);
      }
      this.memory.feed(id, data, count);
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
    this.memory.feedSparse(id, { values, rows, columnStarts });
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
