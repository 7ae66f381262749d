import type { Attributes } from "./attributes.js";
import type { Span } from "../diagnostics/source.js";
import type { Values } from "../numerics/values.js";
import type { Storage } from "../primitives/instruction.js";
import type { OpDefinition } from "./op-definition.js";

export type { Attributes } from "./attributes.js";

export type { Storage };

/** Dimensions of one sample, first axis contiguous in memory (column-major), as CNTK prints them: `[28 x 28 x 1]`. */
export type SampleShape = readonly number[];

/** Axes of CNTK's tensors (TensorShape.h, SmallVector). */
export const mostAxes = 12;

/** Identity of a dynamic axis (CNTK's MBLayout): two nodes share an axis if and only if they share this object. */
export interface DynamicAxis {
  /** Name as printed: `*`, `*1`, `t2`. */
  readonly axisName: string;
}

export type NodeGroup = "feature" | "label" | "criterion" | "evaluation" | "output";

/** A node of the network. Plain data, no tensors. The builder renames nodes and attaches delayed inputs. */
export interface NetworkNode {
  /** CNTK's node name, e.g. `z.conv1.W`; unique in a network without regard to case. */
  name: string;
  readonly op: OpDefinition;
  inputs: NetworkNode[];
  attributes: Attributes;
  /** Groups asked for by `tag=`. */
  tags: Set<NodeGroup>;
  /** Where the node was written; absent for nodes of a model file and for gradients. */
  readonly origin?: Span;
  /** Where the node got another name than the one it was first given; two names are one node, and the last one counts. */
  renamed?: { readonly from: string; readonly span: Span };
  /** Chain of calls that led to the node, innermost first. */
  readonly calls?: readonly Span[];
  /** The model file that the node, or the one it is a copy of, was read from; absent for nodes that a text describes. */
  readonly modelFile?: string;
  /** Made by cntkts itself (a gradient, a dropout mask): never counted, printed or saved. */
  readonly internal?: boolean;
}

/** Values of a learnable parameter, column-major. */
export type ParameterValues = Values;

/** A member of a network's description that looks like a misspelt list of nodes. */
export interface MisspeltGroup {
  readonly name: string;
  readonly group: NodeGroup;
  /** What it should be called. */
  readonly meant: string;
  readonly span: Span;
}

export interface Network {
  /** All nodes in the order CNTK adds them. Internal nodes are not among them. */
  readonly nodes: NetworkNode[];
  readonly groups: Record<NodeGroup, NetworkNode[]>;
  /** Values that came with the network: of a model file. Parameters without an entry are initialized by their attributes. */
  readonly values: Map<NetworkNode, Values>;
  /** For messages about groups that are empty. */
  readonly misspelt?: readonly MisspeltGroup[];
  /** The network's own dynamic axis, where it was taken when the description began to make the network. */
  readonly defaultAxis?: DynamicAxis;
  /** What the compile of another network found about nodes that were taken over from it: their shapes stay. */
  readonly known?: ReadonlyMap<NetworkNode, NodeFacts>;
}

/** What the shape stage found out about a node. */
export interface NodeFacts {
  readonly shape: SampleShape;
  /** Dynamic axis, or null for a node without minibatch data (a parameter, a criterion that sums over samples). */
  readonly dynamicAxis: DynamicAxis | null;
  readonly needsGradient: boolean;
  readonly storage: Storage;
  /** Attributes completed by inference (kernel expanded to the input's rank, …); what a model file saves. */
  readonly attributes: Attributes;
  /** What the op's shape rule worked out for its gradient and lowering (a window geometry, a permutation); the op knows its type. */
  readonly details?: unknown;
}

export interface ShapedNetwork {
  readonly network: Network;
  readonly facts: ReadonlyMap<NetworkNode, NodeFacts>;
  /** Roots by name, code-point order. */
  readonly roots: readonly NetworkNode[];
  /** CNTK's global evaluation order. */
  readonly order: readonly NetworkNode[];
  /** The network's own dynamic axis, `*`, `*1`, …; a second compile keeps it. */
  readonly defaultAxis: DynamicAxis;
}

/** Number of elements of a sample; a rank-0 shape has one. */
export function elementCount(shape: SampleShape): number {
  return shape.reduce((product, dim) => product * dim, 1);
}

/** CNTK's printed form: `[28 x 28 x 1 x *]`. */
export function formatShape(shape: SampleShape, dynamicAxis?: DynamicAxis | null): string {
  // A sample without axes leaves the separator before the dynamic axis, as in CNTK.
  return `[${shape.join(" x ")}${dynamicAxis ? ` x ${dynamicAxis.axisName}` : ""}]`;
}
