import { CntkError } from "../diagnostics/diagnostic.js";
import { elementCount } from "../network/network.js";
import type { Instruction } from "../primitives/instruction.js";
import { signatureOf } from "../primitives/signatures.js";
import { type Buffer, type Entry, instructionsOf, type Plan, type Step } from "./plan.js";

/*
 * How much there is to do for one sample, estimated before it is begun: a damaged model file can ask for years of work with
 * values that fit into memory.
 */

/** Multiplications for one sample that are a matter of seconds. */
const shortWork = 2 ** 31;
/** How often a network uses each parameter for each element of a sample's inputs, at most: once for every window. */
const mostUses = 4;

/** Multiplications (or the like) of an instruction for one column of its axis. */
export function workOf({ kind, reads, writes, parameters }: Instruction): number {
  const signature = signatureOf(kind);
  if (signature.work) return signature.work(reads, writes, parameters);
  return [writes, ...reads].reduce((most, { dims }) => Math.max(most, elementCount(dims)), 1);
}

/**
 * Refuses a plan of which an entry takes long for one sample, and far more than its inputs and parameters explain.
 * @throws CntkError `needs-too-much-work`, naming what takes most of it
 */
export function checkWork(plan: Plan): void {
  for (const entry of Object.values(plan.entries)) checkEntry(plan, entry);
}

/** Would `checkWork` let pass a plan of these buffers, of which an entry does no more than these steps? */
export function isExplained(steps: readonly Step[], buffers: readonly Buffer[]): boolean {
  let total = 0;
  const inputs = new Set<Buffer>();
  for (const instruction of instructionsOf(steps)) {
    total += workOf(instruction);
    for (const { buffer } of instruction.reads) {
      const read = buffers[buffer];
      if (read?.role === "input") inputs.add(read);
    }
  }
  return total <= shortWork || total <= explainedWork([...buffers.filter(isState), ...inputs]);
}

function checkEntry(plan: Plan, { steps }: Entry): void {
  let total = 0;
  let heaviest: { readonly instruction: Instruction; readonly work: number } | undefined;
  for (const instruction of instructionsOf(steps)) {
    const work = workOf(instruction);
    total += work;
    if (!heaviest || work > heaviest.work) heaviest = { instruction, work };
  }
  if (!heaviest || total <= shortWork || total <= explainedWork(plan.buffers)) return;
  const { kind, writes } = heaviest.instruction;
  const buffer = plan.buffers[writes.buffer];
  const name = buffer?.serves ?? buffer?.name ?? "";
  throw new CntkError({
    code: "needs-too-much-work",
    message: `Computing one sample takes ${total.toPrecision(3)} multiplications`,
    hint: `${heaviest.work.toPrecision(3)} of them are for '${name}' [${writes.dims.join(" x ")}] (${kind})`,
  });
}

/** The work that inputs and parameters explain. */
function explainedWork(buffers: readonly Buffer[]): number {
  return mostUses * elementsOf(buffers, "state") * elementsOf(buffers, "input");
}

function isState({ role }: Buffer): boolean {
  return role === "state";
}

/** Elements of all buffers of a role, those of inputs for one sample. */
function elementsOf(buffers: readonly Buffer[], wanted: "state" | "input"): number {
  let elements = 0;
  for (const { role, dims } of buffers) if (role === wanted) elements += elementCount(dims);
  return elements;
}
