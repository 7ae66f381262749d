import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** All TypeScript of the program, parsed. */
function sources(): ts.SourceFile[] {
  return ["grammar", "src"].flatMap((top) =>
    readdirSync(join(root, top), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => {
        const text = readFileSync(join(root, top, name), "utf8");
        return ts.createSourceFile(`${top}/${name}`, text, ts.ScriptTarget.ES2022, true);
      }),
  );
}

function visit(node: ts.Node, look: (node: ts.Node) => void): void {
  look(node);
  ts.forEachChild(node, (child) => visit(child, look));
}

/** What codes look like: `unknown-identifier`. */
const form = /^[a-z]+(-[a-z]+)*$/;

/** The strings that an expression may be, as far as they stand in it. */
function literals(expression: ts.Expression): string[] {
  if (ts.isStringLiteralLike(expression)) return form.test(expression.text) ? [expression.text] : [];
  if (ts.isParenthesizedExpression(expression)) return literals(expression.expression);
  if (ts.isConditionalExpression(expression))
    return [...literals(expression.whenTrue), ...literals(expression.whenFalse)];
  return [];
}

/** Where functions that make diagnostics take the code: name of the function → positions of the parameter `code: string`. */
function codeParameters(files: readonly ts.SourceFile[]): Map<string, Set<number>> {
  const found = new Map<string, Set<number>>();
  const note = (name: string, parameters: ts.NodeArray<ts.ParameterDeclaration>) => {
    parameters.forEach((parameter, index) => {
      const isCode = parameter.name.getText() === "code" && parameter.type?.getText() === "string";
      if (isCode) found.set(name, (found.get(name) ?? new Set<number>()).add(index));
    });
  };
  for (const file of files) {
    visit(file, (node) => {
      if ((ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node)) && node.name)
        note(node.name.getText(), node.parameters);
      if (ts.isVariableDeclaration(node) && node.initializer && ts.isArrowFunction(node.initializer))
        note(node.name.getText(), node.initializer.parameters);
    });
  }
  return found;
}

/** Is this object a diagnostic? One has a message too. */
function isDiagnostic(object: ts.ObjectLiteralExpression): boolean {
  return object.properties.some(
    (property) => ts.isSpreadAssignment(property) || property.name?.getText() === "message",
  );
}

/**
 * Every diagnostic code that stands in the sources, with the places of its use (`src/config/assemble.ts:95`): the value
 * of a property `code` beside a `message`, an argument for a parameter `code: string`, a constant `code`, a result of a function `codeOf`.
 */
export function diagnosticCodes(): Map<string, string[]> {
  const files = sources();
  const parameters = codeParameters(files);
  const codes = new Map<string, string[]>();
  for (const file of files) {
    const note = (node: ts.Expression) => {
      for (const code of literals(node)) {
        const { line } = file.getLineAndCharacterOfPosition(node.getStart());
        codes.set(code, [...(codes.get(code) ?? []), `${file.fileName}:${line + 1}`]);
      }
    };
    visit(file, (node) => {
      if (ts.isPropertyAssignment(node) && node.name.getText() === "code" && isDiagnostic(node.parent))
        note(node.initializer);
      if (ts.isVariableDeclaration(node) && node.name.getText() === "code" && node.initializer)
        note(node.initializer);
      if (ts.isCallExpression(node)) {
        const { expression } = node;
        const name = ts.isPropertyAccessExpression(expression) ? expression.name.text : expression.getText();
        for (const index of parameters.get(name) ?? []) {
          const argument = node.arguments[index];
          if (argument) note(argument);
        }
      }
      if (ts.isFunctionDeclaration(node) && node.name?.text === "codeOf" && node.body)
        visit(node.body, (inner) => {
          if (ts.isReturnStatement(inner) && inner.expression) note(inner.expression);
        });
    });
  }
  return codes;
}
