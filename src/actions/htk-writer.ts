import { outputOf } from "../backends/backend.js";
import type { ConfigSection } from "../config/config-section.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import { writeWhole } from "../files/file-access.js";
import type { Minibatch } from "../minibatch/index.js";
import type { NetworkNode } from "../network/network.js";
import type { Session } from "../session.js";
import type { Evaluator } from "../training/evaluator.js";

/** What a writer section says of a node. */
interface HtkOutput {
  readonly node: string;
  readonly dimension: number;
  /** A file that lists the files to write, one for each utterance. */
  readonly list: string;
}

const htkWriterNames = ["HTKMLFWriter", "Cntk.Reader.HTKMLF", "HTKMLFReader"];

/** Kind USER, and 10 ms between frames. */
const userKind = 9;
const period = 100000;
/** The header's number of bytes of a frame is a signed short. */
const largestFrame = 32767;

/**
 * Reads a `writer` section of type HTKMLFWriter; undefined where it is of another type.
 * @throws CntkError `write-type` in CNTK's words.
 * Source: Readers/HTKMLFReader/HTKMLFWriter.cpp, InitFromConfig.
 */
export function readHtkWriter(section: ConfigSection): readonly HtkOutput[] | undefined {
  if (!htkWriterNames.includes(section.string("writerType", "BinaryWriter"))) return undefined;
  const names = section.array("outputNodeNames", []);
  const refuse = (message: string, span = section.span): never => {
    throw new CntkError({ code: "write-type", message, span });
  };
  if (names.length === 0) refuse("writer needs at least one outputNodeName specified in config");
  return names.map((node) => {
    const output = section.section(node);
    if (!output.has("dim")) refuse("HTKMLFWriter::Init: writer need to specify dim of output", output.span);
    if (!output.has("file") && !output.has("scpFile")) {
      refuse("HTKMLFWriter::Init: writer needs to specify scpFile for output", output.span);
    }
    if (output.string("type", "Real") !== "Real") {
      refuse("HTKMLFWriter::Init: output type for writer output expected to be Real", output.span);
    }
    const list = output.string(output.has("file") ? "file" : "scpFile");
    return { node, dimension: output.size("dim"), list };
  });
}

interface OpenOutput extends HtkOutput {
  readonly found: NetworkNode;
  readonly paths: readonly string[];
}

/**
 * Writes values of nodes as HTK files, one for each minibatch, which is an utterance: big-endian floats of kind USER.
 * Source: Readers/HTKMLFReader/HTKMLFWriter.cpp, SaveData and Save; The HTK Book, section 5.10.1.
 */
export class HtkWriter {
  private readonly outputs: readonly OpenOutput[];
  private written = 0;

  /** @throws CntkError `write-type`, `file-missing`. */
  constructor(
    private readonly session: Pick<Session, "files" | "log">,
    nodes: readonly NetworkNode[],
    outputs: readonly HtkOutput[],
  ) {
    const { files, log } = session;
    this.outputs = nodes.map((found) => {
      const output = outputs.find(({ node }) => node.toLowerCase() === found.name.toLowerCase());
      if (!output) {
        throw new CntkError({
          code: "write-type",
          message: `The writer section says nothing of the node '${found.name}'.`,
          hint: `${found.name} = [ dim = … ; scpFile = … ] in it, and the name in its outputNodeNames`,
        });
      }
      const paths = files
        .readText(output.list)
        .split(/\r?\n/)
        .filter((line) => line !== "");
      log.write(
        `HTKMLFWriter::Init: reading output script file ${output.list} ... ${paths.length} entries\n`,
      );
      return { ...output, found, paths };
    });
    const [first] = this.outputs;
    const other = this.outputs.find(({ paths }) => paths.length !== first?.paths.length);
    if (first && other) {
      throw new CntkError({
        code: "write-type",
        message: `HTKMLFWriter:Init: number of files in each scriptfile inconsistent (${first.paths.length} vs. ${other.paths.length})`,
      });
    }
  }

  async write(minibatch: Minibatch, evaluator: Evaluator): Promise<void> {
    const values = await evaluator.values(minibatch);
    for (const { found, paths, dimension, list } of this.outputs) {
      const value = outputOf(values, found.name);
      const columns = value.layout ? value.layout.rows * value.layout.steps : minibatch.columns;
      const path = paths[this.written];
      if (path === undefined) {
        throw new CntkError({
          code: "write-type",
          message: "index for output scp file out of range...",
          hint: `${list} names ${paths.length} files, and there are more minibatches`,
        });
      }
      if (value.values.length !== columns * dimension || 4 * dimension > largestFrame) {
        throw new CntkError({
          code: "write-type",
          message: `'${found.name}' has ${value.values.length / columns} elements a frame, the writer's dim says ${dimension}.`,
        });
      }
      this.save(path, value.values, columns, dimension);
    }
    this.written++;
  }

  /** Every file was whole when its minibatch was done. */
  finish(): void {
    return undefined;
  }

  abort(): void {
    return undefined;
  }

  private save(path: string, values: ArrayLike<number>, frames: number, dimension: number): void {
    const { files, log } = this.session;
    const strange = Array.from(values).filter((value) => !Number.isFinite(value)).length;
    if (strange > 0)
      log.write(`chunkeval: ${strange} NaNs or INF detected in '${path}' (${frames} frames)\n`);
    writeWhole(files, path, (file) => file.write(htkBytes(values, frames, dimension)));
    log.write(`evaluate: writing ${frames} frames of ${path}\n`);
  }
}

function htkBytes(values: ArrayLike<number>, frames: number, dimension: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(12 + 4 * values.length));
  view.setInt32(0, frames);
  view.setInt32(4, period);
  view.setInt16(8, 4 * dimension);
  view.setInt16(10, userKind);
  for (let i = 0; i < values.length; i++) view.setFloat32(12 + 4 * i, values[i] ?? 0);
  return new Uint8Array(view.buffer);
}
