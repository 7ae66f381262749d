import type { MappedText } from "../../config/index.js";
import type { EditableNetwork } from "../../network/editable-network.js";
import type { NetworkNode } from "../../network/network.js";
import type { Values } from "../../numerics/values.js";
import type { InlineDescription } from "./model-set.js";

/** What an editing script needs of the run. */
export interface EditingServices {
  newModel(): EditableNetwork;
  /** The model of a file. `legacyInputs`: inputs of the end of 2015, whose shapes were wrong, become vectors. */
  load(path: string, legacyInputs: boolean): EditableNetwork;
  /** Compiles a model and writes it. */
  save(network: EditableNetwork, path: string): void;
  /** Writes nodes as text, their values too if asked for. */
  dump(network: EditableNetwork, nodes: readonly NetworkNode[], includeValues: boolean, path: string): void;
  /** A matrix of a text file, column-major, of exactly that size. */
  readMatrix(path: string, rows: number, columns: number): Values;
  /** Begins a description in the network description language that adds to a model. */
  describe(network: EditableNetwork): InlineDescription;
  /** Everything of a network description: a text, or a file (and a section of it). */
  describeWhole(network: EditableNetwork, text: MappedText): void;
  describeFile(network: EditableNetwork, path: MappedText, section: string | undefined): void;
  log(text: string): void;
}
