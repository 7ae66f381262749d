import { CntkError } from "../diagnostics/diagnostic.js";
import { type Fields, type FieldValue, isStored, type StoredLayout } from "../network/stored-fields.js";
import { operationOfModelFile } from "../ops/unavailable.js";
import type { ModelFile, ModelNode, WrittenNode } from "./model-file.js";
import { currentModelVersion } from "./model-file.js";
import { upgradedFields } from "./stored-bytes.js";

/**
 * The nodes of a model as a file of an older version holds them: as they were read, where they come from one and are the same;
 * else without what that version does not know, which must be what it takes for granted.
 * @throws CntkError `model-version`
 */
export function writtenModel(model: ModelFile, version: number): ReadonlyMap<ModelNode, WrittenNode> {
  if (!Number.isInteger(version) || version < 1 || version > currentModelVersion) {
    throw new CntkError({
      code: "model-version",
      message: `There is no version ${version} of CNTK's model files.`,
      hint: `versions from 1 to ${currentModelVersion} can be written`,
    });
  }
  const known = model.written?.version === version ? model.written.nodes : undefined;
  const written = new Map<ModelNode, WrittenNode>();
  for (const node of model.nodes) written.set(node, known?.get(node) ?? olderNode(node, version));
  const unused = new Set(unusedParameters(model, written));
  for (const node of unused) written.delete(node);
  return written;
}

function olderNode(node: ModelNode, version: number): WrittenNode {
  const layout = operationOfModelFile(node.operation)?.stored ?? { fields: [] };
  const fields = olderFields(layout, node.fields, version);
  const missing = differing(upgradedFields(layout, fields, version), node.fields, layout.forgotten ?? []);
  const inputs = layout.downgradeInputs?.(node.inputs, version) ?? node.inputs;
  if (missing !== undefined || inputs === "other") {
    const what = missing === undefined ? "such inputs" : `such a value of ${missing}`;
    throw new CntkError({
      code: "model-version",
      message: `A model file of version ${version} cannot hold the ${node.operation} '${node.name}' with ${what}.`,
      hint: "a newer version can",
    });
  }
  return { ...node, inputs, fields };
}

function olderFields(layout: StoredLayout, today: Fields, version: number): Fields {
  const all = layout.downgrade?.(today, version) ?? today;
  const fields: Record<string, FieldValue> = {};
  for (const stored of layout.fields) {
    const value = all[stored.name] ?? stored.otherwise;
    if (stored.kind !== "matrix" && value !== undefined && isStored(stored, fields, version))
      fields[stored.name] = value;
  }
  return fields;
}

/** The first field that comes back as another value. */
function differing(back: Fields, today: Fields, forgotten: readonly string[]): string | undefined {
  const text = (value: FieldValue | undefined): string =>
    JSON.stringify(value, (_, item: unknown) =>
      typeof item === "number" || typeof item === "bigint" ? String(item) : item,
    );
  return Object.keys(today).find(
    (name) => !forgotten.includes(name) && text(back[name]) !== text(today[name]),
  );
}

/** Parameters that only inputs used which the older version does not have. */
function unusedParameters(model: ModelFile, written: ReadonlyMap<ModelNode, WrittenNode>): ModelNode[] {
  const names = (lists: Iterable<readonly string[]>): Set<string> =>
    new Set([...lists].flat().map((name) => name.toLowerCase()));
  const listed = names(Object.values(model.groups));
  const before = names(model.nodes.map(({ inputs }) => inputs));
  const after = names([...written.values()].map(({ inputs }) => inputs));
  return model.nodes.filter(({ name }) => {
    const key = name.toLowerCase();
    return before.has(key) && !after.has(key) && !listed.has(key);
  });
}
