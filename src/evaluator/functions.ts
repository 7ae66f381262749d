import type { CallExpression, Expression, LambdaExpression } from "../../grammar/ast.js";
import { didYouMean } from "../diagnostics/suggest.js";
import type { Span } from "../diagnostics/source.js";
import { failure } from "./failures.js";
import { inSteps, type Answer, type Evaluation } from "./machine.js";
import { joinPath } from "./paths.js";
import { Scope, Step } from "./scope.js";
import { ExpressionThunk, readyThunk, type Interpreter } from "./thunks.js";
import type { CallContext, FunctionValue, Thunk, Value } from "./values.js";

/** A function written in BrainScript; it sees its parameters and the scope it was defined in. */
export class LambdaValue implements FunctionValue {
  readonly kind = "function";
  readonly positional: readonly string[];
  readonly named: readonly string[];
  /** Defaults belong to the scope of the definition, parameters excluded, and are shared by all calls. */
  private readonly defaults = new Map<string, Thunk>();

  constructor(
    private readonly interpreter: Interpreter,
    private readonly lambda: LambdaExpression,
    private readonly scope: Scope,
    path: string,
  ) {
    const { positional, named } = lambda.parameters;
    this.positional = positional.map(({ name }) => name);
    this.named = named.map(({ name }) => name);
    for (const { name, value } of named) {
      this.defaults.set(name, new ExpressionThunk(interpreter, value, scope, joinPath(path, name)));
    }
  }

  call(positional: readonly Thunk[], named: ReadonlyMap<string, Thunk>, at: CallContext): Answer {
    checkArguments(this, positional.length, [...named.keys()], at.span);
    return this.interpreter.evaluate(this.lambda.body, this.enter(positional, named, at), at.path);
  }

  private enter(positional: readonly Thunk[], named: ReadonlyMap<string, Thunk>, at: CallContext): Scope {
    const scope = new Scope(at.path, this.scope, this.lambda.parameters.span, at);
    this.positional.forEach((name, index) => scope.define(name, positional[index] as Thunk));
    for (const [name, value] of this.defaults) scope.define(name, named.get(name) ?? value);
    return scope;
  }
}

/** A function made in TypeScript: all parameters are positional. */
export function nativeFunction(
  positional: readonly string[],
  body: (args: readonly Thunk[], at: CallContext) => Answer,
): FunctionValue {
  const native: FunctionValue = {
    kind: "function",
    positional,
    named: [],
    call(args, named, at) {
      checkArguments(native, args.length, [...named.keys()], at.span);
      return body(args, at);
    },
  };
  return native;
}

/** `f >> g`: first f, then g. It takes what f takes. */
export function composition(first: FunctionValue, second: FunctionValue): FunctionValue {
  return {
    kind: "function",
    positional: first.positional,
    named: first.named,
    call: (positional, named, at) => inSteps(composed(first, second, positional, named, at)),
  };
}

function* composed(
  first: FunctionValue,
  second: FunctionValue,
  positional: readonly Thunk[],
  named: ReadonlyMap<string, Thunk>,
  at: CallContext,
): Evaluation {
  const inner: Value = yield first.call(positional, named, withPath(at, `${at.path}.arg`));
  return second.call([readyThunk(inner, at.span, at.path)], new Map(), at);
}

function withPath(at: CallContext, path: string): CallContext {
  return at instanceof Step ? new Step(at.span, path, at.scope) : { ...at, path };
}

function checkArguments(target: FunctionValue, count: number, named: readonly string[], span: Span): void {
  if (count !== target.positional.length) {
    const message = `function expects ${target.positional.length} positional parameters, ${count} were provided`;
    throw failure("argument-count", message, span, signature(target));
  }
  for (const name of named) if (!target.named.includes(name)) throw unknownArgument(target, name, span);
}

function unknownArgument(target: FunctionValue, name: string, span: Span) {
  const hint = didYouMean(name, target.named) ?? signature(target);
  return failure("unknown-argument", `function does not have an optional argument '${name}'`, span, hint);
}

/** What the function takes, for the hint of an error. */
function signature(target: FunctionValue): string {
  const parameters = [...target.positional, ...target.named.map((name) => `${name}=…`)];
  return parameters.length === 0 ? "it takes no parameters" : `its parameters are (${parameters.join(", ")})`;
}

/** The arguments of a call, to be evaluated in the caller's scope when and if they are used. Throws if they do not fit. */
export function prepareArguments(
  interpreter: Interpreter,
  call: CallExpression,
  target: FunctionValue,
  scope: Scope,
  path: string,
): { readonly positional: readonly Thunk[]; readonly named: ReadonlyMap<string, Thunk> } {
  const { positional, named, span } = call.arguments;
  // Checked here as well as in `call`, because here the places of the single arguments are known.
  checkArguments(target, positional.length, [], span);
  const unknown = named.find(({ name }) => !target.named.includes(name));
  if (unknown) throw unknownArgument(target, unknown.name, unknown.nameSpan);
  const thunkOf = (value: Expression, name: string) =>
    new ExpressionThunk(interpreter, value, scope, joinPath(path, name));
  return {
    positional: positional.map((value, index) => thunkOf(value, target.positional[index] ?? "")),
    named: new Map(named.map(({ name, value }) => [name, thunkOf(value, name)])),
  };
}
