import type { SeedCounter } from "../../network/seed-counter.js";
import type { ModelSource, NetworkCompiler } from "../loaded-models.js";

/** What the builder's classes and operators share while one network is built. */
export interface BuildSettings {
  readonly precision: "float" | "double";
  readonly deviceId: number;
  readonly traceLevel: number;
  readonly seeds: SeedCounter;
  /** The text of a file that a parameter is initialized from. Throws CntkError when it cannot be read. */
  readFile(path: string): string;
  /** Absent where there are no model files: every Load is an error. */
  readonly models?: ModelSource;
  /** Absent where nobody needs the shapes of networks inside the description. */
  readonly compiler?: NetworkCompiler;
  /** Takes a piece of the log, with its newline. */
  log(text: string): void;
}
