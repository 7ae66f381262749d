import type { BufferId, Instruction, Operand } from "../primitives/instruction.js";
import { signatureOf } from "../primitives/signatures.js";
import type { LoweredEntry } from "./lower.js";
import { type Buffer, instructionsOf } from "./plan.js";
import { mapInstructions, withBuffers, workKey } from "./rewrite.js";

/*
 * Passes that leave less to do. Each takes an entry and returns one with the same results; each is linear in its size, and
 * each may be left out.
 */

/** Removes what no output, no state and no carried value needs. */
export function removeUnneeded(entry: LoweredEntry, buffers: readonly Buffer[]): LoweredEntry {
  const producers = listedBy(instructionsOf(entry.steps), ({ writes }) => writes.buffer);
  // What goes on in the next minibatch needs the value that is kept for it.
  const carried = listedBy(entry.carries, ({ into }) => into);
  const needed = new Set<BufferId>();
  const pending: BufferId[] = [];
  const need = (buffer: BufferId): void => {
    if (needed.has(buffer)) return;
    needed.add(buffer);
    pending.push(buffer);
  };
  for (const { buffer } of entry.outputs) need(buffer);
  for (const buffer of producers.keys()) if (buffers[buffer]?.role === "state") need(buffer);
  for (let buffer = pending.pop(); buffer !== undefined; buffer = pending.pop()) {
    for (const { reads } of producers.get(buffer) ?? []) for (const read of reads) need(read.buffer);
    for (const { value } of carried.get(buffer) ?? []) need(value);
  }
  return {
    ...entry,
    steps: mapInstructions(entry.steps, (instruction) =>
      needed.has(instruction.writes.buffer) ? instruction : undefined,
    ),
    carries: entry.carries.filter(({ into }) => needed.has(into)),
  };
}

function listedBy<T>(items: readonly T[], keyOf: (item: T) => BufferId): Map<BufferId, T[]> {
  const lists = new Map<BufferId, T[]>();
  for (const item of items) {
    const list = lists.get(keyOf(item));
    if (list) list.push(item);
    else lists.set(keyOf(item), [item]);
  }
  return lists;
}

/** Renames buffers in a whole entry: in what is read, in outputs and in carried values. */
function renamed(
  entry: LoweredEntry,
  names: ReadonlyMap<BufferId, BufferId>,
  keep: (instruction: Instruction) => boolean,
): LoweredEntry {
  if (names.size === 0) return entry;
  const rename = (buffer: BufferId): BufferId => names.get(buffer) ?? buffer;
  return {
    steps: mapInstructions(entry.steps, (instruction) =>
      keep(instruction) ? withBuffers(instruction, rename, (buffer) => buffer) : undefined,
    ),
    outputs: entry.outputs.map(({ name, buffer }) => ({ name, buffer: rename(buffer) })),
    carries: entry.carries.map((carry) => ({ ...carry, value: rename(carry.value) })),
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
  const resolved = resolvedChains(originals);
  return renamed(entry, resolved, ({ writes: { buffer } }) => !resolved.has(buffer));
}

/** Where chains of aliases end. A cycle of nothing but aliases has no end: one of them stays. */
function resolvedChains(aliases: ReadonlyMap<BufferId, BufferId>): Map<BufferId, BufferId> {
  const ends = new Map<BufferId, BufferId>();
  const isEnd = new Set<BufferId>();
  for (const alias of aliases.keys()) {
    const chain: BufferId[] = [];
    const onChain = new Set<BufferId>();
    let at = alias;
    for (;;) {
      const next = isEnd.has(at) ? undefined : (ends.get(at) ?? aliases.get(at));
      if (next === undefined) break;
      if (onChain.has(at)) {
        isEnd.add(at);
        break;
      }
      onChain.add(at);
      chain.push(at);
      at = next;
    }
    for (const member of chain) if (member !== at) ends.set(member, at);
  }
  return ends;
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
    const key = workKey(instruction, resolve);
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
