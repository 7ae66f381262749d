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

/** A node as a file of an older version has it. */
export interface WrittenNode {
  /** The operation by the name it had. */
  readonly operation: string;
  /** The text in front of the node that tells its precision, from version 7 on. */
  readonly precision: string;
  readonly fields: Fields;
  readonly inputs: readonly string[];
  readonly values?: ModelMatrix;
}

/** A list of nodes at the end of a file, between the markers B… and E…. */
export interface WrittenGroup {
  readonly begin: string;
  readonly end: string;
  readonly names: readonly string[];
}

/** What a file said before it was brought up to today's. */
export interface WrittenModel {
  readonly version: number;
  /** By the node that was made of it; nodes that today's version added are not there. */
  readonly nodes: ReadonlyMap<ModelNode, WrittenNode>;
  readonly groups: readonly WrittenGroup[];
}

/** A model file as plain data. */
export interface ModelFile {
  /** Version of the file it was read from; 26 is what is written. */
  readonly version: number;
  /** In the order of the file: by name, whatever the case. */
  readonly nodes: readonly ModelNode[];
  /** Names of the nodes of each group. */
  readonly groups: Readonly<Record<NodeGroup, readonly string[]>>;
  /** Of a file of an older version, so that it can be written as it was. */
  readonly written?: WrittenModel;
}

/** The version that CNTK 2.0 writes, and the newest that can be read. */
export const currentModelVersion = 26;
