import { evaluatedAsJson, evaluatedAsText, loadModel } from "../../index.js";
import { writeWhole } from "../../files/file-access.js";
import { nodeFiles } from "../../node/index.js";
import type { EvalInvocation } from "../arguments.js";
import type { Surroundings } from "../surroundings.js";

/** `cntkts eval`: the values of one node, one sample a line, to standard output or into a file. */
export async function evalCommand(
  request: EvalInvocation & { readonly backend?: string },
  { directory, output }: Surroundings,
  signal: AbortSignal,
): Promise<void> {
  const files = nodeFiles(directory);
  const { backend } = request;
  const session = loadModel(request.model, { files, ...(backend === undefined ? {} : { backend }) });
  const evaluated = await session.evaluateFile([request.node], files, request.data, request.count, signal);
  const text = evaluated.map(request.format === "json" ? evaluatedAsJson : evaluatedAsText).join("");
  if (request.out === undefined) {
    output.write(text);
    return;
  }
  writeWhole(files, request.out, (file) => file.write(text));
}
