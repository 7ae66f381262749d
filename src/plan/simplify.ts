import { elementCount } from "../network/network.js";
import type { BufferId, Instruction } from "../primitives/instruction.js";
import { buffersRead, bufferWritten, withBuffers } from "./instruction-operands.js";
import type { LoweredEntry } from "./lower.js";
import type { BufferDeclaration } from "./plan.js";

/** Removes what no output and no state needs. */
export function removeUnneeded(entry: LoweredEntry, buffers: readonly BufferDeclaration[]): LoweredEntry {
  const needed = new Set(entry.outputs.map(({ buffer }) => buffer));
  const kept: Instruction[] = [];
  for (const instruction of [...entry.instructions].reverse()) {
    const written = bufferWritten(instruction);
    if (!needed.has(written) && buffers[written]?.role !== "state") continue;
    kept.push(instruction);
    for (const buffer of buffersRead(instruction)) needed.add(buffer);
  }
  return { ...entry, instructions: kept.reverse() };
}

/**
 * Lets readers of a copy read the original (reshapes need no work: an operand brings its own dimensions).
 * Only between temporaries that are written once, so the original cannot change in between.
 */
export function forwardCopies(entry: LoweredEntry, buffers: readonly BufferDeclaration[]): LoweredEntry {
  const writes = countWrites(entry.instructions);
  const original = new Map<BufferId, BufferId>();
  const resolve = (buffer: BufferId): BufferId => original.get(buffer) ?? buffer;
  const isPlain = (buffer: BufferId) => buffers[buffer]?.role === "temporary" && writes.get(buffer) === 1;
  const kept: Instruction[] = [];
  for (const instruction of entry.instructions) {
    const renamed = withBuffers(instruction, resolve, (buffer) => buffer);
    if (renamed.kind === "copy" && isPlain(renamed.input.buffer) && isPlain(renamed.output.buffer)) {
      original.set(renamed.output.buffer, renamed.input.buffer);
    } else kept.push(renamed);
  }
  const outputs = entry.outputs.map(({ name, buffer }) => ({ name, buffer: resolve(buffer) }));
  return { instructions: kept, outputs };
}

/**
 * Carries out equal instructions once. Before assignments every value is fixed, so that the same operation on the same
 * operands gives the same result; random draws are not the same operation.
 */
export function shareEqualWork(entry: LoweredEntry, buffers: readonly BufferDeclaration[]): LoweredEntry {
  const writes = countWrites(entry.instructions);
  const shared = new Map<BufferId, BufferId>();
  const done = new Map<string, BufferId>();
  const resolve = (buffer: BufferId): BufferId => shared.get(buffer) ?? buffer;
  const isFixed = (buffer: BufferId) =>
    buffers[buffer]?.role === "temporary" ? writes.get(buffer) === 1 : true;
  const kept: Instruction[] = [];
  for (const instruction of entry.instructions) {
    const renamed = withBuffers(instruction, resolve, (buffer) => buffer);
    const output = bufferWritten(renamed);
    const isShareable =
      renamed.kind !== "dropoutMask" &&
      buffers[output]?.role === "temporary" &&
      [output, ...buffersRead(renamed)].every(isFixed);
    if (!isShareable) {
      kept.push(renamed);
      continue;
    }
    const key = JSON.stringify(
      withBuffers(
        renamed,
        (buffer) => buffer,
        () => -1,
      ),
    );
    const earlier = done.get(key);
    if (earlier === undefined) {
      done.set(key, output);
      kept.push(renamed);
    } else shared.set(output, earlier);
  }
  const outputs = entry.outputs.map(({ name, buffer }) => ({ name, buffer: resolve(buffer) }));
  return { instructions: kept, outputs };
}

/**
 * Lets an instruction write a state directly where its result is only computed to be copied there at the end, and
 * nobody can see the difference: the state is changed once, nobody reads its old value later, and the instruction
 * itself reads it, if at all, element by element.
 */
export function writeStatesDirectly(
  entry: LoweredEntry,
  buffers: readonly BufferDeclaration[],
): LoweredEntry {
  const instructions = [...entry.instructions];
  const returned = new Set(entry.outputs.map(({ buffer }) => buffer));
  for (let at = instructions.length - 1; at >= 0; at--) {
    const assignment = instructions[at];
    if (assignment?.kind !== "copy") continue;
    const state = assignment.output.buffer;
    const value = assignment.input.buffer;
    if (buffers[state]?.role !== "state" || buffers[value]?.role !== "temporary") continue;
    const writes = countWrites(instructions);
    if (writes.get(state) !== 1 || writes.get(value) !== 1 || returned.has(state)) continue;
    const producerAt = instructions.findIndex((instruction) => bufferWritten(instruction) === value);
    const producer = instructions[producerAt];
    if (!producer || !readsPointwise(producer, state)) continue;
    const later = instructions.slice(producerAt + 1);
    if (later.some((instruction) => buffersRead(instruction).includes(state))) continue;
    // A second state assigned from the same value would follow this state, should that be written again: it is not.
    const rename = (buffer: BufferId) => (buffer === value ? state : buffer);
    instructions.splice(at, 1);
    for (let i = producerAt; i < instructions.length; i++) {
      const instruction = instructions[i];
      if (instruction) instructions[i] = withBuffers(instruction, rename, rename);
    }
    if (returned.has(value)) {
      entry = {
        ...entry,
        outputs: entry.outputs.map(({ name, buffer }) => ({ name, buffer: rename(buffer) })),
      };
    }
  }
  return { ...entry, instructions };
}

/** May the instruction write `buffer` while it reads it? */
function readsPointwise(instruction: Instruction, buffer: BufferId): boolean {
  if (!buffersRead(instruction).includes(buffer)) return true;
  if (instruction.kind !== "elementwise") return false;
  const count = elementCount(instruction.output.dims);
  return instruction.inputs.every(
    (input) =>
      input.buffer !== buffer ||
      (elementCount(input.dims) === count && sameDims(input.dims, instruction.output.dims)),
  );
}

function sameDims(a: readonly number[], b: readonly number[]): boolean {
  const rank = Math.max(a.length, b.length);
  for (let axis = 0; axis < rank; axis++) if ((a[axis] ?? 1) !== (b[axis] ?? 1)) return false;
  return true;
}

function countWrites(instructions: readonly Instruction[]): Map<BufferId, number> {
  const writes = new Map<BufferId, number>();
  for (const instruction of instructions) {
    const buffer = bufferWritten(instruction);
    writes.set(buffer, (writes.get(buffer) ?? 0) + 1);
  }
  return writes;
}
