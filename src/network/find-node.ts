import { CntkError } from "../diagnostics/diagnostic.js";
import { suggest } from "../diagnostics/suggest.js";

interface Named {
  readonly name: string;
}

/** A node by its full name, without regard to case (as CNTK looks names up). */
export function findNode<T extends Named>(nodes: readonly T[], name: string): T | undefined {
  const wanted = name.toLowerCase();
  return nodes.find((node) => node.name.toLowerCase() === wanted);
}

/**
 * A node by name or by an unambiguous suffix that begins at a dot: `z.pool1`, `pool1`.
 * @throws CntkError `node-unknown` or `node-ambiguous`, listing the near names.
 */
export function findNodeBySuffix<T extends Named>(nodes: readonly T[], name: string): T {
  const exact = findNode(nodes, name);
  if (exact) return exact;
  const ending = `.${name.toLowerCase()}`;
  const matches = nodes.filter((node) => node.name.toLowerCase().endsWith(ending));
  if (matches.length === 1 && matches[0]) return matches[0];
  if (matches.length > 1) {
    throw new CntkError({
      code: "node-ambiguous",
      message: `'${name}' could be any of ${matches.length} nodes: ${matches.map((node) => node.name).join(", ")}`,
      hint: "write more of the name",
    });
  }
  const near = nearNames(nodes, name);
  throw new CntkError({
    code: "node-unknown",
    message: `The model has no node named '${name}'.`,
    hint: near.length ? `near names: ${near.join(", ")}` : "print-nodes lists every node",
  });
}

function nearNames(nodes: readonly Named[], name: string): string[] {
  const names = nodes.map((node) => node.name);
  const lastParts = new Map(names.map((full) => [full.split(".").at(-1) ?? full, full]));
  const partial = names.filter((full) => full.toLowerCase().includes(name.toLowerCase()));
  const hints = [suggest(name, names), lastParts.get(suggest(name, lastParts.keys()) ?? "")];
  return [...new Set([...partial, ...hints.filter((hint) => hint !== undefined)])].slice(0, 8);
}
