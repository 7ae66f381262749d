import type { Attributes } from "./attributes.js";

/*
 * What a model file keeps of a node, as data: an op declares its fields, `model-files/` reads and writes them. Nothing here
 * knows bytes, and nothing there knows an op by name.
 */

/** A whole number of 64 bits: a bigint only where a double cannot hold it. */
export type Whole = number | bigint;

/** One element of a list of small records, e.g. an axis of a Slice. */
export type FieldGroup = Readonly<Record<string, Whole>>;

/** A field of a node, as the format names it. */
export type FieldValue =
  Whole | boolean | string | readonly number[] | readonly boolean[] | readonly FieldGroup[];

export type Fields = Readonly<Record<string, FieldValue>>;

/**
 * Encodings. `element` has the node's precision; `legacyShape` also reads the image layout of old files; `matrix` is the one
 * matrix of a node; `groups` is a count and as many records.
 */
export type StoredKind =
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
  | "legacyShape"
  | "booleans"
  | "sizes"
  | "matrix"
  | "groups";

/** How a field and an attribute become one another. */
export interface StoredAttribute {
  /** Name of the attribute; that of the field if absent. */
  readonly attribute?: string;
  /** The attribute is the word at the field's place in this list, in any case; an unknown word counts as `otherwise`. */
  readonly words?: readonly string[];
  /** Other words for the same, and what they stand for. */
  readonly synonyms?: Readonly<Record<string, string>>;
  /** No attribute: this is what is written (the field is kept where a file says something else). */
  readonly constant?: FieldValue;
  /** The field of a node whose attributes do not tell it. */
  readonly derived?: (attributes: Attributes) => FieldValue;
}

export interface StoredOptions extends StoredAttribute {
  /** First version that has the field; default: all. */
  readonly since?: number;
  /** First version that does not have it any more. */
  readonly until?: number;
  /** The field is there only if this holds for those before it. */
  readonly when?: (before: Fields) => boolean;
  /** Values that can be; any other one is a broken file. */
  readonly valid?: (value: FieldValue, before: Fields) => boolean;
  /** A value that is not valid means that the field is not there at all: its bytes belong to what follows. */
  readonly takenBack?: boolean;
  /** The largest number of 64 bits means: no limit. As an attribute it is Infinity. */
  readonly unlimited?: true;
  /** A number of 64 bits that may be beyond 2^53; any other such number is a broken file. */
  readonly wide?: boolean;
  /** Value in files that lack the field, and for nodes whose attributes lack it. */
  readonly otherwise?: FieldValue;
  /** Of `groups`: the fields of one record, and the first version that counts them (before: exactly one). */
  readonly fields?: readonly StoredField[];
  readonly countedSince?: number;
}

export interface StoredField extends StoredOptions {
  readonly name: string;
  readonly kind: StoredKind;
}

/**
 * An input of a node that an older version wrote: one it had (if `convert` is given, a parameter whose values have become
 * others), or a parameter of one 0 that did not exist yet, named after the node.
 */
export type UpgradedInput =
  | { readonly name: string; readonly convert?: (value: number, fields: Fields) => number }
  | { readonly newParameter: string };

/** Everything a model file stores of an op's nodes. */
export interface StoredLayout {
  /** In the order of the file. Fields with `until` are gone after `upgrade`. */
  readonly fields: readonly StoredField[];
  /** Turns what an older version said into today's fields. */
  readonly upgrade?: (fields: Fields, version: number) => Fields;
  /** The inputs that a node of an older version has today. */
  readonly upgradeInputs?: (inputs: readonly string[], version: number) => readonly UpgradedInput[];
  /** The other way: the fields of an older version, as far as it can say the same. */
  readonly downgrade?: (fields: Fields, version: number) => Fields;
  /** Fields that an older version stores but no longer means when it is read. */
  readonly forgotten?: readonly string[];
  /** The inputs that a node had in an older version; `other` where it cannot have them. */
  readonly downgradeInputs?: (inputs: readonly string[], version: number) => readonly string[] | "other";
  /** Where attributes are not fields under other names: corrects what the fields' own rules gave. */
  readonly attributes?: (plain: Attributes, fields: Fields) => Attributes;
  readonly toFields?: (plain: Fields, attributes: Attributes) => Fields;
}

/** A field of that name and encoding. */
export function field(name: string, kind: StoredKind, options: StoredOptions = {}): StoredField {
  return { name, kind, ...options };
}

/** Does a file of that version have the field, the fields before it being known? */
export function isStored(
  { since = 0, until = Infinity, when }: StoredField,
  before: Fields,
  version: number,
): boolean {
  return version >= since && version < until && (when === undefined || when(before));
}

/** Attributes of a node from the fields that a file stores for it (upgraded to today's). */
export function attributesFromFields(layout: StoredLayout, fields: Fields): Attributes {
  const attributes: Record<string, unknown> = {};
  for (const stored of layout.fields) {
    if (stored.kind === "matrix" || stored.until !== undefined) continue;
    const { name, attribute = name, otherwise, constant } = stored;
    const value = fields[name] ?? otherwise;
    if (value === undefined || (constant !== undefined && sameValue(value, constant))) continue;
    attributes[attribute] = asAttribute(stored, value);
  }
  return layout.attributes?.(attributes, fields) ?? attributes;
}

/** The fields that a file stores for a node, from its attributes as the shape stage completed them. */
export function fieldsFromAttributes(
  layout: StoredLayout,
  attributes: Attributes,
): Record<string, FieldValue> {
  const fields: Record<string, FieldValue> = {};
  for (const stored of layout.fields) {
    if (stored.kind === "matrix" || stored.until !== undefined) continue;
    const { name, attribute = name, otherwise, constant, derived } = stored;
    const given = attributes[attribute];
    const value =
      given === undefined ? (constant ?? derived?.(attributes) ?? otherwise) : asField(stored, given);
    if (value !== undefined) fields[name] = value;
  }
  return { ...fields, ...layout.toFields?.(fields, attributes) };
}

const noLimit = 2n ** 64n - 1n;

function asAttribute({ words, unlimited }: StoredField, value: FieldValue): unknown {
  if (unlimited && typeof value === "bigint") return value === noLimit ? Infinity : Number(value);
  return words === undefined ? value : (words[Number(value)] ?? words[0]);
}

function asField(stored: StoredField, given: unknown): FieldValue {
  const { words, synonyms = {}, otherwise = 0, unlimited } = stored;
  if (unlimited && given === Infinity) return noLimit;
  if (words === undefined) return given as FieldValue;
  const wanted = String(given).toLowerCase();
  const word = synonyms[wanted] ?? wanted;
  const place = words.findIndex((candidate) => candidate.toLowerCase() === word.toLowerCase());
  return place < 0 ? otherwise : place;
}

function sameValue(a: FieldValue, b: FieldValue): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return a === b;
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
