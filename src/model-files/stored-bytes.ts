import type {
  FieldGroup,
  Fields,
  FieldValue,
  StoredField,
  StoredLayout,
  Whole,
} from "../network/stored-fields.js";
import { isStored } from "../network/stored-fields.js";
import type { ElementType } from "../numerics/values.js";
import type { ByteReader } from "./byte-reader.js";
import type { ByteWriter } from "./byte-writer.js";
import type { ModelMatrix } from "./model-file.js";
import { currentModelVersion } from "./model-file.js";

/** More records than this in a list of a node are not meant. */
const mostGroups = 1000;

export interface NodeContents {
  readonly fields: Fields;
  readonly values?: ModelMatrix;
}

/** The fields of a node, read as its op declares them and brought up to today's. Throws as ByteReader does. */
export function readFields(
  reader: ByteReader,
  { fields: declared, upgrade }: StoredLayout,
  version: number,
  elementType: ElementType,
): NodeContents {
  const fields: Record<string, FieldValue> = {};
  let values: ModelMatrix | undefined;
  for (const stored of declared) {
    if (!isStored(stored, fields, version)) {
      if (stored.otherwise !== undefined && stored.until === undefined && stored.when === undefined)
        fields[stored.name] = stored.otherwise;
      continue;
    }
    if (stored.kind === "matrix") values = reader.matrix(stored.name, elementType);
    else fields[stored.name] = readField(reader, stored, fields, version, elementType);
  }
  const upgraded = upgrade?.(fields, version) ?? fields;
  return { fields: currentOnly(upgraded, declared), ...(values && { values }) };
}

function readField(
  reader: ByteReader,
  stored: StoredField,
  before: Fields,
  version: number,
  elementType: ElementType,
): FieldValue {
  const { name, valid, takenBack, otherwise } = stored;
  const start = reader.position;
  const value = readValue(reader, stored, version, elementType);
  const isBeyond = typeof value === "bigint" && !stored.wide;
  if (!isBeyond && (valid === undefined || valid(value, before))) return value;
  if (!takenBack || otherwise === undefined) throw reader.broken(`${name} of a node`, start);
  reader.position = start;
  return otherwise;
}

function readValue(
  reader: ByteReader,
  stored: StoredField,
  version: number,
  elementType: ElementType,
): FieldValue {
  const { name, kind } = stored;
  switch (kind) {
    case "matrix":
      throw new Error("a matrix is not a field");
    case "groups":
      return readGroups(reader, stored, version);
    case "element":
      return reader.element(elementType, name);
    default:
      return reader[kind](name);
  }
}

function readGroups(
  reader: ByteReader,
  { name, fields = [], countedSince = 0 }: StoredField,
  version: number,
): FieldGroup[] {
  const at = reader.position;
  const count = version >= countedSince ? reader.signed4(`number of ${name}`) : 1;
  if (count < 0 || count > mostGroups) throw reader.broken(`number of ${name}`, at);
  return Array.from({ length: count }, () => {
    const group: Record<string, Whole> = {};
    for (const stored of fields) {
      const present = isStored(stored, group, version);
      const value = present ? readField(reader, stored, group, version, "double") : stored.otherwise;
      if (typeof value === "number" || typeof value === "bigint") group[stored.name] = value;
    }
    return group;
  });
}

/** Without what only older versions have, and with the values of fields that were not there. */
function currentOnly(fields: Fields, declared: readonly StoredField[]): Fields {
  const old = new Set(declared.filter(({ until }) => until !== undefined).map(({ name }) => name));
  const current = Object.fromEntries(Object.entries(fields).filter(([name]) => !old.has(name)));
  for (const { name, otherwise, when } of declared) {
    if (otherwise !== undefined && when !== undefined && !old.has(name)) current[name] ??= otherwise;
  }
  return current;
}

/** Writes the fields of a node in today's version. */
export function writeFields(
  writer: ByteWriter,
  { fields: declared }: StoredLayout,
  { fields, values }: NodeContents,
  elementType: ElementType,
): void {
  for (const stored of declared) {
    if (!isStored(stored, fields, currentModelVersion)) continue;
    if (stored.kind === "matrix") {
      if (values === undefined) throw new Error(`the node has no ${stored.name}`);
      writer.matrix(values);
      continue;
    }
    const value = fields[stored.name] ?? stored.otherwise;
    if (value === undefined) throw new Error(`the node has no field ${stored.name}`);
    writeField(writer, stored, elementType, value);
  }
}

/* The kind of a field says what its value is: readField and the ops' declarations keep them together. */
function writeField(
  writer: ByteWriter,
  { name, kind, fields = [] }: StoredField,
  elementType: ElementType,
  value: FieldValue,
): void {
  switch (kind) {
    case "matrix":
      throw new Error("a matrix is not a field");
    case "element":
      return writer.element(elementType, Number(value));
    case "unsigned8":
    case "signed8":
      return writer[kind](value as Whole);
    case "boolean":
      return writer.boolean(value === true);
    case "wideText":
    case "narrowText":
      if (typeof value !== "string") throw new Error(`${name} is no text`);
      return writer[kind](value);
    case "shape":
    case "legacyShape":
      return writer.shape(value as readonly number[]);
    case "sizes":
      return writer.sizes(value as readonly number[]);
    case "booleans":
      return writer.booleans(value as readonly boolean[]);
    case "groups": {
      const groups = value as readonly FieldGroup[];
      writer.signed4(groups.length);
      for (const group of groups)
        for (const stored of fields) writeField(writer, stored, "double", group[stored.name] ?? 0);
      return;
    }
    default:
      return writer[kind](Number(value));
  }
}
