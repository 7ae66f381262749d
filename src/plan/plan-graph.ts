import { type EntryName, entryNames, type ExecutionGraph } from "../network/execution-graph.js";
import type { ElementType } from "../numerics/values.js";
import type { AxisId, BufferId, Operand } from "../primitives/instruction.js";
import { Lowering, type LoweredEntry } from "./lower.js";
import { layOutMemory } from "./memory-layout.js";
import type { Buffer, Engine, Entry, Plan, PlanAxis } from "./plan.js";
import { instructionsOf } from "./plan.js";
import { dataKey, mapInstructions } from "./rewrite.js";
import { forwardCopies, removeUnneeded, shareEqualWork, writeStatesDirectly } from "./simplify.js";
import { planProblems, verifyBetweenPasses } from "./verify.js";
import { isExplained } from "./work.js";

/** A pass over one entry: the same results with less work. */
type Pass = (entry: LoweredEntry, buffers: readonly Buffer[]) => LoweredEntry;

/** The passes in the order in which they run; `explain` and tests may leave some out. */
export const passes: Readonly<Record<string, Pass>> = {
  removeUnneeded,
  forwardCopies,
  shareEqualWork,
  writeStatesDirectly,
};

/**
 * Turns an execution graph into a plan: the steps of each entry in order, on numbered buffers. States and inputs are shared
 * by the entries. Assignments come last and see only values computed before the first of them. What no output and no
 * assignment needs is left out; buffers nobody uses are not declared, save states.
 */
export function planGraph(
  graph: ExecutionGraph,
  elementType: ElementType,
  passNames: readonly string[] = Object.keys(passes),
): Plan {
  const lowering = new Lowering(graph, elementType);
  const entries = new Map<EntryName, LoweredEntry>();
  for (const name of entryNames) {
    const entry = graph.entries[name];
    if (entry) entries.set(name, lowering.lowerEntry(entry));
  }
  for (const [name, lowered] of entries) {
    let entry = lowered;
    verifyBetweenPasses("lowering", { ...entry, inputs: [] }, lowering);
    for (const pass of passNames) {
      entry = passes[pass]?.(entry, lowering.buffers) ?? entry;
      verifyBetweenPasses(pass, { ...entry, inputs: [] }, lowering);
    }
    entries.set(name, entry);
  }
  const plan = assemble(entries, lowering);
  const problems = planProblems(plan);
  if (problems.length > 0) throw new Error(`the plan is wrong:\n  ${problems.join("\n  ")}`);
  return plan;
}

/**
 * Throws what planning refuses, without making the plan: it is nodes that are refused, and passes only leave out work. The
 * function returned tells whether their work is little enough (`checkWork`); where it is not, the plan has to be looked at.
 */
export function checkGraph(graph: ExecutionGraph, elementType: ElementType): () => boolean {
  const lowering = new Lowering(graph, elementType);
  const { buffers } = lowering;
  const lowered = entryNames.flatMap((name) => {
    const entry = graph.entries[name];
    return entry ? [lowering.lowerEntry(entry)] : [];
  });
  return () => lowered.every((entry) => isExplained(removeUnneeded(entry, buffers).steps, buffers));
}

/** Renumbers the buffers and axes in use and puts the parts together. */
function assemble(
  lowered: ReadonlyMap<EntryName, LoweredEntry>,
  { buffers: declared, axes: allAxes, elementType }: Lowering,
): Plan {
  const used = new Set<BufferId>();
  for (const { steps, outputs, carries } of lowered.values()) {
    for (const { buffer } of outputs) used.add(buffer);
    for (const { value, into } of carries) used.add(value).add(into);
    for (const { reads, writes } of instructionsOf(steps)) {
      used.add(writes.buffer);
      for (const { buffer } of reads) used.add(buffer);
    }
  }
  const kept = declared.filter(({ id, role }) => used.has(id) || role === "state");
  const numbers = new Map(kept.map(({ id }, index) => [id, index]));
  const usedAxes = new Set(kept.flatMap(({ axis }) => axis ?? []));
  const keptAxes = allAxes.filter(({ id }) => usedAxes.has(id));
  const axisNumbers = new Map(keptAxes.map(({ id }, index) => [id, index]));
  const number = (buffer: BufferId): BufferId => found(numbers.get(buffer));
  const axisNumber = <A extends AxisId | null>(axis: A) =>
    (axis === null ? null : found(axisNumbers.get(axis))) as A;

  const buffers = kept.map((buffer, id): Buffer => ({ ...buffer, id, axis: axisNumber(buffer.axis) }));
  const axes = keptAxes.map((axis, id): PlanAxis => ({ ...axis, id }));
  const entries: Partial<Record<EntryName, Entry>> = {};
  for (const [name, entry] of lowered) entries[name] = renumbered(entry, number, axisNumber, declared);
  const engines = enginesOf(Object.values(entries));
  const memory = layOutMemory(buffers, Object.values(entries));
  return { elementType, axes, buffers, engines, entries, memory };
}

/** Text that is equal for equal plans, names of temporaries left out: the key of a cache of compiled plans. */
export function planKey({ buffers, ...plan }: Plan): string {
  const nameless = buffers.map((buffer) =>
    buffer.role === "temporary" ? { ...buffer, name: "", serves: undefined } : buffer,
  );
  return dataKey({ ...plan, buffers: nameless });
}

function renumbered(
  { steps, outputs, carries }: LoweredEntry,
  number: (buffer: BufferId) => BufferId,
  axisNumber: <A extends AxisId | null>(axis: A) => A,
  declared: readonly Buffer[],
): Entry {
  const inputs = new Set<string>();
  const note = (buffer: BufferId) => {
    const { role, name } = declared[buffer] as Buffer;
    if (role === "input") inputs.add(name);
  };
  for (const { reads } of instructionsOf(steps)) for (const { buffer } of reads) note(buffer);
  for (const { buffer } of outputs) note(buffer);
  return {
    steps: mapInstructions(steps, (instruction) => {
      const { reads, writes } = instruction;
      const renumber = (operand: Operand): Operand => ({
        ...operand,
        buffer: number(operand.buffer),
        axis: axisNumber(operand.axis),
      });
      return { ...instruction, reads: reads.map(renumber), writes: renumber(writes) };
    }).map((step) => (step.kind === "loop" ? { ...step, axis: axisNumber(step.axis) } : step)),
    outputs: outputs.map(({ name, buffer }) => ({ name, buffer: number(buffer) })),
    inputs: [...inputs],
    carries: carries.map((carry) => ({
      ...carry,
      value: number(carry.value),
      into: number(carry.into),
    })),
  };
}

function enginesOf(entries: readonly Entry[]): Engine[] {
  const names = new Set<string>();
  for (const instruction of entries.flatMap(({ steps }) => instructionsOf(steps))) {
    if (instruction.kind === "dropoutMask" || instruction.kind === "drawClasses") {
      names.add(instruction.parameters.engine);
    }
  }
  return Array.from(names, (name) => ({ name }));
}

function found(number: number | undefined): number {
  if (number === undefined) throw new Error("a buffer or an axis was dropped while in use");
  return number;
}
