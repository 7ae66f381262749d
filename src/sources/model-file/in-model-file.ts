import { CntkError } from "../../diagnostics/diagnostic.js";

/**
 * Runs `work` on the network of a model file; an error about a node, which has no place in a text, says which file it is of:
 * in its message, or in its hint where the message goes into CNTK's log.
 */
export function inModelFile<T>(path: string, work: () => T, where: "message" | "hint" = "message"): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof CntkError)) throw error;
    const { diagnostic } = error;
    if (diagnostic.span || diagnostic.message.includes(path)) throw error;
    const { message, hint } = diagnostic;
    throw new CntkError(
      where === "message"
        ? { ...diagnostic, message: `${message.replace(/\.$/, "")} (model file '${path}')` }
        : {
            ...diagnostic,
            hint: `${hint === undefined ? "" : `${hint}; `}the network is that of the model file '${path}'`,
          },
    );
  }
}
