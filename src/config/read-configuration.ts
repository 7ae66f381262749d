import type { Diagnostic } from "../diagnostics/diagnostic.js";
import type { FileAccess } from "../files/file-access.js";
import { assembleConfiguration, type Assembled } from "./assemble.js";
import { ConfigSection } from "./config-section.js";

/** A configuration as a whole: how its text came together, and its root section. */
export interface Configuration {
  readonly assembled: Assembled;
  readonly root: ConfigSection;
}

/**
 * Reads a configuration from command-line words (`configFile=a+b key=value …`). Mistakes in the root's text are
 * reported together; a file or folder that is missing throws.
 */
export function readConfiguration(
  args: readonly string[],
  files: FileAccess,
): { readonly result: Configuration; readonly diagnostics: readonly Diagnostic[] } {
  const assembled = assembleConfiguration(args, files);
  const { result: root, diagnostics } = ConfigSection.read(assembled.text, assembled.name);
  return { result: { assembled, root }, diagnostics };
}
