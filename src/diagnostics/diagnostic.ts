import type { Span } from "./source.js";

export type Level = "error" | "warning";

/** One step of the chain of calls that demanded a value, innermost first. */
export interface CallSite {
  readonly span: Span;
  /** What was going on there, e.g. `in the call of ConvolutionalLayer`. */
  readonly label?: string;
}

/** A fact for the user: what is wrong, where, and what to do about it. Plain data; `renderDiagnostic` words it. */
export interface Diagnostic {
  /** Stable identifier such as `unknown-identifier`. */
  readonly code: string;
  readonly level: Level;
  /** One sentence; CNTK's own where it has one. */
  readonly message: string;
  /** The place it happened at; absent for things without a text (a file that is missing). */
  readonly span?: Span;
  /** Short text beside the mark under the source line. */
  readonly label?: string;
  readonly calls?: readonly CallSite[];
  /**
   * The calls that the place is written inside of, innermost first. Values are lazy: who wrote what went wrong need not be
   * who asked for it.
   */
  readonly callers?: readonly Span[];
  /** The node whose value could not be computed, by name, as long as nobody knows its place. */
  readonly node?: string;
  /** What CNTK's log has of it, beside the message with which the run ends: a line, or several. */
  readonly logged?: string;
  /** What would help, e.g. `did you mean 'ReLU'?`. */
  readonly hint?: string;
  /** Further mistakes that were found with this one and do not follow from it. */
  readonly others?: readonly Diagnostic[];
}

/** The one error class of cntkts: everything that goes wrong because of what a user gave. */
export class CntkError extends Error {
  readonly diagnostic: Diagnostic;

  constructor(diagnostic: Omit<Diagnostic, "level"> & { level?: Level }) {
    super(diagnostic.message);
    this.name = "CntkError";
    this.diagnostic = { level: "error", ...diagnostic };
  }

  /** The first of several mistakes, with the others in its wake. */
  static ofAll([first, ...others]: readonly [Diagnostic, ...Diagnostic[]]): CntkError {
    return new CntkError(others.length === 0 ? first : { ...first, others });
  }

  /** Stable identifier for programs. */
  get code(): string {
    return this.diagnostic.code;
  }
}
