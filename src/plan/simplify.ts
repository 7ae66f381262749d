import type { BufferId, Instruction, Operand } from "../primitives/instruction.js";
import { signatureOf } from "../primitives/signatures.js";
import type { LoweredEntry } from "./lower.js";
import { type Buffer, instructionsOf } from "./plan.js";
import { dataKey, mapInstructions, withBuffers } from "./rewrite.js";

/*
 * Passes that leave less to do. Each takes an entry and returns one with the same results; each is linear in its size, and
 * each may be left out.
 */

/** Removes what no output, no state and no carried value needs. */
export function removeUnneeded(entry: LoweredEntry, buffers: readonly Buffer[]): LoweredEntry {
  const needed = new Set(entry.outputs.map(({ buffer }) => buffer));
  const kept = new Set<Instruction>();
  const look = (instruction: Instruction): boolean => {
    const { reads, writes } = instruction;
    if (kept.has(instruction)) return false;
    if (!needed.has(writes.buffer) && buffers[writes.buffer]?.role !== "state") return false;
    kept.add(instruction);
    for (const { buffer } of reads) {
      needed.add(buffer);
      // What goes on in the next minibatch needs the value that is kept for it.
      for (const carry of entry.carries) if (carry.into === buffer) needed.add(carry.value);
    }
    return true;
  };
  for (const step of [...entry.steps].reverse()) {
    if (step.kind !== "loop") {
      look(step);
      continue;
    }
    const body = [...step.body].reverse();
    // A turn may need what comes later in the body, by way of an earlier frame.
    while (body.map(look).includes(true));
  }
  return {
    ...entry,
    steps: mapInstructions(entry.steps, (instruction) => (kept.has(instruction) ? instruction : undefined)),
    carries: entry.carries.filter(({ into }) => needed.has(into)),
  };
}

/** Renames buffers in a whole entry: in what is read, in outputs and in carried values. */
function renamed(
  entry: LoweredEntry,
  names: ReadonlyMap<BufferId, BufferId>,
  keep: (instruction: Instruction) => boolean,
): LoweredEntry {
  const resolve = (buffer: BufferId): BufferId => {
    let name = buffer;
    for (let next = names.get(name); next !== undefined; next = names.get(name)) name = next;
    return name;
  };
  return {
    steps: mapInstructions(entry.steps, (instruction) =>
      keep(instruction) ? withBuffers(instruction, resolve, (buffer) => buffer) : undefined,
    ),
    outputs: entry.outputs.map(({ name, buffer }) => ({ name, buffer: resolve(buffer) })),
    carries: entry.carries.map((carry) => ({ ...carry, value: resolve(carry.value) })),
  };
}

/** Does the instruction only say again what it reads? Touched values are copied by a map that changes nothing. */
function isCopy({ kind, reads, parameters }: Instruction): boolean {
  if (kind === "copy") return true;
  return kind === "mapTouched" && reads.length === 1 && parameters.expression.kind === "argument";
}

/**
 * Lets readers of a copy read the original (reshapes need no work: an operand brings its own dimensions). The original must
 * be an input or a temporary that is written once, so that it cannot change in between.
 */
export function forwardCopies(entry: LoweredEntry, buffers: readonly Buffer[]): LoweredEntry {
  const writes = countWrites(entry);
  const isFixed = ({ buffer }: Operand) => {
    const role = buffers[buffer]?.role;
    return role === "input" || (role === "temporary" && writes.get(buffer) === 1);
  };
  const originals = new Map<BufferId, BufferId>();
  const isAlias = (instruction: Instruction): boolean => {
    const [from] = instruction.reads;
    const { writes: to } = instruction;
    return (
      isCopy(instruction) &&
      from !== undefined &&
      buffers[to.buffer]?.role === "temporary" &&
      from.storage === to.storage &&
      isFixed(from) &&
      isFixed(to)
    );
  };
  for (const instruction of instructionsOf(entry.steps)) {
    if (isAlias(instruction))
      originals.set(instruction.writes.buffer, (instruction.reads[0] as Operand).buffer);
  }
  // A cycle of nothing but copies has no original.
  for (const alias of originals.keys()) {
    const seen = new Set<BufferId>();
    for (let at: BufferId | undefined = alias; at !== undefined; at = originals.get(at)) {
      if (seen.has(at)) originals.delete(at);
      if (seen.has(at)) break;
      seen.add(at);
    }
  }
  return renamed(entry, originals, ({ writes: { buffer } }) => !originals.has(buffer));
}

/**
 * Carries out equal instructions once. Before assignments every value is fixed, so that the same operation on the same
 * operands gives the same result; random draws are not the same operation.
 */
export function shareEqualWork(entry: LoweredEntry, buffers: readonly Buffer[]): LoweredEntry {
  const writes = countWrites(entry);
  const isFixed = (buffer: BufferId) =>
    buffers[buffer]?.role === "temporary" ? writes.get(buffer) === 1 : true;
  const shared = new Map<BufferId, BufferId>();
  const resolve = (buffer: BufferId): BufferId => shared.get(buffer) ?? buffer;
  const done = new Map<string, BufferId>();
  for (const instruction of instructionsOf(entry.steps)) {
    const output = instruction.writes.buffer;
    const isShareable =
      signatureOf(instruction.kind).pure &&
      buffers[output]?.role === "temporary" &&
      [output, ...instruction.reads.map(({ buffer }) => buffer)].every(isFixed);
    if (!isShareable) continue;
    const key = dataKey(withBuffers(instruction, resolve, () => -1));
    const earlier = done.get(key);
    if (earlier === undefined) done.set(key, output);
    else shared.set(output, earlier);
  }
  return renamed(entry, shared, ({ writes: { buffer } }) => !shared.has(buffer));
}

/**
 * Lets an instruction write a state directly where its result is only computed to be copied there at the end, and
 * nobody can see the difference: the state is changed once, nobody reads its old value later, and the instruction
 * itself reads it, if at all, element by element.
 */
export function writeStatesDirectly(entry: LoweredEntry, buffers: readonly Buffer[]): LoweredEntry {
  const writes = countWrites(entry);
  const producers = new Map<BufferId, number>();
  const lastReads = new Map<BufferId, number>();
  entry.steps.forEach((step, index) => {
    for (const instruction of instructionsOf([step])) {
      producers.set(instruction.writes.buffer, index);
      for (const { buffer } of instruction.reads) lastReads.set(buffer, index);
    }
  });
  const returned = new Set(entry.outputs.map(({ buffer }) => buffer));
  const states = new Map<BufferId, BufferId>();
  const assignments = new Set<Instruction>();
  for (const step of entry.steps) {
    if (step.kind === "loop" || !isCopy(step)) continue;
    const value = (step.reads[0] as Operand).buffer;
    const state = step.writes.buffer;
    if (buffers[state]?.role !== "state" || buffers[value]?.role !== "temporary") continue;
    if (buffers[state].storage !== buffers[value].storage || states.has(value)) continue;
    if (writes.get(state) !== 1 || writes.get(value) !== 1 || returned.has(state)) continue;
    const at = producers.get(value) as number;
    const producer = entry.steps[at];
    if (!producer || producer.kind === "loop" || (lastReads.get(state) ?? -1) > at) continue;
    if (!readsPointwise(producer, state)) continue;
    states.set(value, state);
    assignments.add(step);
  }
  const rename = (buffer: BufferId): BufferId => states.get(buffer) ?? buffer;
  return {
    steps: mapInstructions(entry.steps, (instruction) =>
      assignments.has(instruction) ? undefined : withBuffers(instruction, rename, rename),
    ),
    outputs: entry.outputs.map(({ name, buffer }) => ({ name, buffer: rename(buffer) })),
    carries: entry.carries,
  };
}

/** May the instruction write `buffer` while it reads it? */
function readsPointwise(instruction: Instruction, buffer: BufferId): boolean {
  const own = instruction.reads.filter((operand) => operand.buffer === buffer);
  if (own.length === 0) return true;
  if (!signatureOf(instruction.kind).pointwise) return false;
  return own.every(
    ({ dims, axis }) => axis === instruction.writes.axis && sameDims(dims, instruction.writes.dims),
  );
}

function sameDims(a: readonly number[], b: readonly number[]): boolean {
  const rank = Math.max(a.length, b.length);
  for (let axis = 0; axis < rank; axis++) if ((a[axis] ?? 1) !== (b[axis] ?? 1)) return false;
  return true;
}

function countWrites(entry: LoweredEntry): Map<BufferId, number> {
  const writes = new Map<BufferId, number>();
  for (const { writes: operand } of instructionsOf(entry.steps)) {
    writes.set(operand.buffer, (writes.get(operand.buffer) ?? 0) + 1);
  }
  return writes;
}
