import { makeMnist } from "../../index.js";
import { nodeFiles } from "../../node/index.js";
import type { Surroundings } from "../surroundings.js";

/** `cntkts mnist DIR`: writes the text files that CNTK's MNIST examples read. */
export async function mnistCommand(
  request: { readonly directory: string; readonly from?: string },
  { directory, output }: Surroundings,
): Promise<void> {
  const { from } = request;
  const written = makeMnist(request.directory, {
    files: nodeFiles(directory),
    ...(from === undefined ? {} : { from }),
  });
  for (const { path, images, bytes } of written) output.write(`${path}: ${images} images, ${bytes} bytes\n`);
}
