import type { EntryName } from "../../network/execution-graph.js";
import { elementCount } from "../../network/network.js";
import type { Entry, Plan } from "../../plan/plan.js";
import { fuseMaps } from "../../plan/fuse-maps.js";
import { planKey } from "../../plan/plan-graph.js";
import type { Backend, Executable } from "../backend.js";
import { HostExecutable } from "../host/executable.js";
import { compileBody, compileKernel, type Steps } from "../host/steps.js";
import { javascriptKernels } from "../javascript/kernels.js";
import { canFuse, canShare } from "./emit/engine.js";
import { LinearHeap } from "./heap.js";
import { instantiate, pieceWork, type Exports } from "./instance.js";
import { pieceSize, workOfEach } from "./phases.js";
import { compileProgram, type Hosting, type PieceWork, type Program } from "./program.js";
import { alone, pieceByPiece, type Crew, type Team } from "./team.js";
import { paysThreads, usualLimits, type Limits } from "./worth.js";
import type { HostRun } from "../host/run.js";
import type { Kernel } from "../host/kernel.js";

/** Elements of a column below which values lie apart by size, so that pieces of many calls do not get into each other's way. */
const sizesApart = 2 ** 14;

/** Modules of the plans seen last. */
const programs = new Map<string, Program>();
const mostPrograms = 16;

/** Room for values beside a plan's states where memory cannot grow; what nobody touches costs nothing. */
const roomWithoutSharing = 2 ** 28;

function programOf(plan: Plan, fused: boolean, shared: boolean): Program {
  const key = `${fused} ${shared} ${planKey(plan)}`;
  let program = programs.get(key);
  if (!program) {
    program = compileProgram(plan, fused, shared);
    const [oldest] = programs.keys();
    if (programs.size >= mostPrograms && oldest !== undefined) programs.delete(oldest);
    programs.set(key, program);
  }
  return program;
}

/**
 * The network compiled to one WebAssembly module with SIMD: shape for shape, one call for a minibatch. What has no kernel in the
 * module runs as `javascript` has it, on views of the module's memory. A team of threads shares the work; the digits are the same
 * without. `limits`: from how much work on they take part; `fused`: sums of products in float may round once
 * where they otherwise round twice, if the engine can do that: faster, but on other processors other last digits. `shared`: memory
 * that threads share, and that grows; without it there is one thread.
 */
export function createWasmBackend(
  team: Team = alone,
  limits = usualLimits,
  fused = false,
  shared = canShare(),
): Backend {
  return {
    name: "wasm",
    description: "wasm",
    elementTypes: ["float", "double"],
    compile: async (given) => {
      const plan = fuseMaps(given, sizesApart);
      const program = programOf(plan, fused && canFuse(), shared);
      const threads = shared && paysThreads(plan, limits) ? team : alone;
      const room = shared ? undefined : roomWithoutSharing + statesOf(plan);
      const heap = new LinearHeap(program.layout, plan.elementType, threads.size, room);
      const { kernels, modules } = program;
      const { elementType } = plan;
      const crew = threads.enlist({ kernels, modules, memory: heap.memory, elementType });
      const instance = new Instance(plan, program, heap, crew, limits);
      return dismissing(new HostExecutable(plan, (_, entry) => instance.steps(entry), heap), crew);
    },
  };
}

/** Bytes of what a plan remembers from run to run. */
function statesOf({ buffers, elementType }: Plan): number {
  const numbers = buffers
    .filter(({ role }) => role === "state")
    .reduce((sum, { dims }) => sum + elementCount(dims), 0);
  return numbers * (elementType === "float" ? 4 : 8);
}

/** On this thread alone. */
export const wasmBackend = createWasmBackend();

/** The executable; its threads go with it. */
function dismissing(executable: HostExecutable, crew: Crew): Executable {
  const dispose = executable.dispose.bind(executable);
  executable.dispose = async () => {
    crew.dismiss();
    await dispose();
  };
  return executable;
}

/** A module with the memory of one executable. */
class Instance {
  private readonly exports: Exports;
  private readonly phases: readonly PieceWork[];
  private run: HostRun | undefined;

  constructor(
    private readonly plan: Plan,
    private readonly program: Program,
    private readonly heap: LinearHeap,
    private readonly crew: Crew,
    private readonly limits: Limits,
  ) {
    const { elementType } = plan;
    const { kernels, modules } = program;
    this.exports = instantiate({ kernels, modules, memory: heap.memory, elementType }, this.hosting());
    this.phases = program.phases.map((_, index) => pieceWork(this.exports, index));
  }

  /** The exported functions of an entry as the host's steps. */
  steps(entry: Entry): Steps {
    const name = (Object.keys(this.plan.entries) as EntryName[]).find(
      (key) => this.plan.entries[key] === entry,
    );
    const exported = name === undefined ? [] : (this.program.entries.get(name) ?? []);
    const parts = exported.map((part) => this.exports[part] as () => void);
    return (run) => {
      this.run = run;
      run.leaveLoop();
      this.heap.setScalars(run.scalars);
      for (const part of parts) part();
    };
  }

  private hosting(): Hosting {
    const { plan, program } = this;
    const kernels = program.hostSteps.map(({ instruction, loop }): Kernel => {
      if (!loop) return compileKernel(plan, javascriptKernels, instruction);
      const [kernel] = compileBody(plan, javascriptKernels, loop, [instruction]);
      return kernel as Kernel;
    });
    return {
      step: (index) => {
        const run = this.running();
        if (!program.hostSteps[index]?.loop) run.step++;
        (kernels[index] as Kernel)(run);
      },
      loop: () => {
        this.running().step++;
      },
      frame: (axis, frame) => {
        if (axis < 0) this.running().leaveLoop();
        else this.running().enterFrame(axis, frame);
      },
      phase: (index) => this.phase(index),
    };
  }

  private phase(index: number): void {
    const cut = this.program.phases[index]!;
    const total = cut.axis === null ? cut.units : this.heap.columns(cut.axis);
    const each = workOfEach(cut, (axis) => this.heap.columns(axis));
    const size = pieceSize(cut, total, each, this.limits.piece);
    const own = this.phases[index] as PieceWork;
    this.heap.pieces = Math.ceil(total / size);
    const isShared = total > size && total * each >= this.limits.phase;
    if (isShared) this.crew.run(index, total, size, own);
    else pieceByPiece(total, size, own);
  }

  private running(): HostRun {
    if (!this.run) throw new Error("the module called the host outside a run");
    return this.run;
  }
}
