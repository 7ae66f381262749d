import type { LoggedTraining } from "../log/training-curves.js";

/** What a page shows, as plain data: it is written into the page and read there. */
export interface ViewData {
  /** Name of the model's file. */
  readonly title: string;
  /** Of the program that made the page. */
  readonly producer: string;
  /** In the order of evaluation. */
  readonly nodes: readonly ViewNode[];
  /** The groups that nodes stand in; the first one is the whole network. */
  readonly groups: readonly ViewGroup[];
  /** Values of all nodes that have some of their own. */
  readonly parameters: readonly ViewParameter[];
  /** Why the shapes of computed nodes are not known, where they are not. */
  readonly shapesUnknown?: string;
  /** Of a log, if one was given. */
  readonly trainings: readonly LoggedTraining[];
}

/** What a node is to the network; decides its colour. */
export type NodeKind = "input" | "criterion" | "output" | "delay" | "learning" | "plain" | "parameter";

export interface ViewNode {
  readonly name: string;
  readonly operation: string;
  /** What the operation does, in a sentence. */
  readonly describe: string;
  readonly kind: NodeKind;
  /** As CNTK prints it: `[28 x 28 x 1 x *]`; empty where it is not known. */
  readonly shape: string;
  /** Indices of the inputs, in the order of the operation's arguments. */
  readonly inputs: readonly number[];
  /** Attributes that are not the operation's usual ones. */
  readonly attributes: readonly (readonly [name: string, value: string])[];
  /** `feature`, `label`, `criterion`, `evaluation`, `output`. */
  readonly lists: readonly string[];
  /** Index of its values, if it has some. */
  readonly parameter?: number;
}

/** Nodes whose names begin alike, or layers in a row of a network without such names. */
export interface ViewGroup {
  readonly label: string;
  /** Index of the group around it; of the first one none. */
  readonly parent?: number;
  /** Indices of nodes that stand in it directly. */
  readonly nodes: readonly number[];
  /** Opened when the page is. */
  readonly open: boolean;
}

/** Values of a parameter, or of a statistic of the training set. */
export interface ViewParameter {
  /** Index of its node. */
  readonly node: number;
  readonly shape: readonly number[];
  readonly learned: boolean;
  readonly statistics: ValueStatistics;
  readonly picture?: WeightPicture;
}

export interface ValueStatistics {
  readonly count: number;
  /** Values that are not finite are counted here and nowhere else. */
  readonly notFinite: number;
  readonly least: number;
  readonly largest: number;
  readonly mean: number;
  readonly deviation: number;
  /** How many values lie in each of equal intervals from the least to the largest. */
  readonly histogram: readonly number[];
}

/** Weights as tiles side by side: a tile for each kernel and channel, or the one of a matrix. */
export interface WeightPicture {
  /** What the tiles are, for the reader. */
  readonly caption: string;
  readonly width: number;
  readonly height: number;
  readonly columns: number;
  readonly rows: number;
  /** Values of a pixel: 3 where the channels are colours. */
  readonly channels: 1 | 3;
  /** Bytes in base64, tile after tile, row by row: 128 is zero, 1 and 255 are minus and plus `scale`. */
  readonly pixels: string;
  readonly scale: number;
}
