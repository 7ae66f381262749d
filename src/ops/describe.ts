import type { AttributeDeclaration, OpDefinition } from "../network/op-definition.js";

const gradientNotes: Readonly<Record<OpDefinition["differentiable"], string>> = {
  yes: "yes",
  none: "none flows",
  error: "an error",
};

function attributeText(name: string, declaration: AttributeDeclaration): string {
  const fallback = declaration.default === undefined ? "" : ` = \`${JSON.stringify(declaration.default)}\``;
  return `\`${declaration.member ?? name}\`${fallback}: ${declaration.doc}`;
}

function operationText(op: OpDefinition): string {
  const inputs = op.inputs.map(
    (input) => `\`${input.name}\`${input.optional ? " (optional)" : ""}: ${input.doc}`,
  );
  const attributes = Object.entries(op.attributes)
    .filter(([, { computed }]) => !computed)
    .map(([name, declaration]) => attributeText(name, declaration));
  const lines = [
    `### ${op.name}`,
    "",
    op.doc,
    "",
    ...(op.aliases?.length ? [`- also called: ${op.aliases.join(", ")}`] : []),
    ...inputs.map((text) => `- input ${text}`),
    ...attributes.map((text) => `- attribute ${text}`),
    ...(op.runnable === false
      ? ["- not computed yet: it has a shape, but asking for its value is refused"]
      : []),
    `- gradient: ${op.gradientDiffers ? `not the derivative. ${op.gradientDiffers}` : gradientNotes[op.differentiable]}`,
    `- follows: ${op.source}`,
  ];
  return lines.join("\n");
}

/**
 * The page `docs/features.md`: every node type of the registry with its inputs, attributes and gradient, as Markdown.
 * Written from the entries, so that it cannot say anything else than they do.
 */
export function describeOperations(operations: readonly OpDefinition[]): string {
  const shown = operations.filter((op) => !op.internal).sort((a, b) => (a.name < b.name ? -1 : 1));
  const table = shown.map((op) => `[${op.name}](#${op.name.toLowerCase()})`).join(" · ");
  return [
    "# Node types",
    "",
    `Made from the registry (\`npm run features\`); ${shown.length} of CNTK's operations. Functions and layers that use them`,
    "are BrainScript: see `src/library`.",
    "",
    table,
    "",
    ...shown.map((op) => `${operationText(op)}\n`),
  ].join("\n");
}
