import { CntkError } from "../diagnostics/diagnostic.js";
import type { Span } from "../diagnostics/source.js";
import { addStep, nestedTooDeeply } from "./failures.js";
import type { Value } from "./values.js";

/**
 * Evaluation does not recurse in JavaScript: networks are thousands of layers deep, and each layer is demanded by the one
 * after it. What evaluates something gives either its value or a Pending, which says how to come by it, and a loop works
 * off pendings with a stack of its own on the heap.
 */
export type Answer = Value | Pending;

/**
 * A computation in several steps, written as a generator: `const left: Value = yield scope.evaluate(…)` asks for a value,
 * which may take any amount of work, and goes on when it is there. To return a pending is a tail call. A part of such a
 * computation with a result of its own is called by `yield*`.
 */
export type Evaluation<Result = Answer> = Generator<Answer, Result, Value>;

/** Work on the way to a value. */
export abstract class Pending {
  /** Present if it takes several steps. */
  readonly steps?: Evaluation;

  /** The first step, for those without `steps`; the value of its answer is the value of the whole. */
  abstract begin(): Answer;
  /** The value is there. */
  finish(_value: Value): void {}
  /** An error ends the work. It may be told where it passed. */
  fail(_error: unknown): void {}
  /** Where the work was asked for, if that is known. */
  get place(): Span | undefined {
    return undefined;
  }
}

class Steps extends Pending {
  constructor(override readonly steps: Evaluation) {
    super();
  }
  begin(): never {
    throw new Error("a computation of several steps is begun by its first step");
  }
}

/** Work in several steps. */
export function inSteps(steps: Evaluation): Pending {
  return new Steps(steps);
}

/** An expression with a name or a call in it that errors tell about on their way out. */
export abstract class Labelled extends Pending {
  constructor(readonly span: Span) {
    super();
  }
  protected abstract label(): string;
  override fail(error: unknown): void {
    if (error instanceof CntkError) addStep(error, this.span, this.label());
  }
  override get place(): Span {
    return this.span;
  }
}

/**
 * More computations inside one another than these are taken for an endless recursion. A layer takes some 50 of them, a
 * call of a plain function 3; this many take some hundred megabytes.
 */
const mostPending = 700_000;
/** Work that TypeScript code asked for in the middle of other work is done on JavaScript's stack, which bears less. */
const mostNested = 100;

/** Works off pendings. Library and user code call each other, so all programs of one host share a machine. */
export class Machine {
  private pending = 0;
  private nested = 0;

  /** The value of an answer. Throws CntkError, among others when computations never end to be inside one another. */
  run(answer: Answer): Value {
    if (!(answer instanceof Pending)) return answer;
    const stack: Pending[] = [];
    const before = this.pending;
    this.nested++;
    try {
      return this.workOff(answer, stack, before);
    } catch (error) {
      for (let top = stack.pop(); top; top = stack.pop()) top.fail(error);
      throw error;
    } finally {
      this.pending = before;
      this.nested--;
    }
  }

  private workOff(first: Pending, stack: Pending[], before: number): Value {
    if (this.nested > mostNested) throw nestedTooDeeply(first.place);
    let answer: Answer = first;
    for (;;) {
      if (answer instanceof Pending) {
        if (before + stack.length >= mostPending) throw nestedTooDeeply(placeOf(answer, stack));
        stack.push(answer);
        this.pending = before + stack.length;
        if (!answer.steps) {
          answer = answer.begin();
          continue;
        }
        const step: IteratorResult<Answer, Answer> = answer.steps.next();
        if (step.done) stack.pop();
        answer = step.value;
        continue;
      }
      const top = stack[stack.length - 1];
      if (!top) return answer;
      if (!top.steps) {
        stack.pop();
        top.finish(answer);
        continue;
      }
      const step: IteratorResult<Answer, Answer> = top.steps.next(answer);
      if (step.done) stack.pop();
      answer = step.value;
    }
  }
}

function placeOf(answer: Pending, stack: readonly Pending[]): Span | undefined {
  for (let at = stack.length, pending = answer; ; pending = stack[at]!) {
    if (pending.place) return pending.place;
    if (--at < 0) return undefined;
  }
}

/** The result of a computation of which nothing else is a part. */
export function forced<Result>(steps: Evaluation<Result>): Result {
  const machine = new Machine();
  let step = steps.next();
  while (!step.done) step = steps.next(machine.run(step.value));
  return step.value;
}
