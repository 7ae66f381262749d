import type { CntkError } from "../diagnostics/diagnostic.js";
import type { CallExpression, Expression, LambdaExpression } from "../../grammar/ast.js";
import { didYouMean } from "../diagnostics/suggest.js";
import type { Span } from "../diagnostics/source.js";
import { failure } from "./failures.js";
import { inSteps, type Answer, type Evaluation } from "./machine.js";
import { joinPath } from "./paths.js";
import { Scope, Step, scopeLayout, type ScopeLayout } from "./scope.js";
import { ExpressionThunk, readyThunk, type Interpreter } from "./thunks.js";
import type { CallContext, FunctionValue, Thunk, Value } from "./values.js";

/** What all functions of one expression have in common. */
class Signature {
  readonly positional: readonly string[];
  readonly named: readonly string[];
  readonly layout: ScopeLayout;

  constructor(lambda: LambdaExpression) {
    this.positional = lambda.parameters.positional.map(({ name }) => name);
    this.named = lambda.parameters.named.map(({ name }) => name);
    this.layout = scopeLayout([...this.positional, ...this.named]);
  }
}

const signatures = new WeakMap<LambdaExpression, Signature>();

function signatureOf(lambda: LambdaExpression): Signature {
  let known = signatures.get(lambda);
  if (!known) signatures.set(lambda, (known = new Signature(lambda)));
  return known;
}

/** A function written in BrainScript; it sees its parameters and the scope it was defined in. */
export class LambdaValue implements FunctionValue {
  readonly kind = "function";
  private readonly signature: Signature;
  /** Defaults belong to the scope of the definition, parameters excluded, and are shared by all calls. */
  private readonly defaults: (Thunk | undefined)[] = [];

  constructor(
    private readonly interpreter: Interpreter,
    private readonly lambda: LambdaExpression,
    private readonly scope: Scope,
    private readonly path: string,
  ) {
    this.signature = signatureOf(lambda);
  }

  get positional(): readonly string[] {
    return this.signature.positional;
  }

  get named(): readonly string[] {
    return this.signature.named;
  }

  call(positional: readonly Thunk[], named: ReadonlyMap<string, Thunk>, at: CallContext): Answer {
    checkArguments(this, positional.length, named.keys(), at.span);
    const { lambda, signature } = this;
    const argument = (index: number, name: string): Thunk =>
      positional[index] ?? named.get(name) ?? this.defaultOf(index - positional.length);
    const scope = new Scope(at.path, this.scope, signature.layout, argument, lambda.parameters.span, at);
    return this.interpreter.evaluate(lambda.body, scope, at.path);
  }

  private defaultOf(index: number): Thunk {
    return (this.defaults[index] ??= this.makeDefault(index));
  }

  private makeDefault(index: number): Thunk {
    const { name, value } = this.lambda.parameters.named[index]!;
    return new ExpressionThunk(this.interpreter, value, this.scope, joinPath(this.path, name));
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
      checkArguments(native, args.length, named.keys(), at.span);
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

function checkArguments(target: FunctionValue, count: number, named: Iterable<string>, span: Span): void {
  if (count !== target.positional.length) throw countWrong(target, { length: count }, span, undefined);
  for (const name of named) {
    if (!target.named.includes(name)) throw unknownArgument(target, name, span, undefined);
  }
}

/** `given` are the expressions, as far as they are known. */
function countWrong(
  target: FunctionValue,
  given: { readonly length: number } | readonly Expression[],
  span: Span,
  advice: string | undefined,
): CntkError {
  const expected = target.positional.length;
  const message = `function expects ${expected} positional parameters, ${given.length} were provided`;
  const words = [advice ?? tooManyHint(target, given), signature(target)];
  return failure("argument-count", message, span, words.filter((word) => word !== undefined).join("; "));
}

/** Where several values are given for the one parameter that takes an array. */
function tooManyHint(
  { positional }: FunctionValue,
  given: { readonly length: number } | readonly Expression[],
): string | undefined {
  const [only = "", ...others] = positional;
  if (others.length > 0 || given.length < 2) return undefined;
  if (/array/i.test(only)) return "an array is one argument, its elements joined by ':'";
  const sizes = Array.isArray(given)
    ? given.map((one: Expression) => (one.kind === "number" ? one.value : NaN))
    : [NaN];
  return /dim|shape/i.test(only) && !sizes.includes(NaN)
    ? `dimensions are one argument: (${sizes.join(":")})`
    : undefined;
}

function calleeHint({ callee }: CallExpression, { host }: Interpreter): string | undefined {
  return "name" in callee ? host.callHints?.get(callee.name) : undefined;
}

function unknownArgument(target: FunctionValue, name: string, span: Span, former: string | undefined) {
  const hint =
    former === undefined
      ? (didYouMean(name, target.named) ?? signature(target))
      : `${former}; ${signature(target)}`;
  return failure("unknown-argument", `function does not have an optional argument '${name}'`, span, hint);
}

/** What the function takes, for the hint of an error. */
function signature(target: FunctionValue): string {
  const parameters = [...target.positional, ...target.named.map((name) => `${name}=…`)];
  return parameters.length === 0 ? "it takes no parameters" : `its parameters are (${parameters.join(", ")})`;
}

const noArguments: ReadonlyMap<string, Thunk> = new Map();

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
  if (positional.length !== target.positional.length) {
    throw countWrong(target, positional, span, calleeHint(call, interpreter));
  }
  const unknown = named.find(({ name }) => !target.named.includes(name));
  if (unknown) {
    const former = interpreter.host.formerArguments?.get(unknown.name);
    throw unknownArgument(target, unknown.name, unknown.nameSpan, former);
  }
  const thunkOf = (value: Expression, name: string) =>
    new ExpressionThunk(interpreter, value, scope, joinPath(path, name));
  return {
    positional: positional.map((value, index) => thunkOf(value, target.positional[index] ?? "")),
    named:
      named.length === 0
        ? noArguments
        : new Map(named.map(({ name, value }) => [name, thunkOf(value, name)])),
  };
}
