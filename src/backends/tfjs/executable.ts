import type { Tensor } from "@tensorflow/tfjs-core";
import type { EntryName } from "../../network/network.js";
import type { BufferId, Instruction } from "../../primitives/instruction.js";
import type { BufferDeclaration, Plan, PlanEntry } from "../../plan/plan.js";
import type { Executable, MinibatchValues, Values } from "../backend.js";
import type { Device } from "./device.js";
import {
  addConvolution,
  addConvolutionInputGradient,
  addConvolutionWeightGradient,
} from "./instructions/convolution.js";
import { addElementwise, addReduce, addTranspose } from "./instructions/elementwise.js";
import { addMatmul } from "./instructions/matmul.js";
import { addMaxUnpool, addPool, addPoolGradient } from "./instructions/pooling.js";
import { plain, product } from "./layout.js";
import { factsOfOperand, ProgramBuilder, type Frame, type Step, type ValueId } from "./program.js";
import { RandomEngine } from "./random-engine.js";

/** One entry, ready to run. */
interface Program {
  readonly steps: readonly (Step & { readonly release: readonly ValueId[] })[];
  readonly valueCount: number;
  readonly inputs: readonly { readonly buffer: BufferDeclaration; readonly value: ValueId }[];
  readonly states: readonly { readonly buffer: BufferId; readonly value: ValueId }[];
  readonly outputs: readonly { readonly name: string; readonly value: ValueId }[];
  readonly updates: readonly { readonly buffer: BufferId; readonly value: ValueId }[];
}

function addInstruction(builder: ProgramBuilder, instruction: Instruction): void {
  switch (instruction.kind) {
    case "elementwise":
      return addElementwise(builder, instruction);
    case "reduce":
      return addReduce(builder, instruction);
    case "transpose":
      return addTranspose(builder, instruction);
    case "matmul":
      return addMatmul(builder, instruction);
    case "convolution":
      return addConvolution(builder, instruction);
    case "convolutionInputGradient":
      return addConvolutionInputGradient(builder, instruction);
    case "convolutionWeightGradient":
      return addConvolutionWeightGradient(builder, instruction);
    case "pool":
      return addPool(builder, instruction);
    case "poolGradient":
      return addPoolGradient(builder, instruction);
    case "maxUnpool":
      return addMaxUnpool(builder, instruction);
    case "dropoutMask":
      return addDropoutMask(builder, instruction);
    case "copy":
      // Values never change, so the same value can stand in both buffers; other dims need CNTK's order.
      return builder.assign(instruction.output, builder.read(instruction.input, plain));
    default:
      return instruction satisfies never;
  }
}

function addDropoutMask(
  builder: ProgramBuilder,
  instruction: Extract<Instruction, { kind: "dropoutMask" }>,
): void {
  const { engine, rate, output } = instruction;
  const value = builder.own([], factsOfOperand(output), (frame, mask) => {
    const random = frame.engines.get(engine);
    if (!random) throw new Error(`The plan has no random engine '${engine}'.`);
    random.fillDropoutMask(mask, frame.scalars[rate] ?? 0);
  });
  builder.assign(output, value);
}

/** Compiles one entry: chooses layouts, adds transpositions, finds when each value is no longer needed. */
function compileEntry(device: Device, plan: Plan, entry: PlanEntry): Program {
  const builder = new ProgramBuilder(device, plan);
  for (const instruction of entry.instructions) addInstruction(builder, instruction);
  const outputs = entry.outputs.map(({ name, buffer }) => ({ name, value: builder.read({ buffer }, plain) }));
  const updates: { buffer: BufferId; value: ValueId }[] = [];
  for (const buffer of [...builder.final.keys()]) {
    if (builder.declaration(buffer).role !== "state") continue;
    const value = builder.read({ buffer }, plain);
    if (value !== builder.initial.get(buffer)) updates.push({ buffer, value });
  }
  const kept = new Set<ValueId>([...outputs, ...updates].map(({ value }) => value));
  const states: { buffer: BufferId; value: ValueId }[] = [];
  const inputs: { buffer: BufferDeclaration; value: ValueId }[] = [];
  for (const [buffer, value] of builder.initial) {
    const declaration = builder.declaration(buffer);
    if (declaration.role === "input") inputs.push({ buffer: declaration, value });
    else {
      states.push({ buffer, value });
      kept.add(value);
    }
  }
  const lastUse = new Map<ValueId, number>();
  builder.steps.forEach((step, i) => {
    lastUse.set(step.writes, i);
    for (const read of step.reads) lastUse.set(read, i);
  });
  const steps = builder.steps.map((step) => ({ ...step, release: [] as ValueId[] }));
  for (const [value, i] of lastUse) if (!kept.has(value)) steps[i]?.release.push(value);
  return { steps, valueCount: builder.values.length, inputs, states, outputs, updates };
}

/** A plan compiled for TensorFlow.js, with its state as tensors. */
export class TfjsExecutable implements Executable {
  private readonly programs = new Map<EntryName, Program>();
  private readonly states = new Map<BufferId, Tensor>();
  private readonly stateBuffers = new Map<string, BufferDeclaration>();
  private readonly engines = new Map<string, RandomEngine>();
  private disposed = false;

  private constructor(
    private readonly device: Device,
    plan: Plan,
  ) {
    for (const [name, entry] of Object.entries(plan.entries)) {
      if (entry) this.programs.set(name as EntryName, compileEntry(device, plan, entry));
    }
    for (const buffer of plan.buffers) {
      if (buffer.role === "state") this.stateBuffers.set(buffer.name, buffer);
    }
    for (const { name } of plan.engines) this.engines.set(name, new RandomEngine());
  }

  /** Compiles `plan` and gives its states their initial values. */
  static async create(device: Device, plan: Plan): Promise<TfjsExecutable> {
    const executable = new TfjsExecutable(device, plan);
    await device.exclusively(() => {
      for (const buffer of executable.stateBuffers.values()) {
        const count = product(buffer.dims);
        const values = new Float32Array(count);
        if (buffer.initial) values.fill(buffer.initial);
        executable.states.set(buffer.id, device.upload(values, count));
      }
    });
    return executable;
  }

  async run(
    entry: EntryName,
    minibatch: MinibatchValues,
    scalars: Readonly<Record<string, number>> = {},
  ): Promise<ReadonlyMap<string, Values>> {
    this.checkAlive();
    const program = this.programs.get(entry);
    if (!program) throw new Error(`The plan has no entry '${entry}'.`);
    const frame: Frame = {
      samples: minibatch.samples,
      scalars: { ...scalars, samples: minibatch.samples },
      tensors: new Array<Tensor | null>(program.valueCount).fill(null),
      engines: this.engines,
    };
    return this.device.exclusively(() => this.runProgram(program, frame, minibatch));
  }

  private runProgram(
    program: Program,
    frame: Frame,
    minibatch: MinibatchValues,
  ): ReadonlyMap<string, Values> {
    const { device } = this;
    const { tensors } = frame;
    try {
      for (const { buffer, value } of program.states) tensors[value] = this.stateTensor(buffer);
      for (const { buffer, value } of program.inputs) tensors[value] = this.feed(buffer, minibatch);
      for (const step of program.steps) {
        tensors[step.writes] = step.compute(frame);
        for (const value of step.release) {
          tensors[value]?.dispose();
          tensors[value] = null;
        }
        device.endStep();
      }
      const results = new Map<string, Values>();
      for (const { name, value } of program.outputs)
        results.set(name, device.download(tensors[value] as Tensor));
      this.update(program, frame);
      return results;
    } finally {
      device.endStep();
      // States belong to the executable, everything else to this run.
      for (const { value } of program.states) tensors[value] = null;
      for (const tensor of tensors) tensor?.dispose();
    }
  }

  /** Puts new values into the states, all at once: a run that fails half-way changes none. */
  private update(program: Program, frame: Frame): void {
    const fresh = program.updates.map(
      ({ buffer, value }) => [buffer, this.device.share(frame.tensors[value] as Tensor)] as const,
    );
    for (const [buffer, tensor] of fresh) {
      this.stateTensor(buffer).dispose();
      this.states.set(buffer, tensor);
    }
  }

  private feed(buffer: BufferDeclaration, minibatch: MinibatchValues): Tensor {
    const values = minibatch.inputs.get(buffer.name);
    if (!values) throw new Error(`The minibatch has no values for the input '${buffer.name}'.`);
    const count = product(buffer.dims) * (buffer.perSample ? minibatch.samples : 1);
    if (values.length < count) {
      throw new Error(
        `The input '${buffer.name}' needs ${count} values, but the minibatch has ${values.length}.`,
      );
    }
    return this.device.upload(values.length === count ? values : values.subarray(0, count), count);
  }

  async readState(names: readonly string[]): Promise<ReadonlyMap<string, Values>> {
    this.checkAlive();
    return this.device.exclusively(() => {
      const result = new Map<string, Values>();
      for (const name of names) {
        const engine = this.engines.get(name);
        result.set(
          name,
          engine ? engine.state : this.device.download(this.stateTensor(this.stateBuffer(name).id)),
        );
      }
      return result;
    });
  }

  async writeState(values: ReadonlyMap<string, Values>): Promise<void> {
    this.checkAlive();
    await this.device.exclusively(() => {
      for (const [name, numbers] of values) {
        const engine = this.engines.get(name);
        if (engine) {
          engine.state = numbers;
          continue;
        }
        const buffer = this.stateBuffer(name);
        const count = product(buffer.dims);
        if (numbers.length !== count) {
          throw new Error(`The state '${name}' has ${count} values, not ${numbers.length}.`);
        }
        const tensor = this.device.upload(numbers, count);
        this.stateTensor(buffer.id).dispose();
        this.states.set(buffer.id, tensor);
      }
    });
  }

  async dispose(): Promise<void> {
    if (this.disposed) return;
    this.disposed = true;
    for (const tensor of this.states.values()) tensor.dispose();
    this.states.clear();
  }

  private checkAlive(): void {
    if (this.disposed) throw new Error("The executable has been disposed of.");
  }

  private stateBuffer(name: string): BufferDeclaration {
    const buffer = this.stateBuffers.get(name);
    if (!buffer) throw new Error(`The plan has no state '${name}'.`);
    return buffer;
  }

  private stateTensor(buffer: BufferId): Tensor {
    const tensor = this.states.get(buffer);
    if (!tensor) throw new Error(`internal error: state ${buffer} has no memory`);
    return tensor;
  }
}
