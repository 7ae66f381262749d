import { CntkError } from "../../diagnostics/diagnostic.js";
import type { FedMinibatch } from "../../minibatch/minibatch.js";
import type { EntryName } from "../../network/execution-graph.js";
import type { Plan } from "../../plan/plan.js";
import type { Backend, Executable, Outputs, Scalars } from "../backend.js";
import { HostExecutable } from "../host/executable.js";
import { stepsOfKernels } from "../host/steps.js";
import type { Device, Variant } from "./device.js";
import { tfjsKernels } from "./kernels.js";
import { openDevice, type OpenOptions } from "./variants.js";

/*
 * The TensorFlow.js backend: the shell and the kernels of `javascript`, with matrix products, convolutions and max pooling by
 * TensorFlow.js. Memory is the host's; tensors live no longer than one instruction.
 *
 * variants.ts  starts tfjs-node, wasm or cpu
 * device.ts    the door to tfjs
 * kernels.ts   what tfjs computes
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
    hint: "--backend javascript runs everywhere",
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
    return new TfjsExecutable(plan, this.device);
  }
}

/** Runs with its device as tfjs-core's active backend. */
class TfjsExecutable extends HostExecutable {
  constructor(
    plan: Plan,
    private readonly device: Device,
  ) {
    super(plan, stepsOfKernels(tfjsKernels(device)));
  }

  override run(entry: EntryName, minibatch: FedMinibatch, scalars?: Scalars): Promise<Outputs> {
    // A run of the shell waits for nothing, so that the device is this one's from its first kernel to its last.
    return this.device.exclusively(() => super.run(entry, minibatch, scalars)).then((outputs) => outputs);
  }
}
