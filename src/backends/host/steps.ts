import { CntkError } from "../../diagnostics/diagnostic.js";
import type { Entry, Loop, Plan } from "../../plan/plan.js";
import type { AxisId, Instruction, Kind, Operand } from "../../primitives/instruction.js";
import type { Kernel, KernelCompiler, KernelTable } from "./kernel.js";
import type { HostRun } from "./run.js";

/** An entry's steps made ready: carries them out on the run's minibatch. */
export type Steps = (run: HostRun) => void;

/** Makes the steps of an entry ready. */
export type StepsCompiler = (plan: Plan, entry: Entry) => Steps;

type CompiledStep =
  | { readonly kind: "kernel"; readonly kernel: Kernel }
  | {
      readonly kind: "loop";
      readonly axis: AxisId;
      readonly direction: 1 | -1;
      readonly body: readonly Kernel[];
    };

/** Kernel after kernel, frame after frame. */
export function stepsOfKernels(kernels: KernelTable): StepsCompiler {
  return (plan, entry) => {
    const steps = entry.steps.map((step): CompiledStep => {
      if (step.kind !== "loop") return { kind: "kernel", kernel: compileKernel(plan, kernels, step) };
      const { axis, direction, body } = step;
      return { kind: "loop", axis, direction, body: compileBody(plan, kernels, step, body) };
    });
    return (run) => {
      run.leaveLoop();
      for (const step of steps) {
        run.step++;
        if (step.kind === "kernel") step.kernel(run);
        else runLoop(step, run);
      }
    };
  };
}

function runLoop({ axis, direction, body }: CompiledStep & { readonly kind: "loop" }, run: HostRun): void {
  const { steps } = run.layout(axis);
  const first = direction > 0 ? 0 : steps - 1;
  for (let turn = 0; turn < steps; turn++) {
    run.enterFrame(axis, first + direction * turn);
    for (let index = 0; index < body.length; index++) body[index]!(run);
  }
  run.leaveLoop();
}

/** Kernels of instructions in a loop's body. */
export function compileBody(
  plan: Plan,
  kernels: KernelTable,
  loop: Loop,
  body: readonly Instruction[],
): Kernel[] {
  const written = new Set(loop.body.map(({ writes }) => writes.buffer));
  return body.map((instruction) => compileKernel(plan, kernels, instruction, written));
}

/** The kernel of one instruction; its errors say what it computes. */
export function compileKernel(
  { elementType, buffers }: Plan,
  kernels: KernelTable,
  instruction: Instruction,
  writtenInLoop: ReadonlySet<number> = new Set(),
): Kernel {
  const compile = kernels[instruction.kind] as KernelCompiler<Kind>;
  const kernel = compile(instruction, {
    elementType,
    isFixed: ({ buffer, axis }: Operand) => axis === null && !writtenInLoop.has(buffer),
  });
  const { name = "", serves = name } = buffers[instruction.writes.buffer] ?? {};
  return (run) => {
    try {
      kernel(run);
    } catch (error) {
      throw computing(serves, error);
    }
  };
}

/** An error of a kernel with the name of what it computes before it, as CNTK puts the node's. */
function computing(name: string, error: unknown): unknown {
  if (!(error instanceof CntkError) || name === "") return error;
  const { message } = error.diagnostic;
  const separator = message.startsWith("operation ") ? " " : ": ";
  return new CntkError({ ...error.diagnostic, node: name, message: `${name}${separator}${message}` });
}
