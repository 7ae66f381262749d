import type { ElementType } from "../numerics/values.js";
import type { ByteReader } from "./byte-reader.js";
import type { ByteWriter } from "./byte-writer.js";
import type { FieldValue, ModelMatrix, Whole } from "./model-file.js";

/** The fields of a node while they are read or written. */
export type FieldRecord = Record<string, FieldValue>;

/** Encodings of single fields. */
type FieldKind =
  | "unsigned8"
  | "signed8"
  | "unsigned4"
  | "signed4"
  | "boolean"
  | "float4"
  | "float8"
  | "element"
  | "wideText"
  | "narrowText"
  | "shape"
  | "booleans"
  | "sizes"
  | "matrix";

/** A field, or a rule for several of them. */
export interface FieldRule {
  read(record: FieldRecord, reader: ByteReader, context: FieldContext): void;
  write(record: FieldRecord, writer: ByteWriter, context: FieldContext): void;
}

export interface FieldContext {
  readonly version: number;
  /** The node's precision. */
  readonly elementType: ElementType;
  /** Set by the one matrix a node may have. */
  matrix?: ModelMatrix | undefined;
}

interface FieldOptions {
  /** First version that has the field. */
  readonly since?: number;
  /** Value for files of earlier versions. */
  readonly otherwise?: FieldValue;
}

const everyVersion = { since: 0 };

/** A field of that name and encoding; in files before `since` it has the value `otherwise`, or does not exist. */
export function field(
  name: string,
  kind: FieldKind,
  { since, otherwise }: FieldOptions = everyVersion,
): FieldRule {
  return {
    read(record, reader, context) {
      if (context.version >= (since ?? 0)) {
        if (kind === "matrix") context.matrix = reader.matrix(name, context.elementType);
        else record[name] = readField(reader, kind, context.elementType, name);
      } else if (otherwise !== undefined) record[name] = otherwise;
    },
    write(record, writer, context) {
      if (kind === "matrix") {
        if (context.matrix === undefined) throw new Error(`the node has no ${name}`);
        writer.matrix(context.matrix);
      } else {
        const value = record[name] ?? otherwise;
        if (value === undefined) throw new Error(`the node has no field ${name}`);
        writeField(writer, kind, context.elementType, value);
      }
    },
  };
}

function readField(
  reader: ByteReader,
  kind: Exclude<FieldKind, "matrix">,
  elementType: ElementType,
  name: string,
): FieldValue {
  switch (kind) {
    case "element":
      return reader.element(elementType, name);
    case "unsigned8":
      return reader.unsigned8(name);
    case "signed8":
      return reader.signed8(name);
    default:
      return reader[kind](name);
  }
}

function writeField(
  writer: ByteWriter,
  kind: Exclude<FieldKind, "matrix">,
  elementType: ElementType,
  value: FieldValue,
): void {
  switch (kind) {
    case "element":
      return writer.element(elementType, value as number);
    case "unsigned8":
    case "signed8":
      return writer[kind](value as Whole);
    case "boolean":
      return writer.boolean(value as boolean);
    case "wideText":
    case "narrowText":
      return writer[kind](value as string);
    case "shape":
    case "sizes":
      return writer[kind](value as readonly number[]);
    case "booleans":
      return writer.booleans(value as readonly boolean[]);
    default:
      return writer[kind](value as number);
  }
}
