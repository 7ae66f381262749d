import type { SparseDataRefusal, SparseUse } from "./not-implemented.js";
import type { Expression } from "../primitives/expression.js";
import type { AxisId, Kind, Operand } from "../primitives/instruction.js";
import type { Parameters, ReduceOperation } from "../primitives/parameters.js";
import type { AttributeDeclarations } from "./attributes.js";
import type { Assignment } from "./execution-graph.js";
import type { StoredLayout } from "./stored-fields.js";
import type { Attributes, DynamicAxis, NetworkNode, NodeFacts, SampleShape, Storage } from "./network.js";

export type { AttributeDeclaration, AttributeKind } from "./attributes.js";
export type { ReduceOperation };

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

/** Who decides whether a line of validation is printed. */
export type MessageWeight = "network" | "always" | "mathLibrary";

export interface ShapeContext<A = Attributes> {
  readonly node: NetworkNode;
  /** The node's attributes; in later passes already completed by an earlier pass. */
  readonly attributes: A;
  /** Live view: after `inferParameter` the entry shows the new shape. */
  readonly inputs: readonly ShapedInput[];
  /** In the final pass everything must be known and consistent: mismatches throw. */
  readonly isFinalPass: boolean;
  /** The dynamic axis of an input: the network's own (`*`), or that of the DynamicAxis its attribute names. */
  readonly inputAxis: DynamicAxis | null;
  /** The node's own dynamic axis, named after `base` (`WhereNodeAxis`, `WhereNodeAxis1`, …); the same in all passes. */
  newDynamicAxis(base: string): DynamicAxis;
  /** What the shape rule of another node of the network handed on as `details`, as far as it is known by now. */
  detailsOf(node: NetworkNode): unknown;
  /** CNTK's LearnableParameter::InferInputDimsFrom: fills unknown dimensions of parameter input `index` from `like`. */
  inferParameter(index: number, like: SampleShape): void;
  /** Sets the shape of parameter input `index` outright (legacy patches, weight shapes of convolutions). */
  setParameterShape(index: number, shape: SampleShape): void;
  /**
   * A line of the log (with its newline), printed above the node's `Validating` line (or in the final pass, which prints
   * no such lines): if the network's trace level is 1 or more, always, or if the trace level of CNTK's math library is.
   */
  message(text: string, weight?: MessageWeight): void;
}

export interface ShapeResult<D = unknown> {
  readonly shape: SampleShape;
  readonly dynamicAxis: DynamicAxis | null;
  readonly storage?: Storage;
  /** Completed attributes; absent = unchanged. */
  readonly attributes?: Attributes;
  /** What gradient and lowering go by (a window geometry, a permutation): worked out once, kept in the facts. */
  readonly details?: D;
}

/** Facts of an internal node that its maker knows. */
export interface InternalResult {
  readonly shape: SampleShape;
  readonly dynamicAxis: DynamicAxis | null;
  readonly storage?: Storage;
}

/** Dimensions under which an instruction sees its operands, where they are not the nodes' own (same element counts). */
export interface Views {
  readonly reads?: readonly (SampleShape | undefined)[];
  readonly writes?: SampleShape;
}

/** Makes internal nodes, born with shape and dynamic axis. Every method returns a new node. */
export interface GraphBuilder {
  facts(node: NetworkNode): NodeFacts;
  /** A node of any registered op; its shape comes from the op's shape rule. */
  apply(
    op: OpDefinition,
    inputs: readonly NetworkNode[],
    attributes?: Attributes,
    name?: string,
  ): NetworkNode;
  /** A node of the registered op of that name. */
  applyNamed(
    operation: string,
    inputs: readonly NetworkNode[],
    attributes?: Attributes,
    name?: string,
  ): NetworkNode;
  /** One instruction of any kind as a node. */
  primitive<K extends Kind>(
    kind: K,
    inputs: readonly NetworkNode[],
    parameters: Parameters[K],
    result: InternalResult,
    views?: Views,
    name?: string,
  ): NetworkNode;
  /** Elementwise expression over broadcast inputs; has a dynamic axis when one of the inputs has. */
  map(expression: Expression, inputs: readonly NetworkNode[], name?: string): NetworkNode;
  /** Sum (or other reduction) of `x` down to `shape`, and over the columns when `dynamicAxis` is null and x has one. */
  reduceTo(
    x: NetworkNode,
    shape: SampleShape,
    dynamicAxis: DynamicAxis | null,
    operation?: ReduceOperation,
    scale?: number,
  ): NetworkNode;
  /** The same elements under another shape (same count). */
  reshape(x: NetworkNode, shape: SampleShape): NetworkNode;
  /** `[1]`: the number of samples (gaps not counted), columns or sequences of x's dynamic axis. */
  count(x: NetworkNode, what: Parameters["count"]["what"]): NetworkNode;
  /** A state node that lives as long as the executable, e.g. a momentum buffer; starts at `initial`. */
  state(name: string, shape: SampleShape, initial?: number, storage?: Storage): NetworkNode;
  /**
   * A node whose value `attach` supplies later: what a cycle through delay nodes needs. It has the facts of `like`.
   */
  later(name: string, like: NetworkNode): NetworkNode;
  attach(later: NetworkNode, value: NetworkNode): void;
}

export interface GradientContext<A = Attributes, D = unknown> {
  readonly node: NetworkNode;
  /** Completed attributes. */
  readonly attributes: A;
  readonly details: D;
  readonly inputs: readonly NetworkNode[];
  readonly companions: readonly NetworkNode[];
  /** Gradient of the criterion with respect to this node; same shape and dynamic axis as the node. */
  readonly outputGradient: NetworkNode;
  /** Is the gradient of input `index` asked for? */
  readonly wants: (index: number) => boolean;
  readonly build: GraphBuilder;
}

export interface CompanionContext<A = Attributes, D = unknown> {
  readonly node: NetworkNode;
  readonly attributes: A;
  readonly details: D;
  readonly mode: "training" | "inference";
  readonly build: GraphBuilder;
}

export interface Companions {
  readonly nodes: readonly NetworkNode[];
  /** State changes of the forward pass in training (running statistics). */
  readonly assignments?: readonly Assignment[];
}

/** A statistic of the whole training set, whose value is a state of the node's own name (role `precompute`). */
export interface Statistic {
  /** How it grows with a minibatch. */
  readonly accumulated: readonly Assignment[];
  /** Its value after the last minibatch, made of those states. */
  readonly value: NetworkNode;
}

export interface LoweringContext<A = Attributes, D = unknown> {
  readonly node: NetworkNode;
  readonly attributes: A;
  readonly details: D;
  /** Dense ones, but for the inputs that the op lists in `sparseInputs`. */
  readonly inputs: readonly Operand[];
  readonly companions: readonly Operand[];
  readonly output: Operand;
  readonly mode: "training" | "inference";
  readonly emit: <K extends Kind>(
    kind: K,
    reads: readonly Operand[],
    writes: Operand,
    parameters: Parameters[K],
  ) => void;
  /** A scratch buffer; with an axis it holds one value per column. */
  readonly temporary: (dims: SampleShape, axis: AxisId | null) => Operand;
  /** The buffer that keeps the last `frames` frames of `value` for the next minibatch. */
  readonly carried: (value: Operand, frames: number) => Operand;
}

/** An input as matrices see it. */
export interface DataInput {
  readonly node: NetworkNode;
  readonly shape: SampleShape;
  /** Of one sample. */
  readonly elements: number;
  readonly hasDynamicAxis: boolean;
}

/** What a node is computed for. */
export interface DataUse {
  readonly facts: NodeFacts | undefined;
  /** Are its inputs' gradients wanted as well? */
  readonly learns: boolean;
}

/** CNTK's sentence: about numbers of elements, or about what a code and a hint of its own tell. */
export type DataRefusal = string | { readonly code: string; readonly message: string; readonly hint: string };

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

/** A node of a validated network as a dump shows it: completed attributes and shapes. */
export interface DumpContext<A = Attributes> {
  readonly attributes: A;
  readonly inputs: readonly SampleShape[];
  readonly shape: SampleShape;
}

/** What a dump adds to a node's own line: the pieces that CNTK writes one by one, each after a blank. */
export interface DumpedText {
  readonly items: readonly string[];
  readonly evenWithoutMetadata?: boolean;
}

/**
 * One node type of CNTK: everything cntkts knows about it.
 *
 * To add one, write an entry into the family of src/ops where its like stand and put it on the list at the end of that file;
 * no other TypeScript changes. The entry says what it takes (`inputs`, `attributes`: BrainScript, model files, logs and the
 * documentation all read these), what comes out (`shape`), how it is computed (`lower`: primitives; or `expand`: other
 * nodes), what flows back (`gradient`: ordinary nodes, so that it needs no second lowering) and what is `stored`. A network
 * can name it by `new ComputationNode [ operation = 'Name' … ]`; a function in src/library gives it its BrainScript face.
 * Begin with `...notRunnable` (src/ops/declared.ts) if the value has to wait: everything but running works then. Gradient
 * cases in test/ops are demanded by the registry's test.
 *
 * `name` is CNTK's operation name as it stands in logs and model files.
 * `A` are its attributes, typed by their declarations, `D` what its shape rule hands on to gradient and lowering.
 */
export interface OpEntry<S extends AttributeDeclarations, A, D> {
  readonly name: string;
  /** Other names that BrainScript and model files accept. */
  readonly aliases?: readonly string[];
  readonly doc: string;
  /** CNTK file (or paper) that the rules follow. */
  readonly source: string;
  readonly inputs: readonly InputDeclaration[];
  /** Takes any number of inputs (the last declaration repeats). */
  readonly variadic?: boolean;
  readonly attributes: S;
  /** What a model file keeps of a node besides name and inputs: nothing, where an entry does not say. */
  readonly stored: StoredLayout;
  /** Made by cntkts only: cannot be instantiated from BrainScript or a model file. */
  readonly internal?: boolean;
  /**
   * What a leaf is: a `parameter` (its unknown dimensions are inferred, it is learned, initialized, saved), an `input`
   * (fed with each minibatch), a `state` of cntkts' own (a gradient, a momentum buffer). `precompute`: Mean, InvStdDev.
   */
  readonly role?: "parameter" | "input" | "state" | "precompute";
  /** Needs all time steps at once: cannot sit inside a recurrent loop (ComputationNode.h, ComputationNodeNonLooping). */
  readonly nonLooping?: boolean;
  /** False: the shape is known but the value cannot be computed yet; asking for it is refused. */
  readonly runnable?: boolean;
  /** A delay node: may close a cycle. Positive: it looks back in time, so that a loop through it runs forward. */
  readonly delay?: 1 | -1;
  /** Inputs whose lowering and gradient take sparse data as it is; all others see it written out. */
  readonly sparseInputs?: readonly number[];
  /**
   * What CNTK's CPU code says to an input that is sparse data; undefined: nothing. Where an entry does not say, tensors refuse
   * them (`refusedByTensors`).
   */
  readonly refusesSparse?: (use: SparseUse) => SparseDataRefusal | undefined;
  /** What CNTK's matrix library says to inputs whose shapes have passed; undefined: nothing. */
  readonly refusesData?: (inputs: readonly DataInput[], use: DataUse) => DataRefusal | undefined;
  /** Extra words of the `Validating` line's argument lists (RowRepeat, LegacyReshape). */
  validatingSuffix?(attributes: A): string;
  shape(context: ShapeContext<A>): ShapeResult<D>;
  /** What the dump of a node says besides name, operation, inputs and values (CNTK's DumpNodeInfo). */
  dumped?(context: DumpContext<A>): DumpedText;
  /** `none`: no gradient flows, silently. `error`: asking for one is CNTK's error. */
  readonly differentiable: "yes" | "none" | "error";
  /** CNTK's sentence where an input must not depend on what is differentiated; `index` counts the inputs from 0. */
  refusesGradient?(node: NetworkNode, index: number): string | undefined;
  /** Why the gradient is not the derivative, where CNTK's rule is not. */
  readonly gradientDiffers?: string;
  /**
   * One entry per input: the contribution to its gradient, or null where none flows. A contribution may have the
   * broadcast shape; the walker reduces it to the input's shape and, for inputs without a dynamic axis, over the columns.
   */
  readonly gradient?: (context: GradientContext<A, D>) => readonly (NetworkNode | null)[];
  companions?(context: CompanionContext<A, D>): Companions;
  /** Of role `precompute`: how the pass before training makes its value. */
  statistic?(context: CompanionContext<A, D>): Statistic;
  /**
   * The node written out as nodes of other ops, whose last one (returned) has its value. Value and gradient are then those
   * nodes' and the entry needs neither `lower` nor `gradient`.
   */
  readonly expand?: (context: CompanionContext<A, D>) => NetworkNode;
  /** Adding up the samples for the gradient of an input that has none, CNTK does not leave out what stands in gaps. */
  readonly countsGaps?: boolean;
  /**
   * Per input: its gradient is replaced by this node's contribution, whatever other consumers added before
   * (CNTK's transposed convolution and MaxUnpooling; a known bug that its numbers depend on).
   */
  overwritesGradient?(attributes: A): readonly boolean[];
  readonly lower?: (context: LoweringContext<A, D>) => void;
  /** Where it depends on attributes (the kind of pooling, of reduction), a function of them. */
  readonly memory: MemoryRule | ((attributes: A) => MemoryRule);
}

/** An entry whose types are forgotten: what the rest of the program sees. */
export type OpDefinition = OpEntry<AttributeDeclarations, Attributes, unknown>;
