/** Attributes as plain data; keys and types are declared by the node's op. */
export type Attributes = Readonly<Record<string, unknown>>;

/** The type behind each kind of attribute. */
export interface AttributeTypes {
  number: number;
  integer: number;
  /** A whole number; a model file may hold several. */
  integers: number | readonly number[];
  boolean: boolean;
  string: string;
  /** Dimensions; also any list of whole numbers. */
  shape: readonly number[];
  booleans: readonly boolean[];
}

/** How an attribute is read from BrainScript and printed. */
export type AttributeKind = keyof AttributeTypes;

export interface AttributeDeclaration {
  readonly kind: AttributeKind;
  readonly doc: string;
  /** Name of the member in BrainScript's `new ComputationNode [ … ]` record when it differs from the attribute's name. */
  readonly member?: string;
  /** The member is one of a record's own that is itself a member, under this name. */
  readonly within?: string;
  /** Value when the member is absent; without it the member is required. */
  readonly default?: unknown;
  /** A whole number from 0 in scripts, whatever files hold. */
  readonly natural?: true;
  /** Not asked of scripts: the op's own rules find it out, so it may be undefined. */
  readonly computed?: true;
}

export type AttributeDeclarations = Readonly<Record<string, AttributeDeclaration>>;

/** The attributes of a node, typed by their declarations. */
export type AttributesOf<S extends AttributeDeclarations> = {
  readonly [N in keyof S]:
    AttributeTypes[S[N]["kind"]] | (S[N] extends { readonly computed: true } ? undefined : never);
};

/** Is a value what an attribute of that kind may be? */
export const isOfKind: { readonly [K in AttributeKind]: (value: unknown) => value is AttributeTypes[K] } = {
  number: (value) => typeof value === "number",
  integer: (value) => typeof value === "number",
  integers: (value): value is number | readonly number[] =>
    typeof value === "number" || isListOf(value, "number"),
  boolean: (value) => typeof value === "boolean",
  string: (value) => typeof value === "string",
  shape: (value): value is readonly number[] => isListOf(value, "number"),
  booleans: (value): value is readonly boolean[] => isListOf(value, "boolean"),
};

function isListOf(value: unknown, type: "number" | "boolean"): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === type);
}

const declared = new WeakMap<AttributeDeclarations, readonly (readonly [string, AttributeDeclaration])[]>();

/** Declarations as a list; every node of an operation asks for it. */
export function declarationList(
  declarations: AttributeDeclarations,
): readonly (readonly [string, AttributeDeclaration])[] {
  let list = declared.get(declarations);
  if (!list) declared.set(declarations, (list = Object.entries(declarations)));
  return list;
}

/**
 * Completes attributes with their defaults and checks their kinds. `problem` makes the error for an attribute that is
 * missing or of another kind: in a network built by a script that cannot be, in a damaged model file it can.
 */
export function typedAttributes<S extends AttributeDeclarations>(
  declarations: S,
  attributes: Readonly<Record<string, unknown>>,
  problem: (name: string, kind: AttributeKind) => Error,
): AttributesOf<S> {
  let complete: Record<string, unknown> = attributes;
  for (const [name, { kind, default: otherwise, computed }] of declarationList(declarations)) {
    const given = complete[name];
    const value = given ?? otherwise;
    if (value !== given) {
      if (complete === attributes) complete = { ...attributes };
      complete[name] = value;
    }
    if (value === undefined && computed) continue;
    if (!isOfKind[kind](value)) throw problem(name, kind);
  }
  return complete as AttributesOf<S>;
}
