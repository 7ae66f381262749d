import { visualize } from "../../index.js";
import type { VisualizeInvocation } from "../arguments.js";
import type { Surroundings } from "../surroundings.js";

/** `cntkts visualize`: draws samples and prints where the picture and the text dump lie. */
export async function visualizeCommand(
  request: VisualizeInvocation & { readonly backend?: string },
  { directory, output }: Surroundings,
  signal: AbortSignal,
): Promise<void> {
  const { model, data, count, encoder, decoder, out, backend } = request;
  const { picture, text } = await visualize(model, {
    ...{ directory, data, count, encoder, decoder, out, signal },
    ...(backend === undefined ? {} : { backend }),
  });
  output.write(`picture: ${picture}\nvalues: ${text}\n`);
}
