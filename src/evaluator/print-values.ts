import { CntkError } from "../diagnostics/diagnostic.js";
import { renderPlace } from "../diagnostics/render.js";
import { formatValue } from "./format-value.js";
import type { FunctionValue, RecordValue, Thunk, Value } from "./values.js";

/**
 * The members of a record with their values, types and places, nested records and arrays included: what
 * `explain --stage values` shows. Members that nobody has used yet are evaluated now; one that fails shows its message.
 */
export function printValues(record: RecordValue): string {
  return members(record, "", new Set([record])).join("\n") + "\n";
}

function members(record: RecordValue, indentation: string, shown: Set<Value>): string[] {
  return record.names.flatMap((name) => {
    const thunk = record.own(name);
    return thunk ? entry(name, thunk, indentation, shown) : [];
  });
}

function entry(name: string, thunk: Thunk, indentation: string, shown: Set<Value>): string[] {
  const place = `    ${renderPlace(thunk.span)}`;
  const inner = `${indentation}  `;
  const value = valueOrError(thunk);
  if (value instanceof CntkError) return [`${indentation}${name} : error: ${value.message}${place}`];
  const { type, text } = describe(value);
  const [first = "", ...more] = text.split("\n");
  const lines = [
    `${indentation}${name} : ${type}${first === "" ? "" : ` = ${first}`}${place}`,
    ...more.map((line) => inner + line),
  ];
  if (typeof value !== "object" || (value.kind !== "record" && value.kind !== "array")) return lines;
  // A record may contain itself: lazily, that is no circle.
  if (shown.has(value)) return [`${indentation}${name} : ${type}, shown above${place}`];
  shown.add(value);
  if (value.kind === "record") return [...lines, ...members(value, inner, shown)];
  const elements = value.elements.flatMap((element, offset) =>
    entry(`[${value.first + offset}]`, element, inner, shown),
  );
  return [...lines, ...elements];
}

function valueOrError(thunk: Thunk): Value | CntkError {
  try {
    return thunk.force();
  } catch (error) {
    if (error instanceof CntkError) return error;
    throw error;
  }
}

function describe(value: Value): { readonly type: string; readonly text: string } {
  switch (typeof value) {
    case "number":
      return { type: "Number", text: formatValue(value) };
    case "boolean":
      return { type: "Bool", text: String(value) };
    case "string":
      return { type: "String", text: `'${value}'` };
  }
  switch (value.kind) {
    case "record":
      return { type: "Record", text: "" };
    case "array":
      return { type: `Array of ${value.elements.length}`, text: "" };
    case "function":
      return { type: `Function ${parameters(value)}`, text: "" };
    case "object":
      return { type: value.type, text: value.format?.() ?? "" };
  }
}

function parameters({ positional, named }: FunctionValue): string {
  return `(${[...positional, ...named.map((name) => `${name} = …`)].join(", ")})`;
}
