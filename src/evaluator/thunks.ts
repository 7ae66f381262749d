import type { Expression } from "../../grammar/ast.js";
import type { Span } from "../diagnostics/source.js";
import { failure, isStackOverflow, nestedTooDeeply } from "./failures.js";
import type { Scope } from "./scope.js";
import type { Host, Thunk, Value } from "./values.js";

/** What the parts of the evaluator need of the whole. */
export interface Interpreter {
  readonly host: Host;
  /** Value of an expression. `path` names what it creates. */
  evaluate(expression: Expression, scope: Scope, path: string): Value;
  /** How many thunks are being computed inside one another. */
  depth: number;
  /** Where the stack ran out, while that error is on its way up. */
  overflow: Span | undefined;
}

const enum State {
  Waiting,
  Computing,
  Done,
}

/** A value computed at first use, once. */
abstract class DeferredThunk implements Thunk {
  private state = State.Waiting;
  private value: Value | undefined;

  constructor(
    protected readonly interpreter: Interpreter,
    readonly span: Span,
    readonly path: string,
  ) {}

  protected abstract compute(): Value;

  force(): Value {
    if (this.state === State.Done) return this.value as Value;
    if (this.state === State.Computing) throw circularReference(this.span);
    this.state = State.Computing;
    this.interpreter.depth++;
    try {
      this.value = this.compute();
      this.state = State.Done;
      return this.value;
    } catch (error) {
      // Waiting again, so that asking again tells the same error.
      this.state = State.Waiting;
      if (this.interpreter.depth > 1 || !isStackOverflow(error)) throw error;
      const span = this.interpreter.overflow ?? this.span;
      this.interpreter.overflow = undefined;
      throw nestedTooDeeply(span);
    } finally {
      this.interpreter.depth--;
    }
  }
}

function circularReference(span: Span) {
  const explanation = "expression to compute identifier's value uses the identifier's value";
  return failure("circular-reference", `circular reference (${explanation})`, span);
}

/** An expression waiting in the scope it was written in. */
export class ExpressionThunk extends DeferredThunk {
  constructor(
    interpreter: Interpreter,
    private readonly expression: Expression,
    private readonly scope: Scope,
    path: string,
  ) {
    super(interpreter, expression.span, path);
  }

  protected compute(): Value {
    return this.interpreter.evaluate(this.expression, this.scope, this.path);
  }

  /** The thunk that a mere name stands for. */
  target(): Thunk | undefined {
    return this.expression.kind === "identifier" ? this.scope.lookup(this.expression.name) : undefined;
  }
}

/** A value that TypeScript code computes on demand. */
export class ComputedThunk extends DeferredThunk {
  constructor(
    interpreter: Interpreter,
    span: Span,
    path: string,
    protected readonly compute: () => Value,
  ) {
    super(interpreter, span, path);
  }
}

/** A thunk of a value that is there already. */
export function readyThunk(value: Value, span: Span, path = ""): Thunk {
  return { force: () => value, span, path };
}

/**
 * Follows names to where the value was written. Numbers, booleans and strings have no identity of their own, so this
 * thunk stands for it; it is also the place that messages about the value should show.
 */
export function originOf(thunk: Thunk): Thunk {
  let origin = thunk;
  for (let hops = 0; origin instanceof ExpressionThunk && hops < 1000; hops++) {
    const target = origin.target();
    if (!target) break;
    origin = target;
  }
  return origin;
}
