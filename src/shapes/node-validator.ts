import { CntkError } from "../diagnostics/diagnostic.js";
import type {
  Attributes,
  DynamicAxis,
  NetworkNode,
  NodeFacts,
  SampleShape,
  Storage,
} from "../network/network.js";
import { formatShape } from "../network/network.js";
import type { MessageWeight, ShapeContext, ShapedInput, ShapeResult } from "../network/op-definition.js";
import type { CompileAxes } from "./compile-axes.js";
import { inferredShape } from "./infer-parameter.js";
import { parameterAttributes } from "../ops/inputs.js";
import { isRandomInitializer, wrongRanks } from "../numerics/initial-values.js";
import { initializationLine } from "./initialization-line.js";
import { checkShape } from "./size-limits.js";
import { Prototype } from "../network/prototype.js";

interface NodeState {
  /** Those of the inputs. */
  readonly inputs: NodeState[];
  shape: SampleShape;
  dynamicAxis: DynamicAxis | null;
  storage: Storage;
  needsGradient: boolean;
  attributes: Attributes;
  details?: unknown;
  visited: boolean;
}

export interface NodeValidatorOptions {
  readonly axes: CompileAxes;
  readonly elementType: "float" | "double";
  /** What an earlier compile found about some of the nodes. */
  readonly known?: ReadonlyMap<NetworkNode, NodeFacts>;
}

/** Keeps what is known of every node so far and applies the ops' shape rules to it, one node at a time. */
export class NodeValidator {
  private readonly states = new Map<NetworkNode, NodeState>();

  constructor(
    order: readonly NetworkNode[],
    private readonly options: NodeValidatorOptions,
    private readonly message: (text: string, weight: MessageWeight) => void,
  ) {
    for (const node of order) this.states.set(node, initialState(node, options));
    for (const [node, state] of this.states) {
      for (const input of node.inputs) state.inputs.push(this.current(input));
    }
  }

  current(node: NetworkNode): NodeState {
    const state = this.states.get(node);
    if (!state) throw new Error(`${node.name} is not part of the network under validation`);
    return state;
  }

  /** Have all of a node's inputs been looked at? */
  areInputsVisited(node: NetworkNode): boolean {
    return this.current(node).inputs.every(isVisited);
  }

  /** Has one of them? */
  isInputVisited(node: NetworkNode): boolean {
    return this.current(node).inputs.some(isVisited);
  }

  prototype(node: NetworkNode): Prototype {
    const state = this.current(node);
    return new Prototype(node, state.attributes, state, state.inputs);
  }

  facts(): Map<NetworkNode, NodeFacts> {
    return new Map(
      Array.from(
        this.states,
        ([node, { shape, dynamicAxis, storage, needsGradient, attributes, details }]) => [
          node,
          { shape, dynamicAxis, storage, needsGradient, attributes, details },
        ],
      ),
    );
  }

  /** Applies the shape rule; tells whether anything changed: shape, axis, need for a gradient, or an input's shape. */
  validate(node: NetworkNode, isFinalPass: boolean): boolean {
    const state = this.current(node);
    const { shape, dynamicAxis, needsGradient } = state;
    const shapesBefore = state.inputs.map((input) => input.shape);
    state.needsGradient ||= state.inputs.some((input) => input.needsGradient);

    const result = this.allowed(node, state, shapesBefore, isFinalPass);
    // A parameter's own rule knows its dimensions as written; inferred ones stay.
    if (!(node.op.role === "parameter" && state.visited)) state.shape = result.shape;
    state.dynamicAxis = result.dynamicAxis;
    state.storage = result.storage ?? "dense";
    state.attributes = result.attributes ?? state.attributes;
    state.details = result.details;
    state.visited = true;
    return (
      dynamicAxis !== state.dynamicAxis ||
      !sameShape(shape, state.shape) ||
      needsGradient !== state.needsGradient ||
      state.inputs.some((input, index) => !sameShape(shapesBefore[index] ?? [], input.shape))
    );
  }

  /** Where the rule refuses the node, its inputs are left as they were: CNTK shows them so. */
  private allowed(
    node: NetworkNode,
    state: NodeState,
    shapesBefore: readonly SampleShape[],
    isFinalPass: boolean,
  ): ShapeResult {
    try {
      const result = this.applyRule(node, state, isFinalPass);
      checkShape(node, result.shape);
      return result;
    } catch (error) {
      state.inputs.forEach((input, index) => (input.shape = shapesBefore[index] ?? []));
      throw error;
    }
  }

  private applyRule(node: NetworkNode, state: NodeState, isFinalPass: boolean): ShapeResult {
    const context = new NodeShapeContext(node, state, this, this.options, isFinalPass, this.message);
    try {
      return node.op.shape(context);
    } catch (error) {
      throw error instanceof CntkError ? this.withPlace(error, node) : error;
    }
  }

  /** Gives a parameter dimensions found by a consumer. */
  setParameterShape(node: NetworkNode, shape: SampleShape): void {
    const state = this.current(node);
    state.shape = shape;
    state.attributes = { ...state.attributes, shape };
  }

  /** Says which node failed, where it was written and what it was given, where the op's rule did not say so itself. */
  private withPlace(error: CntkError, node: NetworkNode): CntkError {
    const { diagnostic } = error;
    const given = node.inputs.map((input) => {
      const { shape, dynamicAxis } = this.current(input);
      return `${input.name} ${formatShape(shape, dynamicAxis)}`;
    });
    return new CntkError({
      ...diagnostic,
      span: diagnostic.span ?? node.origin,
      label: diagnostic.label ?? `${node.op.name} '${node.name}'`,
      calls: diagnostic.calls ?? node.calls?.map((span) => ({ span })),
      hint:
        diagnostic.hint ??
        (given.length > 0
          ? `node '${node.name}' (${node.op.name}) was given ${given.join(" and ")}`
          : undefined),
    });
  }
}

class NodeShapeContext implements ShapeContext {
  readonly attributes: Attributes;
  readonly inputs: readonly ShapedInput[];

  constructor(
    readonly node: NetworkNode,
    state: NodeState,
    private readonly validator: NodeValidator,
    private readonly options: NodeValidatorOptions,
    readonly isFinalPass: boolean,
    private readonly print: (text: string, weight: MessageWeight) => void,
  ) {
    this.attributes = state.attributes;
    this.inputs = node.inputs.map((input, index) => new LiveInput(input, state.inputs[index] as NodeState));
  }

  get inputAxis(): DynamicAxis | null {
    return this.options.axes.ofInput(this.node);
  }

  newDynamicAxis(base: string): DynamicAxis {
    return this.options.axes.of(this.node, base);
  }

  detailsOf(node: NetworkNode): unknown {
    return this.validator.current(node).details;
  }

  inferParameter(index: number, like: SampleShape): void {
    const input = this.node.inputs[index];
    if (input?.op.role !== "parameter") return;
    const shape = inferredShape(this.validator.current(input).shape, like);
    if (!shape) return;
    this.validator.setParameterShape(input, shape);
    this.print(
      `${describe(input)} operation: Tensor shape was inferred as ${formatShape(shape)}.\n`,
      "always",
    );
    const attributes = parameterAttributes(input);
    const wrong = isRandomInitializer(attributes.init) && wrongRanks({ ...attributes, shape });
    if (wrong) throw new CntkError({ code: "parameter-initialization", message: wrong });
    const line = initializationLine(input.name, attributes, shape, this.options.elementType);
    if (line) this.print(line, "network");
  }

  setParameterShape(index: number, shape: SampleShape): void {
    const input = this.node.inputs[index];
    if (input?.op.role === "parameter") this.validator.setParameterShape(input, shape);
  }

  message(text: string, weight: MessageWeight = "network"): void {
    this.print(text, weight);
  }
}

/** An input as seen at this moment: after inference it shows the new shape. */
class LiveInput implements ShapedInput {
  constructor(
    readonly node: NetworkNode,
    private readonly state: NodeState,
  ) {}

  get shape(): SampleShape {
    return this.state.shape;
  }

  get dynamicAxis(): DynamicAxis | null {
    return this.state.dynamicAxis;
  }

  get storage(): Storage {
    return this.state.storage;
  }

  get isParameter(): boolean {
    return this.node.op.role === "parameter";
  }

  get needsGradient(): boolean {
    return this.state.needsGradient;
  }
}

function isVisited({ visited }: NodeState): boolean {
  return visited;
}

/** CNTK's NodeDescription: `Node 'z.W' (LearnableParameter operation)`. */
function describe(node: NetworkNode): string {
  return `Node '${node.name}' (${node.op.name} operation)`;
}

function initialState(node: NetworkNode, { known: earlier, axes }: NodeValidatorOptions): NodeState {
  const known = earlier?.get(node);
  const attributes = known?.attributes ?? node.attributes;
  const isLeaf = node.inputs.length === 0;
  const rate = attributes["learningRateMultiplier"];
  return {
    inputs: [],
    shape: known?.shape ?? (isLeaf || node.op.delay ? writtenShape(attributes) : []),
    // Whatever an earlier compile found is forgotten.
    dynamicAxis: axes.initial(node),
    storage: known?.storage ?? "dense",
    needsGradient: typeof rate === "number" && rate > 0,
    attributes,
    visited: false,
  };
}

function writtenShape(attributes: Attributes): SampleShape {
  const shape = attributes["shape"];
  return Array.isArray(shape) ? (shape as number[]) : [];
}

function sameShape(a: SampleShape, b: SampleShape): boolean {
  return a === b || (a.length === b.length && a.every((dim, axis) => dim === b[axis]));
}
