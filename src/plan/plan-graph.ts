import type { EntryName, ExecutionGraph } from "../network/network.js";
import type { BufferId, Instruction } from "../primitives/instruction.js";
import { buffersRead, bufferWritten, withBuffers } from "./instruction-operands.js";
import { Lowering, type LoweredEntry } from "./lower.js";
import type { ElementType } from "../numerics/values.js";
import type { BufferDeclaration, EngineDeclaration, Plan, PlanEntry } from "./plan.js";
import { forwardCopies, removeUnneeded, shareEqualWork, writeStatesDirectly } from "./simplify.js";

const entryNames: readonly EntryName[] = ["evaluate", "accumulate", "update"];

/**
 * Turns an execution graph into a plan: the instructions of each entry in order, on numbered buffers.
 * States and inputs are shared by the entries. Assignments come last and see only values computed before the first
 * of them. What no output and no assignment needs is left out; buffers nobody uses are not declared, save states.
 */
export function planGraph(graph: ExecutionGraph, elementType: ElementType): Plan {
  const lowering = new Lowering(graph, elementType);
  const lowered = new Map<EntryName, LoweredEntry>();
  for (const name of entryNames) {
    const entry = graph.entries[name];
    if (entry) lowered.set(name, lowering.lowerEntry(entry.order, entry.outputs, entry.assignments));
  }
  for (const [name, entry] of lowered) lowered.set(name, simplify(entry, lowering.buffers));
  return assemble(lowered, lowering.buffers, elementType);
}

function simplify(entry: LoweredEntry, buffers: readonly BufferDeclaration[]): LoweredEntry {
  const needed = removeUnneeded(entry, buffers);
  const shared = shareEqualWork(forwardCopies(needed, buffers), buffers);
  return writeStatesDirectly(shared, buffers);
}

/** Renumbers the buffers in use and puts the parts together. */
function assemble(
  entries: ReadonlyMap<EntryName, LoweredEntry>,
  declarations: readonly BufferDeclaration[],
  elementType: ElementType,
): Plan {
  const used = new Set<BufferId>();
  for (const entry of entries.values()) {
    for (const { buffer } of entry.outputs) used.add(buffer);
    for (const instruction of entry.instructions) {
      used.add(bufferWritten(instruction));
      for (const buffer of buffersRead(instruction)) used.add(buffer);
    }
  }
  const kept = declarations.filter(({ id, role }) => used.has(id) || role === "state");
  const numbers = new Map(kept.map(({ id }, index) => [id, index]));
  const number = (buffer: BufferId): BufferId => {
    const found = numbers.get(buffer);
    if (found === undefined) throw new Error(`buffer ${buffer} was dropped while in use`);
    return found;
  };
  const engines = new Set<string>();
  const planned: Partial<Record<EntryName, PlanEntry>> = {};
  for (const [name, entry] of entries) {
    const instructions = entry.instructions.map((i) => withBuffers(i, number, number));
    for (const engine of enginesOf(instructions)) engines.add(engine);
    planned[name] = {
      instructions,
      outputs: entry.outputs.map((output) => ({ name: output.name, buffer: number(output.buffer) })),
      inputs: inputsOf(entry, declarations),
    };
  }
  return {
    elementType,
    buffers: kept.map((declaration, id) => ({ ...declaration, id })),
    engines: [...engines].map((name): EngineDeclaration => ({ name })),
    entries: planned,
  };
}

function enginesOf(instructions: readonly Instruction[]): string[] {
  return instructions.flatMap((i) => (i.kind === "dropoutMask" ? [i.engine] : []));
}

/** Names of the inputs an entry reads or returns, in order of first use. */
function inputsOf(entry: LoweredEntry, declarations: readonly BufferDeclaration[]): string[] {
  const names = new Set<string>();
  const note = (buffer: BufferId) => {
    const declaration = declarations[buffer];
    if (declaration?.role === "input") names.add(declaration.name);
  };
  for (const instruction of entry.instructions) buffersRead(instruction).forEach(note);
  for (const { buffer } of entry.outputs) note(buffer);
  return [...names];
}
