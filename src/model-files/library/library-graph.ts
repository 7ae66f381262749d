import { CntkError } from "../../diagnostics/diagnostic.js";
import type { LibraryArray, LibraryAxis, LibraryDictionary, LibraryValue } from "./dictionary.js";

/** An input, parameter, constant or placeholder of a function graph. */
export interface LibraryVariable {
  readonly uid: string;
  readonly name: string;
  readonly kind: "input" | "parameter" | "constant" | "placeholder";
  readonly isDouble: boolean;
  readonly isSparse: boolean;
  readonly needsGradient: boolean;
  readonly shape: readonly number[];
  readonly dynamicAxes: readonly LibraryAxis[];
  readonly value: LibraryArray | undefined;
}

/** A function: a primitive one by its number, a block of others, or one that its user defined. */
export interface LibraryFunction {
  readonly uid: string;
  readonly name: string;
  /** Undefined for a function that a user defined. */
  readonly op: number | undefined;
  /** Uids of variables and of functions' outputs. */
  readonly inputs: readonly string[];
  readonly attributes: LibraryDictionary;
  readonly block: LibraryBlock | undefined;
}

/** What a block consists of. */
export interface LibraryBlock {
  /** Uid of the function that its value comes from. */
  readonly root: string;
  /** Placeholders inside, and what they stand for outside. */
  readonly arguments: ReadonlyMap<string, string>;
}

/** A model of the library: a composite function. */
export interface LibraryGraph {
  /** Uid of the function that all others lead to. */
  readonly root: string;
  readonly variables: ReadonlyMap<string, LibraryVariable>;
  /** In an order in which every function stands behind those that it uses, but for loops. */
  readonly functions: ReadonlyMap<string, LibraryFunction>;
}

const kinds = ["input", "output", "parameter", "constant", "placeholder"] as const;

/** The function graph that a dictionary describes. Throws CntkError `model-file-broken` for one that does not. */
export function readGraph(file: LibraryDictionary, fileName: string): LibraryGraph {
  const fields = new Fields(file, fileName, "the file");
  const type = fields.text("type", "");
  if (type !== "CompositeFunction")
    throw fields.broken(`a model, not ${type === "" ? "other data" : `a ${type}`}`);
  const variables = fields.list("inputs").map((item) => readVariable(fields.inner(item, "an input")));
  const functions = fields
    .list("primitive_functions")
    .map((item) => readFunction(fields.inner(item, "a function")));
  return {
    root: fields.text("root"),
    variables: new Map(variables.map((variable) => [variable.uid, variable])),
    functions: new Map(functions.map((one) => [one.uid, one])),
  };
}

function readVariable(fields: Fields): LibraryVariable {
  const kind = kinds[fields.number("kind")];
  if (kind === undefined || kind === "output") throw fields.broken("a kind of variable");
  const value = fields.get("value");
  return {
    uid: fields.text("uid"),
    name: fields.text("name", ""),
    kind,
    isDouble: fields.number("data_type", 1) === 2,
    isSparse: fields.flag("is_sparse"),
    needsGradient: fields.flag("needs_gradient"),
    shape: shapeOf(fields.get("shape")) ?? [],
    dynamicAxes: fields.list("dynamic_axis", []).flatMap((item) => axisOf(item) ?? []),
    value: isKind(value, "array") ? value.array : undefined,
  };
}

function readFunction(fields: Fields): LibraryFunction {
  const type = fields.text("type");
  const isUserDefined = type === "UserDefinedFunction";
  if (type !== "PrimitiveFunction" && !isUserDefined) throw fields.broken("a function that is known");
  const attributes = fields.get("attributes");
  const op = isUserDefined ? undefined : fields.number("op");
  return {
    uid: fields.text("uid"),
    name: fields.text("name", ""),
    op,
    inputs: fields.list("inputs").map((item) => {
      // A user's function holds its inputs themselves in some files.
      if (isDictionary(item)) return fields.inner(item, "an input").text("uid");
      if (typeof item === "string") return item;
      throw fields.broken("the uid of an input");
    }),
    attributes: isDictionary(attributes) ? attributes : new Map(),
    block: op === blockOperation ? readBlock(fields) : undefined,
  };
}

/** The number of the operation that stands for several. */
export const blockOperation = 57;

function readBlock(fields: Fields): LibraryBlock {
  const composite = fields.inner(fields.get("block_function_composite"), "the functions of a block");
  const texts = (key: string): string[] =>
    fields.list(key, []).map((item) => {
      if (typeof item === "string") return item;
      throw fields.broken("the uid of an argument");
    });
  const inside = texts("block_function_composite_arguments_map_keys");
  const outside = texts("block_function_composite_arguments_map_values");
  return {
    root: composite.text("root"),
    arguments: new Map(inside.map((key, index) => [key, outside[index] ?? key])),
  };
}

/** The fields of a dictionary; what is not as it should be is a broken file. */
class Fields {
  constructor(
    private readonly content: LibraryDictionary,
    private readonly fileName: string,
    private readonly what: string,
  ) {}

  get(key: string): LibraryValue {
    return this.content.get(key);
  }

  text(key: string, fallback?: string): string {
    const found = this.content.get(key) ?? fallback;
    if (typeof found === "string") return found;
    throw this.broken(`'${key}', a text`);
  }

  number(key: string, fallback?: number): number {
    const found = this.content.get(key) ?? fallback;
    if (typeof found === "number") return found;
    throw this.broken(`'${key}', a number`);
  }

  flag(key: string): boolean {
    return this.content.get(key) === true;
  }

  list(key: string, fallback?: readonly LibraryValue[]): readonly LibraryValue[] {
    const found = this.content.get(key) ?? fallback;
    if (isList(found)) return found;
    throw this.broken(`'${key}', a list`);
  }

  inner(item: LibraryValue, what: string): Fields {
    if (!isDictionary(item)) throw this.broken(`${what}, a dictionary`);
    const name = item.get("name") ?? item.get("uid");
    return new Fields(item, this.fileName, typeof name === "string" ? `${what} '${name}'` : what);
  }

  broken(expected: string): CntkError {
    return new CntkError({
      code: "model-file-broken",
      message: `The file '${this.fileName}' is broken: in ${this.what} there should be: ${expected}.`,
      hint: "models that Function.save of the library wrote can be read, also those inside its checkpoints",
    });
  }
}

export function isDictionary(value: LibraryValue): value is LibraryDictionary {
  return value instanceof Map;
}

export function isList(value: LibraryValue): value is readonly LibraryValue[] {
  return Array.isArray(value);
}

type Kinds = Extract<LibraryValue, { readonly kind: string }>;

function isKind<K extends Kinds["kind"]>(value: LibraryValue, kind: K): value is Extract<Kinds, { kind: K }> {
  return typeof value === "object" && "kind" in value && value.kind === kind;
}

export function shapeOf(value: LibraryValue): readonly number[] | undefined {
  return isKind(value, "shape") ? value.shape.dims : undefined;
}

export function axisOf(value: LibraryValue): LibraryAxis | undefined {
  return isKind(value, "axis") ? value.axis : undefined;
}
