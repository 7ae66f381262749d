import type { Span } from "../src/diagnostics/source.js";

/**
 * The syntax tree of BrainScript: plain data, discriminated by `kind`.
 * `span` is the place that messages about the node point at, as CNTK chose it: a literal, name, record, `if`, `new`,
 * `array` or unary operator is its first token, a binary operation its operator, a member access the name behind the
 * dot, a call or index its opening bracket, a lambda its parameter.
 */
export type Expression =
  | NumberLiteral
  | StringLiteral
  | BooleanLiteral
  | Identifier
  | RecordExpression
  | UnaryExpression
  | BinaryExpression
  | NewExpression
  | IfExpression
  | ListExpression
  | ArrayExpression
  | MemberExpression
  | IndexExpression
  | CallExpression
  | LambdaExpression;

/** A whole text: a record without brackets. */
export type Program = RecordExpression;

export interface NumberLiteral {
  readonly kind: "number";
  readonly span: Span;
  readonly value: number;
}

export interface StringLiteral {
  readonly kind: "string";
  readonly span: Span;
  /** The characters between the quotes; BrainScript has no escapes. */
  readonly value: string;
}

export interface BooleanLiteral {
  readonly kind: "boolean";
  readonly span: Span;
  readonly value: boolean;
}

export interface Identifier {
  readonly kind: "identifier";
  readonly span: Span;
  readonly name: string;
}

/** `{ … }` or `[ … ]`; members in the order they were written. */
export interface RecordExpression {
  readonly kind: "record";
  readonly span: Span;
  readonly members: readonly NamedExpression[];
}

/** `name = value`: a member of a record, a named argument, or a parameter with its default. */
export interface NamedExpression {
  readonly name: string;
  readonly nameSpan: Span;
  readonly value: Expression;
}

export type UnaryOperator = "+" | "-" | "!";

export interface UnaryExpression {
  readonly kind: "unary";
  readonly span: Span;
  readonly operator: UnaryOperator;
  readonly operand: Expression;
}

// prettier-ignore
export type BinaryOperator =
  | "*" | "/" | ".*" | "**" | "%" | "+" | "-" | "with" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "&&" | "||" | "<<" | ">>";

export interface BinaryExpression {
  readonly kind: "binary";
  readonly span: Span;
  readonly operator: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
}

/** `new Name operand`; the operand is a record, a name or an expression in parentheses. */
export interface NewExpression {
  readonly kind: "new";
  readonly span: Span;
  readonly className: string;
  readonly classSpan: Span;
  readonly argument: Expression;
}

export interface IfExpression {
  readonly kind: "if";
  readonly span: Span;
  readonly condition: Expression;
  readonly whenTrue: Expression;
  readonly whenFalse: Expression;
}

/** `a:b:c` or `[| a ; b ; c |]`. A list on the left of `:` was merged into this one, as the syntax demands. */
export interface ListExpression {
  readonly kind: "list";
  readonly span: Span;
  readonly items: readonly Expression[];
}

/** `array[first..last](initializer)`, also what `V[i:first..last] = …` stands for. */
export interface ArrayExpression {
  readonly kind: "array";
  readonly span: Span;
  readonly first: Expression;
  readonly last: Expression;
  readonly initializer: Expression;
}

export interface MemberExpression {
  readonly kind: "member";
  readonly span: Span;
  readonly object: Expression;
  readonly name: string;
}

export interface IndexExpression {
  readonly kind: "index";
  readonly span: Span;
  readonly array: Expression;
  readonly index: Expression;
}

/** `f(…)` or `f{…}`, which mean the same. */
export interface CallExpression {
  readonly kind: "call";
  readonly span: Span;
  readonly callee: Expression;
  readonly bracket: "(" | "{";
  readonly arguments: ArgumentList;
}

/** Arguments of a call. Its place is the first argument, or the closing bracket of an empty list. */
export interface ArgumentList {
  readonly span: Span;
  readonly positional: readonly Expression[];
  readonly named: readonly NamedExpression[];
}

/** `x => body`, and what `f(x, y = 1) = body` stands for. */
export interface LambdaExpression {
  readonly kind: "lambda";
  readonly span: Span;
  readonly parameters: ParameterList;
  readonly body: Expression;
}

export interface ParameterList {
  readonly span: Span;
  readonly positional: readonly Identifier[];
  /** Optional parameters with their defaults. */
  readonly named: readonly NamedExpression[];
}
