import type { Span } from "../diagnostics/source.js";
import type { Answer } from "./machine.js";

/**
 * Values of BrainScript. Numbers, booleans and strings are JavaScript's own; the rest is tagged by `kind`.
 * There is no conversion between kinds anywhere in the language.
 */
export type Value = number | boolean | string | ArrayValue | RecordValue | FunctionValue | ObjectValue;

/** A value that is computed when first asked for, once; asking again while it is being computed is an error. */
export interface Thunk {
  /** Computes the value if need be. Throws CntkError (`circular reference …` among others). Not for work inside of work. */
  force(): Value;
  /** The value if it is there, or what computes it: how one computation asks for the value of another. */
  ask(): Answer;
  /** Where the expression was written. */
  readonly span: Span;
  /** The expression path that names nodes created here, e.g. `z.conv1.W`. */
  readonly path: string;
}

export interface ArrayValue {
  readonly kind: "array";
  /** Index of the first element; `[i:1..3]` arrays begin at 1. */
  readonly first: number;
  readonly elements: readonly Thunk[];
}

export interface RecordValue {
  readonly kind: "record";
  readonly path: string;
  /** Names of the record's own members, in the order they were written. */
  readonly names: readonly string[];
  /** A member of this record only. */
  own(name: string): Thunk | undefined;
  /** A member of this record or of an enclosing scope (parameters of the enclosing functions included). */
  lookup(name: string): Thunk | undefined;
}

export interface FunctionValue {
  readonly kind: "function";
  readonly positional: readonly string[];
  readonly named: readonly string[];
  /** Applies the function. Missing or extra arguments throw, located at `at`. */
  call(positional: readonly Thunk[], named: ReadonlyMap<string, Thunk>, at: CallContext): Answer;
}

/** A value that the host (the network builder) supplies: a computation node, a network, a tensor shape. */
export interface ObjectValue {
  readonly kind: "object";
  /** Type shown in messages, e.g. `ComputationNode`. */
  readonly type: string;
  /** Member access `object.name`; undefined when there is no such member. */
  member?(name: string): Value | undefined;
  /** Names that `member` knows, for hints. */
  memberNames?(): readonly string[];
  /** Text for Print and Format. */
  format?(): string;
}

/** Where an evaluation step happens: its place in the text and the expression path. */
export interface CallContext {
  readonly span: Span;
  readonly path: string;
  /** Places of the function calls that led here, innermost first: library code names the user's line this way. */
  readonly calls?: readonly Span[];
}

// prettier-ignore
export type BinaryOperatorName =
  | "*" | "/" | ".*" | "**" | "%" | "+" | "-" | "with" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "&&" | "||" | "<<" | ">>";

/** A class for `new Name […]`. */
export interface NativeClass {
  readonly name: string;
  /**
   * True when paths restart inside the argument record (ComputationNetwork, ComputationNode): a member `m` of the record
   * then has path `m` instead of `p.m`.
   */
  readonly restartsPath?: boolean;
  /** Builds the object from its argument record; parameters are read with `args.lookup(name)`. */
  construct(args: RecordValue, context: CallContext): Answer;
}

/** What the evaluator is given from outside; without it BrainScript is a plain lazy language. */
export interface Host {
  readonly classes: ReadonlyMap<string, NativeClass>;
  /** Called when at least one operand is an ObjectValue and before the built-in rules; undefined = not applicable. */
  binary?(operator: BinaryOperatorName, left: Value, right: Value, context: CallContext): Value | undefined;
  unary?(operator: "+" | "-" | "!", operand: Value, context: CallContext): Value | undefined;
  /** `if` with an object as its condition. */
  conditional?(
    condition: ObjectValue,
    whenTrue: Value,
    whenFalse: Value,
    context: CallContext,
  ): Value | undefined;
  /** Full names that are known but not there yet: looking one up in vain says so. */
  readonly namesNotYet?: ReadonlySet<string>;
  /** Names of optional arguments that functions once had: what to write today. */
  readonly formerArguments?: ReadonlyMap<string, string>;
  /** What may be meant by a name that is unknown here. */
  readonly nameHint?: (name: string) => string | undefined;
  /** By the name of a function: what calls of it with the wrong arguments should be told. */
  readonly callHints?: ReadonlyMap<string, string>;
  /** By the name of a function that fails whatever it is given: what to write in its place. */
  readonly brokenFunctions?: ReadonlyMap<string, string>;
  /** Prints a line (Print); CNTK writes to stderr. */
  print(text: string): void;
}
