import { CntkError } from "../diagnostics/diagnostic.js";
import type { FileAccess } from "../files/file-access.js";
import type { TextInput } from "../readers/text-format/options.js";

/**
 * Streams of a text file as ctf2bin's header file lists them: `name alias dense|sparse dimension`, one a line, or the same
 * separated by commas, where the alias may be left out.
 * @throws CntkError `convert-option` with the entry.
 */
export function readStreams(
  files: FileAccess,
  text: string | undefined,
  header: string | undefined,
): TextInput[] {
  if ((text === undefined) === (header === undefined)) {
    throw new CntkError({
      code: "convert-option",
      message: "Say what streams the text file has, by --streams or by --header.",
      hint: "--streams 'features dense 784, labels dense 10'",
    });
  }
  const entries = (header === undefined ? (text ?? "").split(",") : files.readText(header).split(/\r?\n/))
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
  const inputs = entries.map(readStream);
  const names = new Set(inputs.map(({ alias }) => alias));
  if (inputs.length > 0 && names.size === inputs.length) return inputs;
  throw new CntkError({
    code: "convert-option",
    message:
      inputs.length === 0 ? "There are no streams." : "Two streams have the same name in the text file.",
    hint: header === undefined ? "--streams 'features dense 784, labels dense 10'" : header,
  });
}

function readStream(entry: string): TextInput {
  const words = entry.split(/\s+/);
  const [name = "", alias = ""] = words.length === 4 ? words : [words[0], words[0]];
  const [storage, size] = words.slice(-2);
  const dimension = Number(size);
  const isForm = storage === "dense" || storage === "sparse";
  if (
    words.length >= 3 &&
    words.length <= 4 &&
    isForm &&
    Number.isInteger(dimension) &&
    dimension > 0 &&
    dimension < 2 ** 31
  ) {
    return { name, alias, storage, dimension };
  }
  throw new CntkError({
    code: "convert-option",
    message: `'${entry}' is no stream.`,
    hint: "a stream is: NAME [ALIAS] dense|sparse DIMENSION",
  });
}
