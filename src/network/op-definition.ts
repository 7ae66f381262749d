import type { Expression } from "../primitives/expression.js";
import type { Instruction, Operand } from "../primitives/instruction.js";
import type {
  Attributes,
  Assignment,
  DynamicAxis,
  NetworkNode,
  NodeFacts,
  SampleShape,
  Storage,
} from "./network.js";

/** How an attribute is read from BrainScript and printed. */
export type AttributeKind = "number" | "integer" | "boolean" | "string" | "shape" | "booleans";

export interface AttributeDeclaration {
  readonly kind: AttributeKind;
  readonly doc: string;
  /** Name of the member in BrainScript's `new ComputationNode [ … ]` record when it differs from the attribute's name. */
  readonly member?: string;
  /** Value when the member is absent; without it the member is required. */
  readonly default?: unknown;
}

export interface InputDeclaration {
  readonly name: string;
  readonly doc: string;
  readonly optional?: boolean;
}

/** An input as the shape rule sees it: the current facts, which inference of a parameter may change. */
export interface ShapedInput {
  readonly node: NetworkNode;
  readonly shape: SampleShape;
  readonly dynamicAxis: DynamicAxis | null;
  readonly storage: Storage;
  /** A LearnableParameter, whose unknown dimensions may be inferred. */
  readonly isParameter: boolean;
  readonly needsGradient: boolean;
}

export interface ShapeContext {
  readonly node: NetworkNode;
  /** The node's attributes; in later passes already completed by an earlier pass. */
  readonly attributes: Attributes;
  /** Live view: after `inferParameter` the entry shows the new shape. */
  readonly inputs: readonly ShapedInput[];
  /** In the final pass everything must be known and consistent: mismatches throw. */
  readonly isFinalPass: boolean;
  /** The dynamic axis of an input: the network's own (`*`), or that of the DynamicAxis its attribute names. */
  readonly inputAxis: DynamicAxis;
  /** The node's own dynamic axis, named after `base` (`WhereNodeAxis`, `WhereNodeAxis1`, …); the same in all passes. */
  newDynamicAxis(base: string): DynamicAxis;
  /** CNTK's LearnableParameter::InferInputDimsFrom: fills unknown dimensions of parameter input `index` from `like`. */
  inferParameter(index: number, like: SampleShape): void;
  /** Sets the shape of parameter input `index` outright (legacy patches, weight shapes of convolutions). */
  setParameterShape(index: number, shape: SampleShape): void;
  /**
   * A line of the log (with its newline), printed above the node's `Validating` line (or in the final pass, which prints
   * no such lines). Only at trace level 1 or more, unless `always`.
   */
  message(text: string, always?: boolean): void;
}

export interface ShapeResult {
  readonly shape: SampleShape;
  readonly dynamicAxis: DynamicAxis | null;
  readonly storage?: Storage;
  /** Completed attributes; absent = unchanged. */
  readonly attributes?: Attributes;
}

/** Makes internal nodes, born with shape and dynamicAxis. Every method returns a new node. */
export interface GraphBuilder {
  facts(node: NetworkNode): NodeFacts;
  /** An internal node of any registered op; its shape comes from the op's shape rule. */
  apply(
    op: OpDefinition,
    inputs: readonly NetworkNode[],
    attributes?: Attributes,
    name?: string,
  ): NetworkNode;
  /** Elementwise expression over broadcast inputs; has a dynamic axis when one of the inputs has. */
  map(expression: Expression, inputs: readonly NetworkNode[], name?: string): NetworkNode;
  /** Sum (or other reduction) of `x` down to `shape`, and over the samples when `dynamicAxis` is null and x has one. */
  reduceTo(
    x: NetworkNode,
    shape: SampleShape,
    dynamicAxis: DynamicAxis | null,
    operation?: ReduceOperation,
    scale?: number,
  ): NetworkNode;
  /** The same elements under another shape (same count). */
  reshape(x: NetworkNode, shape: SampleShape): NetworkNode;
  /** A state node that lives as long as the executable, e.g. a momentum buffer; starts at `initial`. */
  state(name: string, shape: SampleShape, initial?: number): NetworkNode;
}

export type ReduceOperation = "sum" | "max" | "min" | "product" | "logSum" | "argmax" | "argmin";

export interface GradientContext {
  readonly node: NetworkNode;
  /** Completed attributes. */
  readonly attributes: Attributes;
  readonly inputs: readonly NetworkNode[];
  readonly companions: readonly NetworkNode[];
  /** Gradient of the criterion with respect to this node; same shape and dynamicAxis as the node. */
  readonly outputGradient: NetworkNode;
  /** Is the gradient of input `index` asked for? */
  wants(index: number): boolean;
  readonly build: GraphBuilder;
}

export interface CompanionContext {
  readonly node: NetworkNode;
  readonly attributes: Attributes;
  readonly mode: "training" | "inference";
  readonly build: GraphBuilder;
}

export interface Companions {
  readonly nodes: readonly NetworkNode[];
  /** State changes of the forward pass in training (running statistics). */
  readonly assignments?: readonly Assignment[];
}

export interface LoweringContext {
  readonly node: NetworkNode;
  readonly attributes: Attributes;
  readonly inputs: readonly Operand[];
  readonly companions: readonly Operand[];
  readonly output: Operand;
  readonly mode: "training" | "inference";
  emit(instruction: Instruction): void;
  /** A scratch buffer; `perSample` gives it one value per sample. */
  temporary(dims: SampleShape, perSample: boolean): Operand;
}

/** A scratch matrix as CNTK's memory pool sees it. */
export interface Temporary {
  /** Elements: 0 or 1, or as many as the node's output has. */
  readonly size: 0 | 1 | "output";
  /** Grows with the minibatch if the node's output (or its first input) does; absent = never. */
  readonly scaled?: "output" | "input";
  /** Workspaces form a pool of their own and never share memory with values. */
  readonly workspace?: boolean;
}

/** Which values a node's backward pass reads, and its scratch matrices: decides CNTK's memory-sharing list. */
export interface MemoryRule {
  readonly usesOutput: boolean;
  /** `first` = only the first input; numbers = those, counted from 0. */
  readonly usesInputs: "none" | "all" | "first" | readonly number[];
  /** A number stands for that many temporaries of size 0. */
  readonly forwardTemporaries?: number | readonly Temporary[];
  readonly backwardTemporaries?: number | readonly Temporary[];
  /** Forward temporaries are released after the forward step. */
  readonly releasedForward?: boolean;
  /** The value has a matrix of its own and never takes part in sharing (parameters, inputs, delayed values). */
  readonly ownMatrix?: boolean;
}

/**
 * One node type of CNTK: everything cntkts knows about it.
 * `name` is CNTK's operation name as it stands in logs and model files.
 */
export interface OpDefinition {
  readonly name: string;
  /** Other names that BrainScript and model files accept. */
  readonly aliases?: readonly string[];
  readonly doc: string;
  /** CNTK file (or paper) that the rules follow. */
  readonly source: string;
  readonly inputs: readonly InputDeclaration[];
  /** Takes any number of inputs (the last declaration repeats). */
  readonly variadic?: boolean;
  readonly attributes: Readonly<Record<string, AttributeDeclaration>>;
  /** Made by cntkts only: cannot be instantiated from BrainScript or a model file. */
  readonly internal?: boolean;
  /**
   * What a leaf is: a `parameter` (its unknown dimensions are inferred, it is learned, initialized, saved), an `input`
   * (fed with each minibatch), a `state` of cntkts' own (a gradient, a momentum buffer). `precompute`: Mean, InvStdDev.
   */
  readonly role?: "parameter" | "input" | "state" | "precompute";
  /** Cannot sit inside a recurrent loop. */
  readonly nonLooping?: boolean;
  /** False: the shape is known but the value cannot be computed yet; asking for it is refused. */
  readonly runnable?: boolean;
  /** A delay node: may close a cycle. */
  readonly delay?: boolean;
  /** Extra words of the `Validating` line's argument lists (RowRepeat, LegacyReshape). */
  validatingSuffix?(attributes: Attributes): string;
  shape(context: ShapeContext): ShapeResult;
  /** `none`: no gradient flows, silently. `error`: asking for one is CNTK's error. */
  readonly differentiable: "yes" | "none" | "error";
  /** Why the gradient is not the derivative, where CNTK's rule is not. */
  readonly gradientDiffers?: string;
  /**
   * One entry per input: the contribution to its gradient, or null where none flows. A contribution may have the
   * broadcast shape; the walker reduces it to the input's shape and, for inputs without a dynamicAxis, over the samples.
   */
  gradient?(context: GradientContext): readonly (NetworkNode | null)[];
  companions?(context: CompanionContext): Companions;
  /**
   * Per input: its gradient is replaced by this node's contribution, whatever other consumers added before
   * (CNTK's transposed convolution and MaxUnpooling; a known bug that its numbers depend on).
   */
  overwritesGradient?(attributes: Attributes): readonly boolean[];
  lower?(context: LoweringContext): void;
  /** Where it depends on attributes (the kind of pooling, of reduction), a function of them. */
  readonly memory: MemoryRule | ((attributes: Attributes) => MemoryRule);
}
