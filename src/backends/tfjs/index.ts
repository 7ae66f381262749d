import { CntkError } from "../../diagnostics/diagnostic.js";
import type { Plan } from "../../plan/plan.js";
import type { Backend, Executable } from "../backend.js";
import type { Device, Variant } from "./device.js";
import { TfjsExecutable } from "./executable.js";
import { openDevice, type OpenOptions } from "./variants.js";

/*
 * The TensorFlow.js backend.
 *
 * What is TensorFlow.js's: the memory (every buffer is a tensor; tf.memory() counts them), matrix products, convolutions,
 * max pooling, transpositions, padding and slicing.
 * What is ours, on the tensors' own memory: elementwise expressions and reductions (a generated function each: fused,
 * rounded like CNTK, sums in double), gradients of poolings and unpooling (CNTK's rules for ties), dropout masks
 * (CNTK's random numbers), `Conv2DBackpropFilter` for wasm, and anything with windows that is not an image.
 *
 * variants.ts    starts tfjs-node, wasm or cpu
 * device.ts      the door to tfjs: its kernels, its memory
 * program.ts     the steps of one entry of a plan; values and their layouts
 * layout.ts      CNTK's W x H x C order and tfjs's NHWC; strides and loop nests
 * instructions/  plan instructions → steps
 * kernels/       our loops
 * executable.ts  compiles a plan, runs it, keeps its state
 */

export interface TfjsOptions extends OpenOptions {
  /** Absent: the first of node, wasm, cpu that runs. */
  readonly variant?: Variant | undefined;
}

const order: readonly Variant[] = ["node", "wasm", "cpu"];

/**
 * Starts TensorFlow.js: the variant asked for, else tfjs-node if it runs one op, else wasm, else cpu. The backend's
 * `notes` say why no better variant was taken.
 * @throws CntkError `backend-unavailable` where no variant (or not the one asked for) can be started.
 */
export async function createTfjsBackend(options: TfjsOptions = {}): Promise<Backend> {
  const notes: string[] = [];
  for (const variant of options.variant ? [options.variant] : order) {
    try {
      const device = await openDevice(variant, options);
      if (variant === "cpu" && !options.variant) {
        notes.push("TensorFlow.js computes in plain JavaScript, which is slow.");
      }
      return new TfjsBackend(device, notes);
    } catch (problem) {
      notes.push(`tfjs ${variant} cannot be used: ${firstLine(problem)}.`);
    }
  }
  throw new CntkError({
    code: "backend-unavailable",
    message: notes.join(" "),
    hint: "--backend reference runs everywhere",
  });
}

function firstLine(problem: unknown): string {
  const text =
    problem instanceof Error
      ? problem.message
      : String((problem as { message?: unknown })?.message ?? problem);
  return (text.split("\n")[0] as string).trim().replace(/\.$/, "");
}

class TfjsBackend implements Backend {
  readonly name = "tfjs";
  readonly description: string;
  readonly elementTypes = ["float"] as const;

  constructor(
    private readonly device: Device,
    readonly notes: readonly string[],
  ) {
    this.description = `tfjs ${device.variant}`;
  }

  async compile(plan: Plan): Promise<Executable> {
    if (plan.elementType !== "float") {
      throw new CntkError({
        code: "backend-precision",
        message: `The backend 'tfjs' computes in float only, but precision="${plan.elementType}" is asked for.`,
      });
    }
    return TfjsExecutable.create(this.device, plan);
  }
}
