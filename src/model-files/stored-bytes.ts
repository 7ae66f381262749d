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
import { type ByteReader, largestDimension } from "./byte-reader.js";
import type { ByteWriter } from "./byte-writer.js";
import type { ModelMatrix } from "./model-file.js";
import { currentModelVersion } from "./model-file.js";

/** More records than this in a list of a node are not meant. */
const mostGroups = 1000;

export interface NodeContents {
  readonly fields: Fields;
  readonly values?: ModelMatrix;
}

/** What a node says today, and what its file said. */
export interface ReadContents extends NodeContents {
  readonly written: Fields;
}

/** The fields of a node, read as its op declares them and brought up to today's. Throws as ByteReader does. */
export function readFields(
  reader: ByteReader,
  layout: StoredLayout,
  version: number,
  elementType: ElementType,
): ReadContents {
  const start = reader.position;
  const written: Record<string, FieldValue> = {};
  let values: ModelMatrix | undefined;
  for (const stored of layout.fields) {
    if (!isStored(stored, written, version)) continue;
    if (stored.kind === "matrix") values = reader.matrix(stored.name, elementType);
    else {
      const value = readField(reader, stored, written, version, elementType);
      if (value !== undefined) written[stored.name] = value;
    }
  }
  const fields = upgradedFields(layout, written, version);
  for (const { name, kind } of layout.fields)
    if ((kind === "shape" || kind === "legacyShape") && !isShape(fields[name]))
      throw reader.broken(`${name} of a node`, start);
  return { fields, written, ...(values && { values }) };
}

/** Are these dimensions as files have them, also those that old files keep in wider numbers? */
function isShape(value: FieldValue | undefined): boolean {
  return value === undefined || (value as readonly number[]).every((dim) => dim <= largestDimension);
}

/** Today's fields, from those that a file of some version holds. */
export function upgradedFields(
  { fields: declared, upgrade }: StoredLayout,
  written: Fields,
  version: number,
): Fields {
  const fields: Record<string, FieldValue> = {};
  for (const stored of declared) {
    const value = written[stored.name];
    if (value !== undefined) fields[stored.name] = stored.kind === "legacyShape" ? asShape(value) : value;
    else if (stored.takenBack && stored.otherwise !== undefined) fields[stored.name] = stored.otherwise;
    else if (!isStored(stored, fields, version) && stored.until === undefined && stored.when === undefined) {
      if (stored.otherwise !== undefined) fields[stored.name] = stored.otherwise;
    }
  }
  return currentOnly(upgrade?.(fields, version) ?? fields, declared);
}

/** An image layout of old files, which is kept as its file has it, as the shape that CNTK makes of it: channels first. */
function asShape(value: FieldValue): FieldValue {
  const [first] = Array.isArray(value) ? (value as readonly unknown[]) : [];
  if (typeof first !== "object") return value;
  const { width, height, channels } = first as FieldGroup;
  return [Number(channels), Number(width), Number(height)];
}

/** A field of a file; undefined where its bytes belong to what follows. */
function readField(
  reader: ByteReader,
  stored: StoredField,
  before: Fields,
  version: number,
  elementType: ElementType,
): FieldValue | undefined {
  const { name, valid, takenBack, otherwise } = stored;
  const start = reader.position;
  const value = readValue(reader, stored, version, elementType);
  const isBeyond = typeof value === "bigint" && !stored.wide;
  if (!isBeyond && (valid === undefined || valid(value, before))) return value;
  if (!takenBack || otherwise === undefined) throw reader.broken(`${name} of a node`, start);
  reader.position = start;
  return undefined;
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

/** Writes the fields of a node as a file of that version holds them. */
export function writeFields(
  writer: ByteWriter,
  { fields: declared }: StoredLayout,
  { fields, values }: NodeContents,
  elementType: ElementType,
  version = currentModelVersion,
): void {
  for (const stored of declared) {
    if (!isStored(stored, fields, version)) continue;
    if (stored.kind === "matrix") {
      if (values === undefined) throw new Error(`the node has no ${stored.name}`);
      writer.matrix(values);
      continue;
    }
    const value = fields[stored.name] ?? (version < currentModelVersion ? undefined : stored.otherwise);
    if (value === undefined && stored.takenBack) continue;
    if (value === undefined) throw new Error(`the node has no field ${stored.name}`);
    writeField(writer, stored, elementType, value, version);
  }
}

/* The kind of a field says what its value is: readField and the ops' declarations keep them together. */
function writeField(
  writer: ByteWriter,
  { name, kind, fields = [], countedSince = 0 }: StoredField,
  elementType: ElementType,
  value: FieldValue,
  version: number,
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
      return writer.shape(value as readonly number[]);
    case "legacyShape":
      return writer.legacyShape(value as readonly number[] | readonly FieldGroup[]);
    case "sizes":
      return writer.sizes(value as readonly number[]);
    case "booleans":
      return writer.booleans(value as readonly boolean[]);
    case "groups": {
      const groups = value as readonly FieldGroup[];
      if (version >= countedSince) writer.signed4(groups.length);
      for (const group of groups) {
        for (const stored of fields) {
          if (isStored(stored, group, version))
            writeField(writer, stored, "double", group[stored.name] ?? 0, version);
        }
      }
      return;
    }
    default:
      return writer[kind](Number(value));
  }
}
