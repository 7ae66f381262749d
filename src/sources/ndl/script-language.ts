import { CntkError } from "../../diagnostics/diagnostic.js";
import type { Span } from "../../diagnostics/source.js";
import { Script } from "./script.js";

/** More parts than any network that CNTK could build: what grows beyond it are macros that call each other ever more often. */
const mostNodes = 250_000;
/** Calls inside calls, and macros inside macros. */
const deepest = 500;

/** What the scripts of one command share: the macros, and how much they have grown. */
export class ScriptLanguage {
  /** The script that holds the macros: they are known everywhere, whichever script defines them. */
  readonly macros: Script;
  private nodes = 0;
  private depth = 0;

  /** `newName` names what the text leaves unnamed. */
  constructor(readonly newName: () => string) {
    this.macros = new Script(this);
  }

  /** Counts a part. Throws CntkError `script-too-large`. */
  countNode(span: Span): void {
    if (++this.nodes <= mostNodes) return;
    throw new CntkError({
      code: "script-too-large",
      message: `The network description grows beyond ${mostNodes} parts.`,
      span,
      hint: "a macro that calls others twice doubles at each level",
    });
  }

  /** Does something one level deeper. Throws CntkError `script-too-deep`. */
  deeper<T>(span: Span, action: () => T): T {
    if (++this.depth > deepest) {
      throw new CntkError({
        code: "script-too-deep",
        message: `The network description is nested more than ${deepest} levels deep.`,
        span,
      });
    }
    try {
      return action();
    } finally {
      this.depth--;
    }
  }
}
