import type { NodeGroup } from "../network/network.js";
import type { Fields } from "../network/stored-fields.js";
import type { ElementType, Values } from "../numerics/values.js";

export type { FieldValue, Whole } from "../network/stored-fields.js";

/** A dense matrix, column-major. */
export interface ModelMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Values;
}

export interface ModelNode {
  readonly precision: ElementType;
  /** CNTK's operation name. */
  readonly operation: string;
  readonly name: string;
  /** Names of the inputs, in the order of the operation's arguments. */
  readonly inputs: readonly string[];
  readonly fields: Fields;
  /** Values of a LearnableParameter, Mean or InvStdDev. */
  readonly values?: ModelMatrix;
}

/** A model file as plain data. */
export interface ModelFile {
  /** Version of the file it was read from; 26 is what is written. */
  readonly version: number;
  /** In the order of the file: by name, whatever the case. */
  readonly nodes: readonly ModelNode[];
  /** Names of the nodes of each group. */
  readonly groups: Readonly<Record<NodeGroup, readonly string[]>>;
}

/** The version that CNTK 2.0 writes, and the newest that can be read. */
export const currentModelVersion = 26;
