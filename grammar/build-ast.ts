import type { IToken } from "chevrotain";
import type { Diagnostic } from "../src/diagnostics/diagnostic.js";
import type { Span } from "../src/diagnostics/source.js";
import type * as ast from "./ast.js";
import { spanOfToken } from "./lexer.js";
import { nodesIn, tokenIn, type Cst } from "./parser.js";

/** Binding strength of the binary operators, all of them left-associative. Note that `**` binds no tighter than `*`. */
// prettier-ignore
const precedence: Readonly<Record<ast.BinaryOperator | ":", number>> = {
  "*": 10, "/": 10, ".*": 10, "**": 10, "%": 10,
  "+": 9, "-": 9, with: 9,
  "==": 8, "!=": 8, "<": 8, "<=": 8, ">": 8, ">=": 8,
  "&&": 7,
  "||": 6,
  "<<": 5, ">>": 5,
  ":": 4,
};

export interface BuildResult {
  readonly program: ast.Program;
  readonly diagnostics: Diagnostic[];
}

/**
 * Concrete syntax → syntax tree: precedence, flattening of `:`, macros and arrays as lambdas. Reports what the grammar
 * cannot see: duplicate members and parameters, parameters that are no names. Members that the parser could not
 * complete are left out.
 *
 * @param end place of the end of the text, which is the program's own place
 */
export function buildProgram(program: Cst, end: Span): BuildResult {
  const builder = new Builder();
  const members = builder.members(program);
  return { program: { kind: "record", span: end, members }, diagnostics: builder.diagnostics };
}

/** Thrown where error recovery left a hole; the parser has reported it already. */
class Incomplete extends Error {}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Incomplete();
  return value;
}

function token(node: Cst, label: string): IToken {
  const found = required(tokenIn(node, label));
  if (found.isInsertedInRecovery) throw new Incomplete();
  return found;
}

function child(node: Cst, label: string): Cst {
  return required(nodesIn(node, label)[0]);
}

class Builder {
  readonly diagnostics: Diagnostic[] = [];

  members(node: Cst): ast.NamedExpression[] {
    const result: ast.NamedExpression[] = [];
    const names = new Set<string>();
    for (const memberNode of nodesIn(node, "member")) {
      const member = this.completed(() => this.member(memberNode));
      if (!member) continue;
      if (names.has(member.name)) {
        this.fail("duplicate-member", `duplicate member definition '${member.name}'`, member.nameSpan);
      }
      names.add(member.name);
      result.push(member);
    }
    return result;
  }

  private completed<T>(build: () => T): T | undefined {
    try {
      return build();
    } catch (error) {
      if (error instanceof Incomplete) return undefined;
      throw error;
    }
  }

  /** `f(x) = e` becomes `f = (x) => e`; `V[i:a..b] = e` becomes `V = array[a..b](i => e)`. */
  private member(node: Cst): ast.NamedExpression {
    const name = token(node, "name");
    const nameSpan = spanOfToken(name);
    const parametersNode = nodesIn(node, "parameters")[0];
    const parameters = parametersNode && this.parameters(parametersNode);
    const indexNode = nodesIn(node, "indexRange")[0];
    const index = indexNode && this.indexRange(indexNode);
    let value = this.expression(child(node, "value"));
    if (parameters) value = { kind: "lambda", span: parameters.span, parameters, body: value };
    if (index) {
      const { variable, first, last } = index;
      const list = { span: variable.span, positional: [variable], named: [] };
      const initializer: ast.Expression = {
        kind: "lambda",
        span: variable.span,
        parameters: list,
        body: value,
      };
      value = { kind: "array", span: nameSpan, first, last, initializer };
    }
    return { name: name.image, nameSpan, value };
  }

  private indexRange(node: Cst) {
    return {
      variable: this.identifier(token(node, "Identifier")),
      first: this.expression(child(node, "first")),
      last: this.expression(child(node, "last")),
    };
  }

  private identifier(name: IToken): ast.Identifier {
    return { kind: "identifier", span: spanOfToken(name), name: name.image };
  }

  private parameters(node: Cst): ast.ParameterList {
    const { span, positional, named } = this.argumentList(node);
    const names: ast.Identifier[] = [];
    for (const parameter of positional) {
      if (parameter.kind === "identifier") names.push(parameter);
      else
        this.fail(
          "parameter-name",
          "argument identifier expected",
          parameter.span,
          "a definition has names for parameters, f (x) = …; what stands in [ ] or { } is one, an array is f (1) : f (2)",
        );
    }
    return { span, positional: names, named };
  }

  private argumentList(node: Cst): ast.ArgumentList {
    const positional: ast.Expression[] = [];
    const named: ast.NamedExpression[] = [];
    let first: Span | undefined;
    for (const argument of nodesIn(child(node, "arguments"), "argument")) {
      const value = this.expression(child(argument, "value"));
      first ??= value.span;
      const assigned = nodesIn(argument, "assigned")[0];
      if (!assigned) {
        positional.push(value);
      } else if (value.kind === "identifier") {
        if (named.some((other) => other.name === value.name)) {
          this.fail("duplicate-parameter", `duplicate optional parameter '${value.name}'`, value.span);
        }
        named.push({ name: value.name, nameSpan: value.span, value: this.expression(assigned) });
      } else {
        const closing = tokenIn(node, "open")?.image === "{" ? "}" : ")";
        this.fail("unexpected-token", `'${closing}' expected`, spanOfToken(token(argument, "Assign")));
      }
    }
    return { span: first ?? spanOfToken(token(node, "close")), positional, named };
  }

  expression(node: Cst): ast.Expression {
    const operands = nodesIn(node, "operand").map((operand) => this.postfixed(operand));
    const operators = (node.children["operator"] ?? []) as IToken[];
    if (operands.length !== operators.length + 1) throw new Incomplete();
    const arrow = tokenIn(node, "Arrow");
    if (!arrow) return foldOperators(operands, operators);
    const parameter = foldOperators(operands, operators);
    if (parameter.kind !== "identifier") {
      this.fail("lambda-parameter", "identifier expected", spanOfToken(arrow));
      throw new Incomplete();
    }
    const parameters = { span: parameter.span, positional: [parameter], named: [] };
    return { kind: "lambda", span: parameter.span, parameters, body: this.expression(child(node, "body")) };
  }

  private postfixed(node: Cst): ast.Expression {
    let left = this.operand(child(node, "operand"));
    for (const postfix of nodesIn(node, "postfix")) left = this.postfix(left, postfix);
    return left;
  }

  private postfix(left: ast.Expression, node: Cst): ast.Expression {
    if (tokenIn(node, "Dot")) {
      const name = token(node, "Identifier");
      return { kind: "member", span: spanOfToken(name), object: left, name: name.image };
    }
    const bracket = tokenIn(node, "SquareOpen");
    if (bracket) {
      const index = this.expression(child(node, "index"));
      return { kind: "index", span: spanOfToken(bracket), array: left, index };
    }
    const list = child(node, "argumentList");
    const open = token(list, "open");
    return {
      kind: "call",
      span: spanOfToken(open),
      callee: left,
      bracket: open.image as "(" | "{",
      arguments: this.argumentList(list),
    };
  }

  private operand(node: Cst): ast.Expression {
    const kind = required(Object.keys(node.children)[0]);
    const inner = node.children[kind]?.[0];
    if (!inner) throw new Incomplete();
    if ("image" in inner) return this.literal(kind, inner);
    switch (kind) {
      case "unary":
        return this.unary(inner);
      case "parenthesized":
        return this.expression(child(inner, "expression"));
      case "record":
        return this.record(inner);
      case "construction":
        return this.construction(inner);
      case "conditional":
        return this.conditional(inner);
      case "list":
        return this.list(inner);
      case "array":
        return this.array(inner);
      default:
        throw new Incomplete();
    }
  }

  private literal(kind: string, literal: IToken): ast.Expression {
    if (literal.isInsertedInRecovery) throw new Incomplete();
    const span = spanOfToken(literal);
    switch (kind) {
      case "NumberLiteral":
        return { kind: "number", span, value: numberOfLiteral(literal.image) };
      case "StringLiteral":
        return { kind: "string", span, value: literal.image.slice(1, -1) };
      case "Identifier":
        return { kind: "identifier", span, name: literal.image };
      default:
        return { kind: "boolean", span, value: kind === "True" };
    }
  }

  private unary(node: Cst): ast.Expression {
    const operator = token(node, "operator");
    const operand = this.postfixed(child(node, "operand"));
    return {
      kind: "unary",
      span: spanOfToken(operator),
      operator: operator.image as ast.UnaryOperator,
      operand,
    };
  }

  private record(node: Cst): ast.Expression {
    return {
      kind: "record",
      span: spanOfToken(token(node, "open")),
      members: this.members(node),
    };
  }

  private construction(node: Cst): ast.Expression {
    const name = token(node, "Identifier");
    return {
      kind: "new",
      span: spanOfToken(token(node, "New")),
      className: name.image,
      classSpan: spanOfToken(name),
      argument: this.operand(child(node, "operand")),
    };
  }

  private conditional(node: Cst): ast.Expression {
    return {
      kind: "if",
      span: spanOfToken(token(node, "If")),
      condition: this.expression(child(node, "condition")),
      whenTrue: this.expression(child(node, "whenTrue")),
      whenFalse: this.expression(child(node, "whenFalse")),
    };
  }

  private list(node: Cst): ast.Expression {
    const items = nodesIn(node, "item").map((item) => this.expression(item));
    return { kind: "list", span: spanOfToken(token(node, "ListOpen")), items };
  }

  private array(node: Cst): ast.Expression {
    return {
      kind: "array",
      span: spanOfToken(token(node, "ArrayKeyword")),
      first: this.expression(child(node, "first")),
      last: this.expression(child(node, "last")),
      initializer: this.expression(child(node, "initializer")),
    };
  }

  private fail(code: string, message: string, span: Span, hint?: string): void {
    this.diagnostics.push({ code, level: "error", message, span, ...(hint !== undefined && { hint }) });
  }
}

/** Precedence climbing over a flat list `operand (operator operand)*`. */
function foldOperators(operands: readonly ast.Expression[], operators: readonly IToken[]): ast.Expression {
  if (operators.length === 0) return required(operands[0]);
  let at = 0;
  const climb = (atLeast: number): ast.Expression => {
    let left = required(operands[at]);
    for (;;) {
      const operator = operators[at];
      if (!operator) return left;
      const strength = precedence[operator.image as ast.BinaryOperator | ":"];
      if (strength < atLeast) return left;
      at++;
      left = combine(left, operator, climb(strength + 1));
    }
  };
  return climb(0);
}

/**
 * `:` flattens by the look of its left operand: an operand that is itself a list, in parentheses or not, gets the item
 * appended. Never at run time.
 */
function combine(left: ast.Expression, operator: IToken, right: ast.Expression): ast.Expression {
  if (operator.image !== ":") {
    const span = spanOfToken(operator);
    return { kind: "binary", span, operator: operator.image as ast.BinaryOperator, left, right };
  }
  if (left.kind === "list") return { ...left, items: [...left.items, right] };
  return { kind: "list", span: spanOfToken(operator), items: [left, right] };
}

/** Value of a number as C's strtod reads it: decimal, or hexadecimal with an optional binary exponent. */
export function numberOfLiteral(image: string): number {
  if (!/^0x/i.test(image)) return Number(image);
  const [digits = "", exponent = "0"] = image.slice(2).split(/p/i);
  const [whole = "", fraction = ""] = digits.split(".");
  let value = 0;
  for (const digit of whole + fraction) value = value * 16 + parseInt(digit, 16);
  return value * 2 ** (Number(exponent) - 4 * fraction.length);
}
