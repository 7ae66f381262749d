import { CntkError } from "../../diagnostics/diagnostic.js";
import type { FileAccess } from "../../files/file-access.js";

/** A line of a script file: an utterance, and where its frames lie. */
export interface ScriptEntry {
  /** Up to the last dot of its name. */
  readonly key: string;
  /** The name as it stands there. */
  readonly name: string;
  /** The file with the frames. */
  readonly path: string;
  readonly firstFrame: number;
  /** −1 = the file's last one. */
  readonly lastFrame: number;
  /** 1-based. */
  readonly line: number;
}

/** More frames than any file has. */
const mostFrames = 2 ** 31;

/**
 * Reads a script file, one utterance a line: `key=file[first,last]`, frames counted from 0. `root` stands before every file
 * (`prefixPathInSCP`); without it a `...` is the script's own folder. Where a script is read to be written out again its lines
 * may be whole files.
 * @throws CntkError `htk-script` in CNTK's words, with the line.
 * Source: Source/Readers/HTKDeserializers/HTKFeaturesIO.h, parsedpath; ConfigHelper.cpp, AdjustUtterancePath.
 */
export function readScriptFile(
  files: FileAccess,
  path: string,
  root: string,
  allowsWholeFiles = false,
): ScriptEntry[] {
  if (!files.exists(path) || files.isDirectory(path)) {
    throw new CntkError({ code: "htk-script", message: `Failed to open input file: ${path}` });
  }
  const folder = /^(.*)[/\\][^/\\]+$/.exec(path)?.[1] ?? "";
  const lines = files.readText(path).split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.map((text, i) => {
    const fail = (message: string): never => {
      const hint = `line ${i + 1} of ${path}: ${JSON.stringify(text.slice(0, 120))}`;
      throw new CntkError({ code: "htk-script", message, hint });
    };
    const line = expanded(text.replace(/\r$/, ""), root, folder);
    const found = /^([^=]*)=([^[]*)(?:\[(.*))?$/.exec(line);
    const range = found?.[3];
    if (allowsWholeFiles && range === undefined && line !== "") {
      const [, name = line, file = line] = found ?? [];
      return {
        key: name.replace(/\.[^.]*$/, ""),
        name,
        path: file,
        firstFrame: 0,
        lastFrame: -1,
        line: i + 1,
      };
    }
    if (!found || range === undefined) {
      return fail("parsedpath: this mode requires an input script with start and end frames given");
    }
    const numbers = /^\s*(\d{1,10})\s*,\s*(\d{1,10})\s*\]?$/.exec(range);
    if (!numbers) return fail(`parsedpath: malformed path '${line}'`);
    const [firstFrame, lastFrame] = [Number(numbers[1]), Number(numbers[2])];
    const [, name = "", file = ""] = found;
    if (firstFrame > lastFrame) fail(`open: start frame ${firstFrame} > end frame ${lastFrame} in '${file}'`);
    if (lastFrame >= mostFrames || file === "") fail(`parsedpath: malformed path '${line}'`);
    return { key: name.replace(/\.[^.]*$/, ""), name, path: file, firstFrame, lastFrame, line: i + 1 };
  });
}

function expanded(line: string, root: string, folder: string): string {
  if (root !== "") {
    const at = line.indexOf("=") + 1;
    return line.slice(0, at) + root + line.slice(at);
  }
  const at = line.indexOf("...");
  return at < 0 ? line : line.slice(0, at) + folder + line.slice(at + 3);
}
