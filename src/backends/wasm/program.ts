import { call, i32, importFunc, importMemory, local, Module } from "wasmati";
import type { EntryName } from "../../network/execution-graph.js";
import { instructionsOf, type Entry, type Loop, type Plan } from "../../plan/plan.js";
import type { AxisId, Instruction, Kind } from "../../primitives/instruction.js";
import { CallWriter, type Imported, type Piece } from "./call-writer.js";
import { engine, type CompiledModule, mostPages } from "./emit/engine.js";
import { define, variable, type Routine } from "./emit/function.js";
import { advance, repeat } from "./emit/loops.js";
import { addedSums } from "./kernels/added-sums.js";
import { wasmKernels } from "./kernels/index.js";
import { RoutineLibrary, type Call, type WasmCompiler } from "./kernels/kernel.js";
import { TableLayout } from "./layout.js";
import { wantsPlaces } from "./kernels/placed-images.js";
import { PlacesOfPlan } from "./places.js";
import { PhaseBuilder, type Cut, type Phase, type Whole } from "./phases.js";

/** What the host does in the middle of an entry: an instruction that has no kernel here, alone or in a loop. */
export interface HostStep {
  readonly instruction: Instruction;
  readonly loop: Loop | null;
}

/**
 * A plan as a module: it exports the parts of each entry, and wants memory, host and mathematics. What is too much for the
 * emitter is cut into several modules: `kernels` then export `run`, which the others import by number.
 */
export interface Program {
  readonly kernels: readonly CompiledModule[];
  readonly modules: readonly CompiledModule[];
  /** Names of the exports that carry out an entry, one after another. */
  readonly entries: ReadonlyMap<EntryName, readonly string[]>;
  readonly layout: TableLayout;
  readonly hostSteps: readonly HostStep[];
  /** By number: how each phase is cut; the export `phase0`, … carries out a piece. */
  readonly phases: readonly CutPhase[];
}

/** What is dealt out in a phase: the columns of an axis, or so many units of work. */
export interface CutPhase extends Cut {
  readonly axis: AxisId | null;
  readonly units: number;
}

/** A piece of a phase: which columns or units, the number of the piece, and of the thread that works on it. */
export type PieceWork = (first: number, count: number, index: number, thread: number) => void;

/** What the module asks of the host. */
export interface Hosting {
  /** Carry out host step `index`. */
  step(index: number): void;
  /** A loop with host steps in its body begins. */
  loop(): void;
  /** The body is about this frame of the axis from now on; axis −1: the loop has ended. */
  frame(axis: number, frame: number): void;
  /** Carry out all pieces of a phase. */
  phase(index: number): void;
}

const hosting = {
  step: { ...importFunc({ in: [{ kind: "i32" }], out: [] }, absent), module: "host", string: "step" },
  loop: { ...importFunc({ in: [], out: [] }, absent), module: "host", string: "loop" },
  frame: {
    ...importFunc({ in: [{ kind: "i32" }, { kind: "i32" }], out: [] }, absent),
    module: "host",
    string: "frame",
  },
  phase: { ...importFunc({ in: [{ kind: "i32" }], out: [] }, absent), module: "host", string: "phase" },
};

/** Imports get their functions when the module is instantiated. */
function absent(): void {
  throw new Error("an import without a function");
}

/**
 * Compiles a plan. `fused`: sums of products in float may round once where they otherwise round twice; `shared`: the memory is one
 * that threads may share.
 */
export function compileProgram(plan: Plan, fused = false, shared = true): Program {
  const writer = new ProgramWriter(plan, fused, shared);
  const kernels = writer.size > mostInstructions ? writer.kernelsApart() : [];
  const entries = new Map<EntryName, readonly string[]>();
  const parts: (readonly [string, Routine])[] = [];
  for (const name of Object.keys(plan.entries) as EntryName[]) {
    const named = writer.parts(plan.entries[name] as Entry).map((part, i) => [`${name}${i}`, part] as const);
    entries.set(
      name,
      named.map(([exported]) => exported),
    );
    parts.push(...named);
  }
  parts.push(...writer.phases.map(({ routine }, i) => [`phase${i}`, routine] as const));
  const modules =
    kernels.length > 0
      ? parts.map((part) => compiledModule([part], shared))
      : [compiledModule(parts, shared)];
  const { layout, hostSteps } = writer;
  return { kernels, modules, entries, layout, hostSteps, phases: writer.phases.map(({ cut }) => cut) };
}

function compiledModule(exports: readonly (readonly [string, Routine])[], shared: boolean): CompiledModule {
  // The emitter would make a memory that nobody uses.
  const memory = importMemory({ min: 1, max: mostPages, shared }, notUsed);
  const bytes = Module({
    exports: Object.fromEntries(exports),
    memory: { ...memory, module: "host", string: "memory" },
  }).toBytes();
  return new engine.Module(bytes);
}

const notUsed = {} as never;

/** The emitter passes a module's bytes as arguments of a function: some five bytes an instruction, of which 100,000 fit. */
const mostInstructions = 15_000;

/** How many steps of an entry one function carries out; the emitter has a limit for functions too. */
const stepsTogether = 200;

/** Something that an entry carries out: a phase, calls, a loop, or what the host does. */
type Item = Phase | Whole | Loop | { readonly kind: "host"; readonly instruction: Instruction };

class ProgramWriter {
  readonly layout: TableLayout;
  readonly hostSteps: HostStep[] = [];
  readonly phases: { readonly routine: Routine; readonly cut: CutPhase }[] = [];
  private readonly library: RoutineLibrary;
  private readonly calls: CallWriter;
  /** Kernels that are other modules'. */
  private readonly imported = new Map<Routine, Imported>();

  constructor(
    private readonly plan: Plan,
    fused: boolean,
    private readonly shared: boolean,
  ) {
    this.layout = new TableLayout(plan);
    this.library = new RoutineLibrary(
      plan.elementType,
      fused,
      (bytes) => new PlacesOfPlan(plan, wantsPlaces, bytes),
    );
    this.calls = new CallWriter(this.layout, this.library, this.imported);
  }

  /** Instructions of all routines. */
  get size(): number {
    for (const entry of Object.values(this.plan.entries)) {
      for (const instruction of instructionsOf(entry.steps)) this.compile(instruction);
    }
    return this.library.size;
  }

  /** From now on the kernels are imported: a module each. */
  kernelsApart(): CompiledModule[] {
    const modules: CompiledModule[] = [];
    for (const entry of Object.values(this.plan.entries)) {
      const calls = instructionsOf(entry.steps).flatMap((step) => this.compile(step) ?? []);
      for (const { routine, sums } of calls) {
        this.importApart(routine, modules);
        if (sums) this.importApart(addedSums(this.library, sums.scale), modules);
      }
    }
    return modules;
  }

  private importApart(routine: Routine, modules: CompiledModule[]): void {
    if (this.imported.has(routine)) return;
    const { args } = routine.type;
    const imports = importFunc({ in: args.map((kind) => ({ kind })) as [], out: [] }, absent);
    this.imported.set(routine, { ...imports, module: "kernels", string: String(modules.length) });
    modules.push(compiledModule([["run", routine]], this.shared));
  }

  /** Functions that carry out the steps of an entry, one after another. */
  parts(entry: Entry): Routine[] {
    const items = this.items(entry);
    const parts: Routine[] = [];
    for (let begin = 0; begin < items.length; begin += stepsTogether) {
      parts.push(this.part(items.slice(begin, begin + stepsTogether)));
    }
    return parts;
  }

  private items({ steps }: Entry): Item[] {
    const items: Item[] = [];
    let builder = new PhaseBuilder(this.plan);
    const close = () => {
      builder.close();
      items.push(...builder.items);
      builder = new PhaseBuilder(this.plan);
    };
    for (const step of steps) {
      const calls = step.kind === "loop" ? undefined : this.compile(step);
      if (calls && step.kind !== "loop") {
        builder.add(step, calls);
        continue;
      }
      close();
      items.push(step.kind === "loop" ? step : { kind: "host", instruction: step });
    }
    close();
    return items;
  }

  private part(items: readonly Item[]): Routine {
    const phases = items.map((item) => (item.kind === "phase" ? this.phase(item) : 0));
    return define([], [], () => {
      items.forEach((item, i) => {
        if (item.kind === "loop") this.loop(item);
        else if (item.kind === "host") this.host(item.instruction, null);
        else if (item.kind === "whole") this.whole(item.calls, null);
        else {
          const { calls, cut } = item;
          for (const given of calls) if (given.once) this.calls.call(given, null, given.order);
          call(hosting.phase, [phases[i] as number]);
          for (const given of calls) this.calls.finish(given, null, given.order, cut.most);
        }
      });
    });
  }

  /** Defines the function that carries out a piece; returns the phase's number. */
  private phase({ axis, units, calls, cut }: Phase): number {
    const routine = define(["i32", "i32", "i32", "i32"], [], ([first, count, index, thread]) => {
      const piece: Piece = { axis, first, count, roomFirst: first, index, thread };
      for (const given of calls) {
        if (!given.once) this.calls.call(given, piece, given.order, cut.most);
      }
    });
    return this.phases.push({ routine, cut: { ...cut, axis, units } }) - 1;
  }

  private whole(calls: readonly Call[], piece: Piece | null): void {
    for (const given of calls) {
      this.calls.call(given, piece);
      this.calls.finish(given, piece);
    }
  }

  private host(instruction: Instruction, loop: Loop | null): void {
    call(hosting.step, [this.hostSteps.push({ instruction, loop }) - 1]);
  }

  private loop(loop: Loop): void {
    const { axis, direction, body } = loop;
    const compiled = body.map((instruction) => this.compile(instruction));
    const hasHostSteps = compiled.includes(undefined);
    const [steps, rows] = [this.calls.axisField(axis, "steps"), this.calls.axisField(axis, "rows")];
    const frame = variable("i32", direction > 0 ? 0 : i32.sub(local.get(steps), 1));
    const first = variable("i32");
    if (hasHostSteps) call(hosting.loop, []);
    repeat(steps, () => {
      local.set(first, i32.mul(frame, rows));
      if (hasHostSteps) call(hosting.frame, [axis, frame]);
      body.forEach((instruction, i) => {
        const calls = compiled[i];
        if (calls) this.whole(calls, { axis, first, count: rows });
        else this.host(instruction, loop);
      });
      advance(frame, direction);
    });
    if (hasHostSteps) call(hosting.frame, [-1, 0]);
  }

  private compile(instruction: Instruction): readonly Call[] | undefined {
    const compiler = wasmKernels[instruction.kind] as WasmCompiler<Kind> | undefined;
    return compiler?.(instruction, this.library);
  }
}
