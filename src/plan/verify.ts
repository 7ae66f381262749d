import type { BufferId, Instruction, Operand } from "../primitives/instruction.js";
import { signatureOf } from "../primitives/signatures.js";
import { bufferLifetimes } from "./lifetimes.js";
import { type Buffer, type Entry, instructionsOf, type Loop, type Plan, type PlanAxis } from "./plan.js";

/** What the verifier looks at: an entry, and what it refers to. */
export interface Surroundings {
  readonly buffers: readonly Buffer[];
  readonly axes: readonly PlanAxis[];
}

const noBuffers: ReadonlySet<BufferId> = new Set();

let isVerifyingPasses = false;

/** Switches the check of every pass's result on or off (off by default): a debugging aid, on in the tests. */
export function verifyPasses(on: boolean): void {
  isVerifyingPasses = on;
}

/** Checks an entry between passes, if that is switched on. `pass` says whose result it is. */
export function verifyBetweenPasses(pass: string, entry: Entry, around: Surroundings): void {
  if (!isVerifyingPasses) return;
  const problems = entryProblems(entry, around);
  if (problems.length > 0) throw new Error(`after ${pass}:\n  ${problems.join("\n  ")}`);
}

/**
 * Everything that is wrong with a plan, one sentence each; empty for a good one. A wrong plan is an error here, not a wrong
 * number later.
 */
export function planProblems(plan: Plan): string[] {
  const problems: string[] = [];
  const engines = new Set(plan.engines.map(({ name }) => name));
  for (const [name, entry] of Object.entries(plan.entries)) {
    problems.push(...entryProblems(entry, plan).map((problem) => `${name}: ${problem}`));
    problems.push(...memoryProblems(plan, entry).map((problem) => `${name}: ${problem}`));
    for (const instruction of instructionsOf(entry.steps)) {
      const draws = instruction.kind === "dropoutMask" || instruction.kind === "drawClasses";
      if (draws && !engines.has(instruction.parameters.engine)) {
        problems.push(`${name}: there is no engine ${instruction.parameters.engine}`);
      }
    }
  }
  return problems;
}

/** Shapes, axes, storage, order of one entry. */
export function entryProblems(entry: Entry, around: Surroundings): string[] {
  const problems: string[] = [];
  const written = new Set<BufferId>();
  for (const step of entry.steps) {
    if (step.kind !== "loop") {
      problems.push(...instructionProblems(step, around, written));
      written.add(step.writes.buffer);
    } else problems.push(...loopProblems(step, around, written));
  }
  const isThere = (buffer: BufferId) =>
    written.has(buffer) ||
    around.buffers[buffer]?.role === "input" ||
    around.buffers[buffer]?.role === "state";
  for (const { name, buffer } of entry.outputs) {
    if (!isThere(buffer)) problems.push(`the output ${name} is never computed`);
  }
  for (const { value, into } of entry.carries) {
    if (!isThere(value)) problems.push(`the value carried into buffer ${into} is never computed`);
    if (around.buffers[into]?.role !== "carried")
      problems.push(`buffer ${into} does not carry anything over`);
  }
  return problems;
}

function loopProblems(loop: Loop, around: Surroundings, written: Set<BufferId>): string[] {
  const problems: string[] = [];
  const inLoop = new Set(loop.body.map(({ writes }) => writes.buffer));
  for (const instruction of loop.body) {
    const say = (problem: string): number => problems.push(`${describe(instruction, around)} ${problem}`);
    if (signatureOf(instruction.kind).wholeAxis) say("needs the whole axis");
    if (instruction.writes.axis !== loop.axis) say("is not on the loop's axis");
    const looksElsewhere = instruction.kind === "shift";
    problems.push(...instructionProblems(instruction, around, written, looksElsewhere ? inLoop : noBuffers));
    written.add(instruction.writes.buffer);
  }
  return problems;
}

/** `readable`: buffers that may be read though nothing has written them yet. */
function instructionProblems(
  instruction: Instruction,
  around: Surroundings,
  written: ReadonlySet<BufferId>,
  readable: ReadonlySet<BufferId> = noBuffers,
): string[] {
  const signature = signatureOf(instruction.kind);
  const { reads, writes, parameters } = instruction;
  const problems: string[] = [];
  const say = (problem: string): number => problems.push(`${describe(instruction, around)}: ${problem}`);
  const needed = signature.reads.filter((name) => !/[?…]$/.test(name)).length;
  const most = signature.reads.some((name) => name.endsWith("…")) ? Infinity : signature.reads.length;
  if (reads.length < needed || reads.length > most) {
    say(`${reads.length} operands`);
    return problems;
  }
  for (const operand of reads) {
    const buffer = around.buffers[operand.buffer];
    if (!buffer) {
      say(`there is no buffer ${operand.buffer}`);
      continue;
    }
    const unwritten = buffer.role === "temporary" && !written.has(buffer.id) && !readable.has(buffer.id);
    if (unwritten) say(`reads ${buffer.name} before it is written`);
    for (const problem of operandProblems(operand, buffer, around)) say(problem);
    if (operand.storage !== "dense" && !signature.takesSparse && signature.pointwise !== undefined) {
      say(`${buffer.name} is ${operand.storage}`);
    }
  }
  const target = around.buffers[writes.buffer];
  if (!target) say(`there is no buffer ${writes.buffer}`);
  else {
    if (target.role === "input" || target.role === "carried") say(`writes ${target.name}, which is given`);
    if (target.role === "temporary" && written.has(target.id)) say(`writes ${target.name} a second time`);
    for (const problem of operandProblems(writes, target, around)) say(problem);
  }
  const problem = signature.problem(reads, writes, parameters);
  if (problem !== undefined) say(problem);
  return problems;
}

function operandProblems(operand: Operand, buffer: Buffer, { axes }: Surroundings): string[] {
  const problems: string[] = [];
  const count = (dims: readonly number[]) => dims.reduce((product, dim) => product * dim, 1);
  if (count(operand.dims) !== count(buffer.dims)) {
    problems.push(`sees ${buffer.name} [${buffer.dims.join(" x ")}] as [${operand.dims.join(" x ")}]`);
  }
  if (operand.axis !== buffer.axis) problems.push(`${buffer.name} has another axis`);
  if (operand.axis !== null && !axes[operand.axis]) problems.push(`there is no axis ${operand.axis}`);
  if (operand.storage !== buffer.storage) problems.push(`${buffer.name} is ${buffer.storage}`);
  return problems;
}

/** Temporaries that live at the same time must not share a slot, and must fit into theirs. */
function memoryProblems({ buffers, memory }: Plan, entry: Entry): string[] {
  const problems: string[] = [];
  const busyUntil = new Map<number, { readonly last: number; readonly name: string }>();
  const lifetimes = [...bufferLifetimes(buffers, entry)].sort(([, a], [, b]) => a.first - b.first);
  for (const [id, { first, last }] of lifetimes) {
    const { name, dims, axis } = buffers[id] as Buffer;
    const index = memory.slotOf[id];
    const slot = index === null || index === undefined ? undefined : memory.slots[index];
    if (!slot || index === null || index === undefined) {
      problems.push(`${name} has no memory`);
      continue;
    }
    if (slot.axis !== axis || slot.size < dims.reduce((product, dim) => product * dim, 1)) {
      problems.push(`${name} does not fit into slot ${index}`);
    }
    const other = busyUntil.get(index);
    if (other && other.last >= first) problems.push(`${name} and ${other.name} share slot ${index}`);
    busyUntil.set(index, { last: Math.max(last, other?.last ?? 0), name });
  }
  return problems;
}

function describe({ kind, writes }: Instruction, { buffers }: Surroundings): string {
  return `${kind} → ${buffers[writes.buffer]?.name ?? writes.buffer}`;
}
