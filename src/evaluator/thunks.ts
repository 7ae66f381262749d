import type { Expression } from "../../grammar/ast.js";
import type { Span } from "../diagnostics/source.js";
import { failure, noteCallers } from "./failures.js";
import { type Answer, type Machine, Pending } from "./machine.js";
import type { OpenCalls } from "./open-calls.js";
import type { Scope } from "./scope.js";
import type { Host, Thunk, Value } from "./values.js";

/** What the parts of the evaluator need of the whole. */
export interface Interpreter {
  readonly host: Host;
  readonly machine: Machine;
  readonly calls: OpenCalls;
  /** Value of an expression. `path` names what it creates. */
  evaluate(expression: Expression, scope: Scope, path: string): Answer;
}

const enum State {
  Waiting,
  Computing,
  Done,
}

/** So many names that stand for names are followed at once. */
const mostHops = 8;

/** A value computed at first use, once. */
abstract class DeferredThunk extends Pending implements Thunk {
  private state = State.Waiting;
  private value: Value | undefined;

  constructor(
    protected readonly interpreter: Interpreter,
    readonly span: Span,
    readonly path: string,
  ) {
    super();
  }

  protected abstract compute(): Answer;

  force(): Value {
    return this.interpreter.machine.run(this.ask());
  }

  ask(): Answer {
    return this.ready(mostHops) ?? this;
  }

  /** The value if it takes no work, over that many names at most. */
  ready(_hops: number): Value | undefined {
    return this.state === State.Done ? this.value : undefined;
  }

  override begin(): Answer {
    // A thunk may be asked for twice before it is begun.
    if (this.state === State.Done) return this.value as Value;
    if (this.state === State.Computing) throw circularReference(this.span);
    this.state = State.Computing;
    return this.compute();
  }

  override finish(value: Value): void {
    this.value = value;
    this.state = State.Done;
  }

  override fail(_error: unknown): void {
    // Waiting again, so that asking again tells the same error.
    this.state = State.Waiting;
  }
}

function circularReference(span: Span) {
  const explanation = "expression to compute identifier's value uses the identifier's value";
  return failure(
    "circular-reference",
    `circular reference (${explanation})`,
    span,
    "nothing can be made of itself; in a network PastValue (0, x) is x one step before",
  );
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

  protected compute(): Answer {
    return this.interpreter.evaluate(this.expression, this.scope, this.path);
  }

  override fail(error: unknown): void {
    super.fail(error);
    noteCallers(error, () => this.scope.callChain());
  }

  /** Many a parameter is a literal, or a name that stands for another name. */
  override ready(hops: number): Value | undefined {
    const { expression, scope } = this;
    switch (expression.kind) {
      case "number":
      case "string":
      case "boolean":
        return expression.value;
      case "identifier": {
        const known = super.ready(hops);
        if (known !== undefined) return known;
        const target = hops > 0 ? scope.lookup(expression.name) : undefined;
        return target instanceof DeferredThunk ? target.ready(hops - 1) : undefined;
      }
      default:
        return super.ready(hops);
    }
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
    protected readonly compute: () => Answer,
  ) {
    super(interpreter, span, path);
  }
}

/** A thunk of a value that is there already. */
export function readyThunk(value: Value, span: Span, path = ""): Thunk {
  return { force: () => value, ask: () => value, span, path };
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
