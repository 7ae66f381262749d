import type { EntryName } from "../network/execution-graph.js";
import { argument, type Expression } from "../primitives/expression.js";
import type { BufferId, Instruction, InstructionOf, Operand } from "../primitives/instruction.js";
import { layOutMemory } from "./memory-layout.js";
import { instructionsOf, type Buffer, type Entry, type Plan, type Step } from "./plan.js";

/** Expressions of more operands than this are left as they are: an inner loop must keep them all in registers. */
const mostOperands = 8;
/** Operations of one expression, equal parts counted each time. */
const mostOperations = 100;

/**
 * Lets an element-wise expression compute its operands itself where nobody else needs them: a chain of maps becomes one, and
 * what is between is never stored. Every operation rounds as before. For backends that compile expressions; memory is laid out
 * anew, temporaries of less than `apart` elements by their sizes.
 */
export function fuseMaps(plan: Plan, apart = 0): Plan {
  const entries: Partial<Record<EntryName, Entry>> = {};
  for (const [name, entry] of Object.entries(plan.entries) as [EntryName, Entry][]) {
    entries[name] = { ...entry, steps: fusedSteps(entry, plan.buffers) };
  }
  return { ...plan, entries, memory: layOutMemory(plan.buffers, Object.values(entries), apart) };
}

type MapInstruction = InstructionOf<"map">;

function fusedSteps(entry: Entry, buffers: readonly Buffer[]): Step[] {
  const readers = new Map<BufferId, number>();
  const needed = [...entry.outputs.map(({ buffer }) => buffer), ...entry.carries.map(({ value }) => value)];
  const count = (buffer: BufferId) => readers.set(buffer, (readers.get(buffer) ?? 0) + 1);
  needed.forEach(count);
  for (const { reads } of instructionsOf(entry.steps)) {
    new Set(reads.map(({ buffer }) => buffer)).forEach(count);
  }
  const hasOneReader = (buffer: BufferId) =>
    buffers[buffer]?.role === "temporary" && readers.get(buffer) === 1;
  return pieces(entry.steps).flatMap((piece): Step[] =>
    "kind" in piece
      ? [{ ...piece, body: fusedList(piece.body, hasOneReader) }]
      : fusedList(piece, hasOneReader),
  );
}

/** Loops, and the instructions between them. */
function pieces(steps: readonly Step[]): (Extract<Step, { kind: "loop" }> | Instruction[])[] {
  const found: (Extract<Step, { kind: "loop" }> | Instruction[])[] = [];
  let list: Instruction[] = [];
  for (const step of steps) {
    if (step.kind !== "loop") {
      if (list.length === 0) found.push(list);
      list.push(step);
      continue;
    }
    found.push(step);
    list = [];
  }
  return found;
}

/** Goes through the instructions once; maps that wait for their one reader are taken into it. */
function fusedList(
  instructions: readonly Instruction[],
  hasOneReader: (buffer: BufferId) => boolean,
): Instruction[] {
  const waiting = new Map<BufferId, MapInstruction>();
  /** By buffer: the waiting maps that read it. */
  const readersOf = new Map<BufferId, Set<BufferId>>();
  const kept: Instruction[] = [];
  const release = (buffer: BufferId) => {
    const map = waiting.get(buffer);
    if (!map) return;
    waiting.delete(buffer);
    for (const read of map.reads) readersOf.get(read.buffer)?.delete(buffer);
    kept.push(map);
  };
  for (const given of instructions) {
    let instruction = given;
    for (const { buffer } of given.reads) {
      const map = waiting.get(buffer);
      const fused = map && instruction.kind === "map" ? taken(map, instruction) : undefined;
      if (!fused) release(buffer);
      else {
        waiting.delete(buffer);
        for (const read of map!.reads) readersOf.get(read.buffer)?.delete(buffer);
        instruction = fused;
      }
    }
    // Whoever still has to read what this overwrites comes first.
    for (const reader of [...(readersOf.get(given.writes.buffer) ?? [])]) release(reader);
    if (instruction.kind !== "map" || !hasOneReader(given.writes.buffer)) {
      kept.push(instruction);
      continue;
    }
    waiting.set(given.writes.buffer, instruction);
    for (const { buffer } of instruction.reads) {
      const readers = readersOf.get(buffer) ?? new Set();
      readersOf.set(buffer, readers.add(given.writes.buffer));
    }
  }
  for (const buffer of [...waiting.keys()]) release(buffer);
  return kept;
}

/** `reader` with the map's expression in place of its result; undefined where they walk over different places. */
function taken(map: MapInstruction, reader: MapInstruction): MapInstruction | undefined {
  const target = reader.writes;
  const isSame = ({ dims, axis }: Operand) => axis === target.axis && sameDims(dims, target.dims);
  const replaced = reader.reads.filter(({ buffer }) => buffer === map.writes.buffer);
  if (!isSame(map.writes) || !replaced.every(isSame)) return undefined;
  // What the reader writes must not be seen at another place afterwards.
  if (map.reads.some((read) => read.buffer === target.buffer && !isSame(read))) return undefined;
  const reads: Operand[] = [];
  const place = (operand: Operand): number => {
    const known = reads.findIndex(
      (other) =>
        other.buffer === operand.buffer && other.axis === operand.axis && sameDims(other.dims, operand.dims),
    );
    return known >= 0 ? known : reads.push(operand) - 1;
  };
  const inner = withArguments(map.parameters.expression, (index) =>
    argument(place(map.reads[index] as Operand)),
  );
  const expression = withArguments(reader.parameters.expression, (index) => {
    const operand = reader.reads[index] as Operand;
    return operand.buffer === map.writes.buffer ? inner : argument(place(operand));
  });
  if (reads.length > mostOperands || operationsOf(expression) > mostOperations) return undefined;
  return { ...reader, reads, parameters: { expression } };
}

function operationsOf(expression: Expression): number {
  switch (expression.kind) {
    case "unary":
      return 1 + operationsOf(expression.x);
    case "binary":
      return 1 + operationsOf(expression.a) + operationsOf(expression.b);
    case "select":
      return (
        1 +
        [expression.test, expression.whenTrue, expression.whenFalse].reduce((n, e) => n + operationsOf(e), 0)
      );
    default:
      return 0;
  }
}

function withArguments(expression: Expression, change: (index: number) => Expression): Expression {
  const inside = (e: Expression) => withArguments(e, change);
  switch (expression.kind) {
    case "argument":
      return change(expression.index);
    case "constant":
    case "scalar":
      return expression;
    case "unary":
      return { ...expression, x: inside(expression.x) };
    case "binary":
      return { ...expression, a: inside(expression.a), b: inside(expression.b) };
    case "select":
      return {
        ...expression,
        test: inside(expression.test),
        whenTrue: inside(expression.whenTrue),
        whenFalse: inside(expression.whenFalse),
      };
    default:
      return expression satisfies never;
  }
}

function sameDims(a: readonly number[], b: readonly number[]): boolean {
  const rank = Math.max(a.length, b.length);
  for (let axis = 0; axis < rank; axis++) if ((a[axis] ?? 1) !== (b[axis] ?? 1)) return false;
  return true;
}
