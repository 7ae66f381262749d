import type { Expression, NamedExpression, ParameterList, Program } from "./ast.js";

/**
 * The tree as text, in the format of CNTK's parser tests: one node a line, indented by depth, an empty line after the
 * children of a node, members and named arguments sorted by name.
 */
export function printAst(program: Program): string {
  const lines: string[] = [];
  print(outlineOf(program), 0, lines);
  return lines.join("\n") + "\n";
}

/** What CNTK's dump knows of a node: a head, children, and named children. */
interface Outline {
  readonly head: string;
  readonly children?: readonly Outline[];
  readonly named?: readonly NamedExpression[];
}

function print(node: Outline, depth: number, lines: string[]): void {
  lines.push(" ".repeat(Math.max(depth, 1)) + node.head);
  if (node.children?.length) {
    for (const child of node.children) print(child, depth + 1, lines);
  }
  if (node.named?.length) {
    if (node.children?.length) lines.push("");
    for (const { name, value } of sortedByName(node.named)) {
      lines.push(`${" ".repeat(depth + 1)}${name} =`);
      print(outlineOf(value), depth + 2, lines);
    }
  }
  if (node.children?.length || node.named?.length) lines.push("");
}

function sortedByName(named: readonly NamedExpression[]): NamedExpression[] {
  return [...named].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

function outlineOf(node: Expression): Outline {
  switch (node.kind) {
    case "number":
      return { head: wholeNumber(node.value) };
    case "string":
      return { head: `'${node.value}'` };
    case "boolean":
      return { head: node.value ? "1" : "0" };
    case "identifier":
      return { head: node.name };
    case "record":
      return { head: "[]", named: node.members };
    case "unary":
      return { head: `${node.operator}(`, children: outlinesOf(node.operand) };
    case "binary":
      return { head: node.operator, children: outlinesOf(node.left, node.right) };
    case "new":
      return { head: `new ${node.className}`, children: outlinesOf(node.argument) };
    case "if":
      return { head: "if", children: outlinesOf(node.condition, node.whenTrue, node.whenFalse) };
    case "list":
      return { head: ":", children: outlinesOf(...node.items) };
    case "array":
      return { head: "array ", children: outlinesOf(node.first, node.last, node.initializer) };
    case "member":
      return { head: `. ${node.name}`, children: outlinesOf(node.object) };
    case "index":
      return { head: "[", children: outlinesOf(node.array, node.index) };
    case "call": {
      const { positional, named } = node.arguments;
      const list = { head: "()", children: outlinesOf(...positional), named };
      return { head: node.bracket, children: [outlineOf(node.callee), list] };
    }
    case "lambda":
      return { head: "=>", children: [outlineOfParameters(node.parameters), outlineOf(node.body)] };
  }
}

function outlinesOf(...nodes: readonly Expression[]): Outline[] {
  return nodes.map(outlineOf);
}

function outlineOfParameters({ positional, named }: ParameterList): Outline {
  return { head: "()", children: outlinesOf(...positional), named };
}

/** C++'s `fixed` with precision 0: ties go to the even neighbour. */
function wholeNumber(value: number): string {
  if (!Number.isFinite(value)) return "inf";
  const floor = Math.floor(value);
  const odd = floor % 2 === 1;
  const rounded = value - floor > 0.5 || (value - floor === 0.5 && odd) ? floor + 1 : floor;
  return BigInt(rounded).toString();
}
