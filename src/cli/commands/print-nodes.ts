import { loadModel, printNodes } from "../../index.js";
import type { Surroundings } from "../surroundings.js";

/** `cntkts print-nodes MODEL [--long]`: every node of a model file, one a line. */
export async function printNodesCommand(
  request: { readonly model: string; readonly long: boolean },
  { directory, output }: Surroundings,
): Promise<void> {
  const session = loadModel(request.model, { directory });
  output.write(printNodes(session.model, request.long, () => session.shaped));
}
