import type { Span } from "../diagnostics/source.js";
import type { CallContext, RecordValue, Thunk } from "./values.js";

/** Names in the order of their definition, and where each one's value stands; of two definitions the later one counts. */
export type ScopeLayout = ReadonlyMap<string, number>;

/**
 * Names and their values, with the enclosing scope behind: the members of a record, or the parameters of a function
 * while it is applied. A record is its own scope, which is why its members see one another in any order. Layers make
 * scopes by the hundred thousand and use few of their names, so thunks are made when they are looked up.
 */
export class Scope implements RecordValue {
  readonly kind = "record";
  private readonly thunks: (Thunk | undefined)[] = [];

  constructor(
    readonly path: string,
    readonly parent: RecordValue | undefined,
    private readonly layout: ScopeLayout,
    /** Makes the thunk that stands at an index of the layout. */
    private readonly make: (index: number, name: string, scope: Scope) => Thunk,
    /** Where the record was written. */
    readonly span?: Span,
    /** For the parameters of a function: the call. */
    private readonly calledAt?: CallContext,
  ) {}

  get names(): readonly string[] {
    return [...this.layout.keys()];
  }

  own(name: string): Thunk | undefined {
    const index = this.layout.get(name);
    if (index === undefined) return undefined;
    return (this.thunks[index] ??= this.make(index, name, this));
  }

  lookup(name: string): Thunk | undefined {
    // A loop where possible: library code sits many scopes deep.
    let scope: Scope = this; // eslint-disable-line @typescript-eslint/no-this-alias
    for (;;) {
      const member = scope.own(name);
      if (member) return member;
      if (!(scope.parent instanceof Scope)) return scope.parent?.lookup(name);
      scope = scope.parent;
    }
  }

  /** All names that `lookup` can find, nearest first. */
  *visibleNames(): Iterable<string> {
    yield* this.layout.keys();
    if (this.parent instanceof Scope) yield* this.parent.visibleNames();
    else if (this.parent) yield* this.parent.names;
  }

  /** The calls that this scope is inside of, innermost first. */
  callChain(): Span[] {
    const chain: Span[] = [];
    let scope: RecordValue | undefined = this; // eslint-disable-line @typescript-eslint/no-this-alias
    while (scope instanceof Scope && chain.length < longestChain) {
      if (scope.calledAt) {
        chain.push(scope.calledAt.span);
        scope = scope.calledAt instanceof Step ? scope.calledAt.scope : undefined;
      } else {
        scope = scope.parent;
      }
    }
    return chain;
  }
}

/** The layout of a list of names. */
export function scopeLayout(names: readonly string[]): ScopeLayout {
  return new Map(names.map((name, index) => [name, index]));
}

/** Deep recursion is not told in full. */
const longestChain = 64;

/** A step of evaluation that knows its scope; the chain of calls is looked up only if somebody asks. */
export class Step implements CallContext {
  constructor(
    readonly span: Span,
    readonly path: string,
    readonly scope: Scope,
  ) {}

  get calls(): readonly Span[] {
    return this.scope.callChain();
  }
}
