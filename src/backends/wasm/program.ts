import { $, call, i32, importFunc, importMemory, local, type Local, Module, select } from "wasmati";
import type { EntryName } from "../../network/execution-graph.js";
import { elementCount } from "../../network/network.js";
import { instructionsOf, type Entry, type Loop, type Plan, type Step } from "../../plan/plan.js";
import type { AxisId, Instruction, Kind } from "../../primitives/instruction.js";
import { engine, type CompiledModule } from "./emit/engine.js";
import { define, variable, type Routine } from "./emit/function.js";
import { advance, repeat } from "./emit/loops.js";
import { wasmKernels } from "./kernels/index.js";
import { RoutineLibrary, type Argument, type Call, type WasmCompiler } from "./kernels/kernel.js";
import { TableLayout } from "./layout.js";

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
}

/** What the module asks of the host. */
export interface Hosting {
  /** Carry out host step `index`. */
  step(index: number): void;
  /** A loop with host steps in its body begins. */
  loop(): void;
  /** The body is about this frame of the axis from now on; axis −1: the loop has ended. */
  frame(axis: number, frame: number): void;
}

const hosting = {
  step: { ...importFunc({ in: [{ kind: "i32" }], out: [] }, absent), module: "host", string: "step" },
  loop: { ...importFunc({ in: [], out: [] }, absent), module: "host", string: "loop" },
  frame: {
    ...importFunc({ in: [{ kind: "i32" }, { kind: "i32" }], out: [] }, absent),
    module: "host",
    string: "frame",
  },
};

/** Imports get their functions when the module is instantiated. */
function absent(): void {
  throw new Error("an import without a function");
}

/** Compiles a plan. */
export function compileProgram(plan: Plan): Program {
  const writer = new ProgramWriter(plan);
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
  const modules = kernels.length > 0 ? parts.map((part) => compiledModule([part])) : [compiledModule(parts)];
  return { kernels, modules, entries, layout: writer.layout, hostSteps: writer.hostSteps };
}

function compiledModule(exports: readonly (readonly [string, Routine])[]): CompiledModule {
  const memory = importMemory({ min: 1, max: 65536, shared: true });
  const bytes = Module({
    exports: Object.fromEntries(exports),
    memory: { ...memory, module: "host", string: "memory" },
  }).toBytes();
  return new engine.Module(bytes);
}

/** The emitter passes a module's bytes as arguments of a function: some five bytes an instruction, of which 100,000 fit. */
const mostInstructions = 15_000;

/** How many steps of an entry one function carries out; the emitter has a limit for functions too. */
const stepsTogether = 200;

/** The frame that a loop's body is about. */
interface Frame {
  readonly axis: AxisId;
  readonly firstColumn: Local<"i32">;
}

class ProgramWriter {
  readonly layout: TableLayout;
  readonly hostSteps: HostStep[] = [];
  private readonly library: RoutineLibrary;
  /** Kernels that are other modules'. */
  private readonly imported = new Map<Routine, Routine | ReturnType<typeof importFunc>>();

  constructor(private readonly plan: Plan) {
    this.layout = new TableLayout(plan);
    this.library = new RoutineLibrary(plan.elementType);
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
      for (const { routine } of instructionsOf(entry.steps).flatMap((step) => this.compile(step) ?? [])) {
        if (this.imported.has(routine)) continue;
        const { args } = routine.type;
        const imports = importFunc({ in: args.map((kind) => ({ kind })) as [], out: [] }, absent);
        this.imported.set(routine, { ...imports, module: "kernels", string: String(modules.length) });
        modules.push(compiledModule([["run", routine]]));
      }
    }
    return modules;
  }

  /** Functions that carry out the steps of an entry, one after another. */
  parts({ steps }: Entry): Routine[] {
    const parts: Routine[] = [];
    for (let begin = 0; begin < steps.length; begin += stepsTogether) {
      parts.push(this.part(steps.slice(begin, begin + stepsTogether)));
    }
    return parts;
  }

  private part(steps: readonly Step[]): Routine {
    return define([], [], () => {
      for (const step of steps) {
        if (step.kind === "loop") this.loop(step);
        else this.instruction(step, null, null);
      }
    });
  }

  private loop(loop: Loop): void {
    const { axis, direction, body } = loop;
    const compiled = body.map((instruction) => this.compile(instruction));
    const hasHostSteps = compiled.includes(undefined);
    const steps = this.axisField(axis, "steps");
    const frame = variable("i32", direction > 0 ? 0 : i32.sub(local.get(steps), 1));
    const firstColumn = variable("i32");
    if (hasHostSteps) call(hosting.loop, []);
    repeat(steps, () => {
      local.set(firstColumn, i32.mul(frame, this.axisField(axis, "rows")));
      if (hasHostSteps) call(hosting.frame, [axis, frame]);
      for (const instruction of body) this.instruction(instruction, loop, { axis, firstColumn });
      advance(frame, direction);
    });
    if (hasHostSteps) call(hosting.frame, [-1, 0]);
  }

  private compile(instruction: Instruction): readonly Call[] | undefined {
    const compiler = wasmKernels[instruction.kind] as WasmCompiler<Kind> | undefined;
    return compiler?.(instruction, this.library);
  }

  private instruction(instruction: Instruction, loop: Loop | null, frame: Frame | null): void {
    const calls = this.compile(instruction);
    if (!calls) {
      call(hosting.step, [this.hostSteps.push({ instruction, loop }) - 1]);
      return;
    }
    for (const { routine, arguments: given } of calls) {
      for (const argument of given) this.argument(argument, frame);
      call(this.imported.get(routine) ?? routine);
    }
  }

  /** Leaves an argument on the stack. */
  private argument(argument: Argument, frame: Frame | null): void {
    const { layout } = this;
    switch (argument.kind) {
      case "number":
        i32.const(argument.value);
        return;
      case "scalar":
        i32.const(layout.scalar(argument.name));
        return;
      case "room":
        i32.load({ offset: layout.room(argument.axis, argument.place, argument.size) }, 0);
        return;
      case "table":
        i32.load({ offset: layout.table(argument.numbers) }, 0);
        return;
      case "address": {
        const { buffer, axis, dims } = argument.operand;
        i32.load({ offset: layout.buffer(buffer) }, 0);
        if (frame && axis === frame.axis) {
          i32.mul(frame.firstColumn, elementCount(dims) * this.library.lanes.bytes);
          i32.add();
        }
        return;
      }
      case "columns": {
        if (argument.axis === null) {
          i32.const(argument.times);
          return;
        }
        const field = frame?.axis === argument.axis ? "rows" : "columns";
        i32.load({ offset: layout.axis(argument.axis, field) }, 0);
        if (argument.times !== 1) i32.mul($, argument.times);
        return;
      }
      case "gaps":
        this.gaps(argument.axis, frame);
        return;
      default:
        argument satisfies never;
    }
  }

  /** The address of the piece's gap mask, or 0. */
  private gaps(axis: AxisId | null, frame: Frame | null): void {
    if (axis === null) {
      i32.const(0);
      return;
    }
    const mask = this.axisField(axis, "gaps");
    if (frame?.axis !== axis) {
      local.get(mask);
      return;
    }
    i32.add(mask, frame.firstColumn);
    i32.const(0);
    local.get(mask);
    select();
  }

  private axisField(axis: AxisId, field: "steps" | "rows" | "gaps"): Local<"i32"> {
    return variable("i32", i32.load({ offset: this.layout.axis(axis, field) }, 0));
  }
}
