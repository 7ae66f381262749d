import type * as ast from "../../grammar/ast.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import { didYouMean } from "../diagnostics/suggest.js";
import type { Span } from "../diagnostics/source.js";
import { arrayValue, elementLater, elementOf, listValue } from "./arrays.js";
import { booleanOf, isFunction, isRecord } from "./conversions.js";
import { failure, noteCallers, typeExpected } from "./failures.js";
import { LambdaValue, prepareArguments } from "./functions.js";
import { languageClasses } from "./language-classes.js";
import { binaryOperation, unaryOperation } from "./operators.js";
import { type Answer, type Evaluation, Labelled, Machine, Pending, inSteps } from "./machine.js";
import { OpenCalls } from "./open-calls.js";
import { joinPath, operandPath } from "./paths.js";
import { Scope, Step, scopeLayout, type ScopeLayout } from "./scope.js";
import { ExpressionThunk, type Interpreter } from "./thunks.js";
import type { FunctionValue, Host, NativeClass, ObjectValue, RecordValue, Thunk, Value } from "./values.js";

/**
 * The value of a program: a record whose members are computed when they are asked for.
 *
 * @param scope what the program's names may also refer to, such as the library's record
 */
export function evaluateProgram(program: ast.Program, host: Host, scope?: RecordValue): RecordValue {
  let evaluator = evaluators.get(host);
  if (!evaluator) evaluators.set(host, (evaluator = new Evaluator(host)));
  return evaluator.record(program, scope, "");
}

/** Programs of one host share an evaluator: library and user code call each other, and only one of them is outermost. */
const evaluators = new WeakMap<Host, Evaluator>();

/**
 * Walks the syntax tree. One short method for each kind of expression: it gives the value at once where that takes no
 * computation, and otherwise what is to be done.
 */
class Evaluator implements Interpreter {
  readonly machine = new Machine();
  readonly calls = new OpenCalls();
  private readonly ownClasses: ReadonlyMap<string, NativeClass>;
  private readonly shapes = new WeakMap<ast.RecordExpression, RecordShape>();

  constructor(readonly host: Host) {
    this.ownClasses = languageClasses(host);
  }

  evaluate(node: ast.Expression, scope: Scope, path: string): Answer {
    switch (node.kind) {
      case "number":
      case "string":
      case "boolean":
        return node.value;
      case "identifier":
        return this.identifier(node, scope);
      case "member":
        return this.member(node, scope, path);
      case "call":
        return this.call(node, scope, path);
      case "if":
        return this.conditional(node, scope, path);
      case "binary":
        return this.binary(node, scope, path);
      case "unary":
        return this.unary(node, scope, path);
      case "record":
        return this.record(node, scope, path);
      case "lambda":
        return new LambdaValue(this, node, scope, path);
      case "list":
        return listValue(this, node, scope, path);
      case "array":
        return inSteps(arrayValue(this, node, scope, path));
      case "index":
        return this.index(node, scope, path);
      case "new":
        return this.construction(node, scope, path);
    }
  }

  record(node: ast.RecordExpression, scope: RecordValue | undefined, path: string): Scope {
    let shape = this.shapes.get(node);
    if (!shape) this.shapes.set(node, (shape = this.shapeOf(node)));
    return new Scope(path, scope, shape.layout, shape.make, node.span);
  }

  private shapeOf({ members }: ast.RecordExpression): RecordShape {
    return {
      layout: scopeLayout(members.map(({ name }) => name)),
      make: (index, name, record) =>
        new ExpressionThunk(this, members[index]!.value, record, joinPath(record.path, name)),
    };
  }

  private identifier(node: ast.Identifier, scope: Scope): Answer {
    const thunk = scope.lookup(node.name);
    if (!thunk) throw unknownIdentifier(node.name, node.span, scope, this.host, false);
    return used(thunk.ask(), node);
  }

  /** The name is looked up in the record and then in the scopes around the record, not around this expression. */
  private member(node: ast.MemberExpression, scope: Scope, path: string): Answer {
    const { object } = node;
    const known = object.kind === "record" ? this.record(object, scope, path) : atHand(object, scope);
    return known === undefined
      ? inSteps(this.memberLater(node, scope, path))
      : memberOf(known, node, this.host);
  }

  private *memberLater(node: ast.MemberExpression, scope: Scope, path: string): Evaluation {
    return memberOf(yield this.evaluate(node.object, scope, path), node, this.host);
  }

  private call(node: ast.CallExpression, scope: Scope, path: string): Answer {
    const target = atHand(node.callee, scope);
    if (target === undefined) return inSteps(this.callLater(node, scope, path));
    return new Call(this, node, functionOf(target, node), scope, path);
  }

  private *callLater(node: ast.CallExpression, scope: Scope, path: string): Evaluation {
    const target: Value = yield this.evaluate(node.callee, scope, path);
    return new Call(this, node, functionOf(target, node), scope, path);
  }

  private conditional(node: ast.IfExpression, scope: Scope, path: string): Answer {
    const condition = this.evaluate(node.condition, scope, joinPath(path, "if"));
    if (typeof condition !== "boolean") return inSteps(this.conditionalLater(node, condition, scope, path));
    return this.evaluate(condition ? node.whenTrue : node.whenFalse, scope, path);
  }

  /** A branch has the path of the whole `if`. With a node as the condition the host makes one value of both branches. */
  private *conditionalLater(node: ast.IfExpression, asked: Answer, scope: Scope, path: string): Evaluation {
    const condition: Value = yield asked;
    if (typeof condition !== "object" || condition.kind !== "object") {
      const branch = booleanOf(condition, node.condition.span) ? node.whenTrue : node.whenFalse;
      return this.evaluate(branch, scope, path);
    }
    // CNTK's compiler evaluates arguments from the right, so nodes of `else` exist, and draw their seeds, before those of `then`.
    const whenFalse: Value = yield this.evaluate(node.whenFalse, scope, joinPath(path, "else"));
    const whenTrue: Value = yield this.evaluate(node.whenTrue, scope, joinPath(path, "then"));
    const step = new Step(node.span, path, scope);
    const result = this.host.conditional?.(condition, whenTrue, whenFalse, step);
    if (result === undefined) throw typeExpected("boolean", condition, node.condition.span);
    return result;
  }

  private index(node: ast.IndexExpression, scope: Scope, path: string): Answer {
    const array = atHand(node.array, scope);
    const index = array === undefined ? undefined : atHand(node.index, scope);
    if (array === undefined || index === undefined) return inSteps(elementLater(this, node, scope, path));
    return elementOf(array, index, node);
  }

  private binary(node: ast.BinaryExpression, scope: Scope, path: string): Answer {
    const left = atHand(node.left, scope);
    const right = left === undefined ? undefined : atHand(node.right, scope);
    if (left === undefined || right === undefined) return inSteps(this.binaryLater(node, scope, path));
    return binaryOperation(node.operator, left, right, this.host, new Step(node.span, path, scope));
  }

  private *binaryLater(node: ast.BinaryExpression, scope: Scope, path: string): Evaluation {
    const left: Value = yield this.evaluate(node.left, scope, operandPath(path, node.operator, 0));
    const right: Value = yield this.evaluate(node.right, scope, operandPath(path, node.operator, 1));
    return binaryOperation(node.operator, left, right, this.host, new Step(node.span, path, scope));
  }

  private unary(node: ast.UnaryExpression, scope: Scope, path: string): Answer {
    const operand = atHand(node.operand, scope);
    if (operand === undefined) return inSteps(this.unaryLater(node, scope, path));
    return unaryOperation(node.operator, operand, this.host, new Step(node.span, path, scope));
  }

  private *unaryLater(node: ast.UnaryExpression, scope: Scope, path: string): Evaluation {
    const pathOfOperand = { "+": path, "-": joinPath(path, "_negate"), "!": joinPath(path, "_not") };
    const operand: Value = yield this.evaluate(node.operand, scope, pathOfOperand[node.operator]);
    return unaryOperation(node.operator, operand, this.host, new Step(node.span, path, scope));
  }

  private construction(node: ast.NewExpression, scope: Scope, path: string): Answer {
    const nativeClass = this.host.classes.get(node.className) ?? this.ownClasses.get(node.className);
    if (!nativeClass) {
      const hint = didYouMean(node.className, [...this.host.classes.keys(), ...this.ownClasses.keys()]);
      throw failure("unknown-class", `unknown runtime type ${node.className}`, node.classSpan, hint);
    }
    const { argument } = node;
    const inner = nativeClass.restartsPath ? "" : path;
    const step = new Step(node.span, path, scope);
    if (argument.kind !== "record") return inSteps(this.constructionLater(node, nativeClass, inner, step));
    return new Construction(node, nativeClass, this.record(argument, scope, inner), step);
  }

  private *constructionLater(
    node: ast.NewExpression,
    nativeClass: NativeClass,
    inner: string,
    step: Step,
  ): Evaluation {
    const args: Value = yield this.evaluate(node.argument, step.scope, inner);
    if (!isRecord(args)) throw typeExpected("record", args, node.argument.span);
    return new Construction(node, nativeClass, args, step);
  }
}

/** What all records of one expression have in common. */
interface RecordShape {
  readonly layout: ScopeLayout;
  readonly make: (index: number, name: string, record: Scope) => Thunk;
}

/** The value of a name is computed for this use of it: the thunk's own work, and errors tell about the use. */
class Use extends Labelled {
  constructor(
    private readonly node: ast.Identifier | ast.MemberExpression,
    private readonly thunk: Pending,
  ) {
    super(node.span);
  }
  begin(): Answer {
    return this.thunk.begin();
  }
  override finish(value: Value): void {
    this.thunk.finish(value);
  }
  override fail(error: unknown): void {
    this.thunk.fail(error);
    super.fail(error);
  }
  protected label(): string {
    return `'${this.node.name}' is used`;
  }
}

/** A member of an object that the host supplied. */
class ObjectMember extends Labelled {
  constructor(
    private readonly node: ast.MemberExpression,
    private readonly object: ObjectValue,
    private readonly host: Host,
  ) {
    super(node.span);
  }
  begin(): Answer {
    const value = this.object.member?.(this.node.name);
    if (value === undefined)
      throw unknownIdentifier(this.node.name, this.node.span, this.object, this.host, true);
    return value;
  }
  protected label(): string {
    return `'${this.node.name}' is used`;
  }
}

/** A function is applied. */
class Call extends Labelled {
  constructor(
    private readonly interpreter: Interpreter,
    private readonly node: ast.CallExpression,
    private readonly target: FunctionValue,
    private readonly scope: Scope,
    private readonly path: string,
  ) {
    super(node.callee.span);
  }
  begin(): Answer {
    const { interpreter, node, target, scope, path } = this;
    interpreter.calls.begin(node);
    const { positional, named } = prepareArguments(interpreter, node, target, scope, path);
    return target.call(positional, named, new Step(node.callee.span, path, scope));
  }
  override finish(): void {
    this.interpreter.calls.end(this.node);
  }
  override fail(error: unknown): void {
    this.interpreter.calls.end(this.node);
    advise(error, this.node, this.interpreter.host);
    noteCallers(error, () => [this.span, ...this.scope.callChain()]);
    super.fail(error);
  }
  protected label(): string {
    const { callee } = this.node;
    const named = callee.kind === "identifier" || callee.kind === "member";
    return named ? `in the call of ${callee.name}` : "in the call";
  }
}

/** An object of a native class is made. */
class Construction extends Labelled {
  constructor(
    node: ast.NewExpression,
    private readonly nativeClass: NativeClass,
    private readonly args: RecordValue,
    private readonly step: Step,
  ) {
    super(node.span);
  }
  begin(): Answer {
    return this.nativeClass.construct(this.args, this.step);
  }
  override fail(error: unknown): void {
    noteCallers(error, () => this.step.calls);
    super.fail(error);
  }
  protected label(): string {
    return `in new ${this.nativeClass.name}`;
  }
}

/** A function that cannot be called fails inside of its own text: only here it is known what to write in its place. */
function advise(error: unknown, { callee }: ast.CallExpression, host: Host): void {
  if (!(error instanceof CntkError) || !("name" in callee)) return;
  const advice = host.brokenFunctions?.get(callee.name);
  // Functions of users may bear these names, too: their mistakes are in the users' texts.
  const isWithin = error.code === "missing-parameter" || error.diagnostic.span?.source !== callee.span.source;
  if (advice !== undefined && isWithin) (error.diagnostic as { hint?: string }).hint = advice;
}

/**
 * The value of a literal, of a name whose value is there, or of a record's member whose value is there: what most operands
 * are. Looks no deeper, as operands and members may be strung together without end.
 */
function atHand(node: ast.Expression, scope: Scope): Value | undefined {
  switch (node.kind) {
    case "number":
    case "string":
    case "boolean":
      return node.value;
    case "identifier":
      return knownValue(scope.lookup(node.name));
    case "member": {
      const { object } = node;
      const record = object.kind === "identifier" ? knownValue(scope.lookup(object.name)) : undefined;
      return record !== undefined && isRecord(record) ? knownValue(record.lookup(node.name)) : undefined;
    }
    default:
      return undefined;
  }
}

function knownValue(thunk: Thunk | undefined): Value | undefined {
  const answer = thunk?.ask();
  return answer instanceof Pending ? undefined : answer;
}

function functionOf(target: Value, node: ast.CallExpression): FunctionValue {
  if (!isFunction(target)) throw typeExpected("function", target, node.callee.span);
  return target;
}

function used(answer: Answer, node: ast.Identifier | ast.MemberExpression): Answer {
  // What a thunk does not have at once it computes itself, in one step.
  return answer instanceof Pending && !answer.steps ? new Use(node, answer) : answer;
}

function memberOf(object: Value, node: ast.MemberExpression, host: Host): Answer {
  if (isRecord(object)) {
    const thunk = object.lookup(node.name);
    if (!thunk) throw unknownIdentifier(node.name, node.span, object, host, true);
    return used(thunk.ask(), node);
  }
  if (typeof object !== "object" || object.kind !== "object" || !object.member) {
    throw typeExpected("record", object, node.object.span);
  }
  return new ObjectMember(node, object, host);
}

function unknownIdentifier(
  name: string,
  span: Span,
  scope: RecordValue | ObjectValue | undefined,
  host: Host,
  isMember: boolean,
): CntkError {
  const fullName = isMember && scope?.kind === "record" ? joinPath(scope.path, name) : name;
  if (host.namesNotYet?.has(fullName)) {
    return failure("not-available", `${fullName} is not available yet`, span);
  }
  const known = scope instanceof Scope ? scope.visibleNames() : namesIn(scope);
  return failure(
    "unknown-identifier",
    `unknown identifier '${name}'`,
    span,
    hintForName(name, known, scope, host),
  );
}

/** Members are often few, names in sight are many. */
function hintForName(
  name: string,
  known: Iterable<string>,
  scope: RecordValue | ObjectValue | undefined,
  host: Host,
): string | undefined {
  const hint = host.nameHint?.(name) ?? didYouMean(name, known);
  const members = scope?.kind === "object" ? [...known] : [];
  if (hint !== undefined || members.length === 0) return hint;
  return `its members are ${members.slice(0, mostNames).join(", ")}${members.length > mostNames ? ", …" : ""}`;
}

const mostNames = 10;

function namesIn(scope: RecordValue | ObjectValue | undefined): readonly string[] {
  return (scope?.kind === "object" ? scope.memberNames?.() : scope?.names) ?? [];
}
