import type { EntryName } from "../../network/execution-graph.js";
import type { Entry, Plan } from "../../plan/plan.js";
import { fuseMaps } from "../../plan/fuse-maps.js";
import { planKey } from "../../plan/plan-graph.js";
import type { Backend } from "../backend.js";
import { HostExecutable } from "../host/executable.js";
import { compileBody, compileKernel, type Steps } from "../host/steps.js";
import { javascriptKernels } from "../javascript/kernels.js";
import { engine, type CompiledModule, type Imports } from "./emit/engine.js";
import { LinearHeap } from "./heap.js";
import { mathematics } from "./kernels/host-functions.js";
import { compileProgram, type Hosting, type Program } from "./program.js";
import type { HostRun } from "../host/run.js";
import type { Kernel } from "../host/kernel.js";

/** Modules of plans seen before. */
const programs = new Map<string, Program>();

function programOf(plan: Plan): Program {
  const key = planKey(plan);
  let program = programs.get(key);
  if (!program) {
    program = compileProgram(plan);
    programs.set(key, program);
  }
  return program;
}

/** What the engine lacks for this backend; undefined if nothing. */
export function missingForWasm(): string | undefined {
  if (typeof SharedArrayBuffer === "undefined") return "shared memory";
  return engine.validate(vectorModule) ? undefined : "WebAssembly SIMD";
}

/** A module with one function that makes a vector and drops it. */
const vectorModule = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x04, 0x01, 0x60, 0x00, 0x00, 0x03, 0x02, 0x01, 0x00],
  ...[0x0a, 0x09, 0x01, 0x07, 0x00, 0x41, 0x00, 0xfd, 0x0f, 0x1a, 0x0b],
);

/**
 * The network compiled to one WebAssembly module with SIMD: shape for shape, one call for a minibatch. What has no kernel in the
 * module runs as `javascript` has it, on views of the module's memory.
 */
export const wasmBackend: Backend = {
  name: "wasm",
  description: "wasm",
  elementTypes: ["float", "double"],
  compile: async (given) => {
    const plan = fuseMaps(given);
    const program = programOf(plan);
    const heap = new LinearHeap(program.layout, plan.elementType);
    const instance = new Instance(plan, program, heap);
    return new HostExecutable(plan, (_, entry) => instance.steps(entry), heap);
  },
};

/** A module with the memory of one executable. */
class Instance {
  private readonly exports: Record<string, unknown> = {};
  private run: HostRun | undefined;

  constructor(
    private readonly plan: Plan,
    private readonly program: Program,
    private readonly heap: LinearHeap,
  ) {
    const kernels = program.hostSteps.map(({ instruction, loop }): Kernel => {
      if (!loop) return compileKernel(plan, javascriptKernels, instruction);
      const [kernel] = compileBody(plan, javascriptKernels, loop, [instruction]);
      return kernel as Kernel;
    });
    const host: Hosting = {
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
    };
    const imports = {
      host: { memory: heap.memory, ...host },
      mathematics: mathematics(plan.elementType),
    };
    const exportsOf = (module: CompiledModule, others: Imports) =>
      new engine.Instance(module, { ...imports, ...others }).exports;
    const others: Record<string, unknown> = {};
    program.kernels.forEach((module, i) => (others[i] = exportsOf(module, {})["run"]));
    for (const module of program.modules) Object.assign(this.exports, exportsOf(module, { kernels: others }));
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

  private running(): HostRun {
    if (!this.run) throw new Error("the module called the host outside a run");
    return this.run;
  }
}
