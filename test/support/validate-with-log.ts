import type { Network } from "../../src/network/network.js";
import { validateNetwork, type ValidatedNetwork, type ValidationOptions } from "../../src/shapes/index.js";

/** Validates a network and keeps what is printed: CNTK's `Post-processing network...` block. */
export function validateWithLog(
  network: Network,
  options: ValidationOptions,
): ValidatedNetwork & { readonly log: string } {
  let log = "";
  const validated = validateNetwork(network, { ...options, sink: { write: (text) => void (log += text) } });
  return { ...validated, log };
}
