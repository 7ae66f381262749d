import type { AttributesOf } from "../network/attributes.js";
import type { Assignment } from "../network/execution-graph.js";
import type { Attributes, NetworkNode, SampleShape } from "../network/network.js";
import { elementCount } from "../network/network.js";
import type {
  CompanionContext,
  Companions,
  GradientContext,
  GraphBuilder,
  LoweringContext,
  OpDefinition,
  ShapeContext,
  ShapeResult,
} from "../network/op-definition.js";
import {
  add,
  argument,
  binary,
  constant,
  divide,
  multiply,
  select,
  subtract,
  unary,
} from "../primitives/expression.js";
import type { Expression } from "../primitives/expression.js";
import { imageLayoutOf } from "./convolution-geometry.js";
import { at, defineOp, describe, formatDims, memoryInputs, shapeProblem } from "./define-op.js";
import { emitMap, withDims } from "./lowering.js";
import { storedNormalization } from "./normalization-stored.js";
import { inferDynamicAxis } from "./shape-rules.js";
import { refusesInputs } from "./sparse-data.js";

/** Places of the inputs. */
const [data, scaleInput, biasInput, meanInput, varianceInput, countInput] = [0, 1, 2, 3, 4, 5] as const;
const statisticsInputs = [scaleInput, biasInput, meanInput, varianceInput] as const;

const declarations = {
  spatial: { kind: "boolean", doc: "One statistic per channel instead of per element." },
  normalizationTimeConstant: {
    kind: "number",
    doc: "Time constant of the running averages in samples; 0 = last minibatch only, infinity = frozen, negative = all data.",
  },
  blendTimeConstant: {
    kind: "number",
    doc: "How many samples the running averages weigh against the minibatch in normalizing; infinity = they alone.",
  },
  epsilon: { kind: "number", doc: "Added to variances." },
  useCntkEngine: {
    kind: "boolean",
    doc: "CNTK's own engine rather than cuDNN's; always so without a GPU.",
  },
  imageLayout: { kind: "string", doc: "CHW (cudnn) if spatial." },
  engine: { kind: "string", doc: "CNTK's engine, chosen in the first compile.", computed: true },
} as const;

type NormalizationAttributes = AttributesOf<typeof declarations>;

/** How the input is seen: `sample` with one statistic per entry of `statistics`, each over `positions` cells of a sample. */
interface StatisticsView {
  readonly sample: SampleShape;
  readonly statistics: SampleShape;
  readonly positions: number;
}

function statisticsView({ spatial }: { readonly spatial: boolean }, shape: SampleShape): StatisticsView {
  const count = elementCount(shape);
  if (!spatial) return { sample: [count], statistics: [count], positions: 1 };
  const channels = at(shape, shape.length - 1);
  const positions = count / channels;
  return { sample: [positions, channels], statistics: [1, channels], positions };
}

function batchNormalizationShape(context: ShapeContext<NormalizationAttributes>): ShapeResult {
  const { node, attributes, inputs, isFinalPass } = context;
  const dynamicAxis = inferDynamicAxis(context);
  const { shape } = at(inputs, data);
  const { spatial } = attributes;
  inputs.slice(meanInput).forEach((input) => {
    if (input.isParameter) return;
    throw shapeProblem(
      node,
      "not-a-parameter",
      `${describe(node)}: Inputs [${meanInput}..${inputs.length}] must be learnable parameters.`,
      `'${input.node.name}' is a ${input.node.op.name}; running statistics are updated in place`,
    );
  });
  for (const index of statisticsInputs) {
    const given = at(inputs, index).shape;
    if (given.length === 2 && given[0] === 0 && given[1] === 1 && elementCount(shape) > 0) {
      context.inferParameter(index, [spatial ? at(shape, shape.length - 1) : elementCount(shape), 1]);
    }
  }
  if (!isFinalPass) return { shape, dynamicAxis };
  checkParameters(context, statisticsView(attributes, shape));
  return { shape, dynamicAxis, attributes: chosenEngine(context) };
}

function checkParameters(context: ShapeContext<NormalizationAttributes>, view: StatisticsView): void {
  const { node, attributes, inputs } = context;
  const scaleShape = at(inputs, scaleInput).shape;
  for (const index of statisticsInputs) {
    const input = at(inputs, index);
    if (input.dynamicAxis) {
      throw shapeProblem(
        node,
        "unexpected-minibatch-data",
        `${describe(node)}: Input[${index}] has a dynamic axis. BatchNormalization parameters cannot have that.`,
      );
    }
    if (formatDims(input.shape) !== formatDims(scaleShape)) {
      throw shapeProblem(
        node,
        "shape-mismatch",
        `${describe(node)}: Input[${index}] has a layout different from Input[1]. All must be identical.`,
        `'${input.node.name}' is [${formatDims(input.shape)}], '${at(inputs, scaleInput).node.name}' [${formatDims(scaleShape)}]`,
      );
    }
  }
  if (elementCount(scaleShape) !== elementCount(view.statistics)) {
    throw shapeProblem(
      node,
      "shape-mismatch",
      `${describe(node)}: Input dimensions [${formatDims(at(inputs, data).shape)}] and [${formatDims(scaleShape)}] are not compatible.`,
      `there are ${elementCount(view.statistics)} statistics (spatial=${String(attributes.spatial)}), but the parameters ` +
        `have ${elementCount(scaleShape)} elements`,
    );
  }
  const count = inputs[countInput];
  if (count && (count.dynamicAxis || count.shape.length > 1 || elementCount(count.shape) !== 1)) {
    throw shapeProblem(
      node,
      "shape-mismatch",
      `${describe(node)}: Input[${countInput}] must be a vector of 1 element without dynamic axis.`,
    );
  }
  const layout = imageLayoutOf(node, attributes.imageLayout);
  if (attributes.spatial && layout !== "CHW") {
    throw shapeProblem(
      node,
      "unknown-image-layout",
      `${node.name} ${node.op.name} currently supports only cuDNN (CHW) data layout. Please specify imageLayout="cudnn" in ` +
        "BatchNormalization node in your NDL/BrainScript and make sure your input data layout is CHW",
    );
  }
  if (attributes.blendTimeConstant < 0) {
    throw shapeProblem(
      node,
      "negative-time-constant",
      `${node.name} ${node.op.name} requires blend time constant to be >= 0.`,
    );
  }
}

/** Without a GPU CNTK always takes its own engine, and model files say so. */
function chosenEngine(context: ShapeContext<NormalizationAttributes>): Attributes {
  const { attributes } = context;
  if (!attributes.useCntkEngine) warnOfFallback(context);
  if (attributes.engine === undefined) {
    context.message("Using CNTK batch normalization engine.\n", "mathLibrary");
  }
  return { ...attributes, useCntkEngine: true, engine: "CNTK" };
}

function warnOfFallback(context: ShapeContext<NormalizationAttributes>): void {
  const { blendTimeConstant: blend, normalizationTimeConstant: normalization } = context.attributes;
  if (blend !== 0 && (Number.isFinite(blend) || Number.isFinite(normalization))) {
    context.message(
      "\nWARNING: batch normalization falls back to cntk engine for parameters not supported by cuDnn.\n",
      "always",
    );
  }
}

const oneMinus = (value: Expression): Expression => subtract(constant(1), value);
const isFirstMinibatch = (count: Expression): Expression => binary("equal", count, constant(0));

/** Weight of the minibatch in the new running statistics (BatchNormalizationNode::ComputeExpAvgFactor). */
function runningWeight(timeConstant: number, count: Expression, samples: Expression): Expression {
  if (timeConstant < 0) return divide(samples, add(samples, count));
  if (timeConstant === 0) return constant(1);
  const decayed = Number.isFinite(timeConstant)
    ? oneMinus(unary("exponential", unary("negate", divide(samples, constant(timeConstant)))))
    : constant(0);
  return select(isFirstMinibatch(count), constant(1), decayed);
}

/** Weight of the running statistics in normalizing (ComputeBlendFactor). */
function blendWeight(timeConstant: number, count: Expression, samples: Expression): Expression {
  if (timeConstant === 0) return constant(0);
  const blended = Number.isFinite(timeConstant)
    ? divide(constant(timeConstant), add(constant(timeConstant), samples))
    : constant(1);
  return select(isFirstMinibatch(count), constant(0), blended);
}

const inverseRoot = (variance: Expression, epsilon: number): Expression =>
  divide(constant(1), unary("squareRoot", add(variance, constant(epsilon))));

/** weight·a + (1 − weight)·b, of arguments 0, 1, 2. */
const interpolation = add(multiply(argument(0), argument(1)), multiply(oneMinus(argument(0)), argument(2)));

/**
 * Mean and biased variance of the minibatch, and the variance's unbiased estimate. CNTK sets gaps to zero and then counts
 * them like samples: they pull the mean towards 0 and add its square to the variance.
 */
function minibatchStatistics(
  build: GraphBuilder,
  x: NetworkNode,
  view: StatisticsView,
  sampleCount: NetworkNode,
) {
  const columnCount = build.count(x, "columns");
  const columns = argument(1);
  const seen = build.reshape(x, view.sample);
  const sum = (value: NetworkNode): NetworkNode =>
    build.reduceTo(value, view.statistics, null, "sum", 1 / view.positions);
  const mean = build.map(divide(argument(0), columns), [sum(seen), columnCount]);
  const centered = build.map(subtract(argument(0), argument(1)), [seen, mean]);
  const squares = sum(build.map(multiply(argument(0), argument(0)), [centered]));
  const ofGaps = multiply(subtract(columns, argument(2)), multiply(argument(3), argument(3)));
  const variance = build.map(divide(add(argument(0), ofGaps), columns), [
    squares,
    columnCount,
    sampleCount,
    mean,
  ]);
  const count = multiply(constant(view.positions), columns);
  const unbiased = divide(multiply(argument(0), count), subtract(count, constant(1)));
  const estimate = build.map(select(binary("greater", count, constant(1)), unbiased, constant(0)), [
    variance,
    columnCount,
  ]);
  return { mean, variance, estimate };
}

/** Companions in training: mean and inverse deviation that normalize, the blend weight; and the updates. */
function trainingCompanions({
  node,
  attributes,
  build,
}: CompanionContext<NormalizationAttributes>): Companions {
  const view = statisticsView(attributes, build.facts(at(node.inputs, data)).shape);
  const count = node.inputs[countInput] ?? build.state(`${node.name}.run_sample_count`, [1]);
  const sampleCount = build.count(at(node.inputs, data), "samples");
  const statistics = minibatchStatistics(build, at(node.inputs, data), view, sampleCount);
  const alpha = build.map(
    runningWeight(attributes.normalizationTimeConstant, argument(0), argument(1)),
    [count, sampleCount],
    `${node.name}.runningWeight`,
  );
  const beta = build.map(
    blendWeight(attributes.blendTimeConstant, argument(0), argument(1)),
    [count, sampleCount],
    `${node.name}.blendWeight`,
  );
  const running = (index: number, value: NetworkNode): NetworkNode =>
    build.map(interpolation, [alpha, value, build.reshape(at(node.inputs, index), view.statistics)]);
  const newMean = running(meanInput, statistics.mean);
  const newVariance = running(varianceInput, statistics.estimate);
  const mean = build.map(interpolation, [beta, newMean, statistics.mean], `${node.name}.mean`);
  const deviation = add(
    multiply(argument(0), inverseRoot(argument(1), attributes.epsilon)),
    multiply(oneMinus(argument(0)), inverseRoot(argument(2), attributes.epsilon)),
  );
  const inverseDeviation = build.map(
    deviation,
    [beta, newVariance, statistics.variance],
    `${node.name}.inverseDeviation`,
  );
  const counts = binary(
    "greater",
    add(binary("notEqual", argument(1), constant(0)), binary("notEqual", argument(2), constant(1))),
    constant(0),
  );
  const newCount = build.map(select(counts, add(argument(0), argument(3)), argument(0)), [
    count,
    alpha,
    beta,
    sampleCount,
  ]);
  const assign = (state: NetworkNode, value: NetworkNode): Assignment => ({
    state,
    value: build.reshape(value, build.facts(state).shape),
  });
  return {
    nodes: [mean, inverseDeviation, beta],
    assignments: [
      assign(at(node.inputs, meanInput), newMean),
      assign(at(node.inputs, varianceInput), newVariance),
      assign(count, newCount),
    ],
  };
}

/** dscale = Σ g·x̂, dbias = Σ g, dx = scale·invStd·(g − (1−β)(x̂·dscale + dbias)/m), m values per statistic, gaps among them. */
function batchNormalizationGradient(
  context: GradientContext<NormalizationAttributes>,
): readonly (NetworkNode | null)[] {
  const { attributes, inputs, companions, outputGradient, build, node } = context;
  const [mean, inverseDeviation, beta] = companions;
  if (!mean || !inverseDeviation || !beta) {
    throw shapeProblem(node, "no-gradient", `${describe(node)}: a gradient exists in training only.`);
  }
  const x = at(inputs, data);
  const shape = build.facts(x).shape;
  const view = statisticsView(attributes, shape);
  const g = build.reshape(outputGradient, view.sample);
  const normalized = build.map(multiply(subtract(argument(0), argument(1)), argument(2)), [
    build.reshape(x, view.sample),
    mean,
    inverseDeviation,
  ]);
  const scaleGradient = build.reduceTo(
    build.map(multiply(argument(0), argument(1)), [g, normalized]),
    view.statistics,
    null,
  );
  const biasGradient = build.reduceTo(g, view.statistics, null);
  const like = (value: NetworkNode, index: number): NetworkNode =>
    build.reshape(value, build.facts(at(inputs, index)).shape);
  const dataGradient = (): NetworkNode => {
    const [gradient, xHat, dScale, dBias] = [argument(0), argument(1), argument(2), argument(3)];
    const [scale, deviation, blend, samples] = [argument(4), argument(5), argument(6), argument(7)];
    const throughStatistics = divide(
      multiply(oneMinus(blend), add(multiply(xHat, dScale), dBias)),
      multiply(constant(view.positions), samples),
    );
    const expression = multiply(multiply(scale, deviation), subtract(gradient, throughStatistics));
    const scaleView = build.reshape(at(inputs, scaleInput), view.statistics);
    return build.map(expression, [
      g,
      normalized,
      scaleGradient,
      biasGradient,
      scaleView,
      inverseDeviation,
      beta,
      build.count(x, "columns"),
    ]);
  };
  return [
    context.wants(data) ? build.reshape(dataGradient(), shape) : null,
    context.wants(scaleInput) ? like(scaleGradient, scaleInput) : null,
    context.wants(biasInput) ? like(biasGradient, biasInput) : null,
    ...inputs.slice(meanInput).map(() => null),
  ];
}

function lowerBatchNormalization(context: LoweringContext<NormalizationAttributes>): void {
  const { attributes, inputs, companions, output } = context;
  const x = at(inputs, data);
  const view = statisticsView(attributes, x.dims);
  const seen = (index: number) => withDims(at(inputs, index), view.statistics);
  const [mean, inverseDeviation] = companions;
  // scale·(x − mean)·invStd + bias
  const normalized = (invStd: Expression): Expression =>
    add(multiply(argument(1), multiply(subtract(argument(0), argument(3)), invStd)), argument(2));
  const trained = mean && inverseDeviation;
  const [center, spread] = trained ? [mean, inverseDeviation] : [seen(meanInput), seen(varianceInput)];
  const invStd = trained ? argument(4) : inverseRoot(argument(4), attributes.epsilon);
  emitMap(
    context,
    normalized(invStd),
    [withDims(x, view.sample), seen(scaleInput), seen(biasInput), center, spread],
    withDims(output, view.sample),
  );
}

const batchNormalization = defineOp({
  name: "BatchNormalization",
  refusesSparse: refusesInputs({ 0: { function: "BatchNormalizationForward", line: 4705 } }),
  doc:
    "Shifts and scales each element (or with `spatial` each channel) to mean `bias` and deviation `scale`, by the statistics " +
    "of the minibatch in training and by running averages in inference.",
  source: "Source/ComputationNetworkLib/TrainingNodes.h, Source/Math/CntkBatchNormalization.cuh",
  inputs: [
    { name: "x", doc: "Minibatch data; channels are the last axis." },
    { name: "scale", doc: "[n x 1], n the number of statistics." },
    { name: "bias", doc: "[n x 1]" },
    { name: "runMean", doc: "[n x 1], a parameter that training updates here." },
    { name: "runVariance", doc: "[n x 1], a parameter that training updates here." },
    { name: "runCount", doc: "[1], number of samples seen; older models have none.", optional: true },
  ],
  attributes: declarations,
  stored: storedNormalization,
  nonLooping: true,
  differentiable: "yes",
  gradientDiffers:
    "with a blend time constant: the weight of the minibatch in the running averages, which also normalize, is left out",
  memory: { ...memoryInputs, forwardTemporaries: 2, backwardTemporaries: 3 },
  shape: batchNormalizationShape,
  companions: (context) => (context.mode === "training" ? trainingCompanions(context) : { nodes: [] }),
  gradient: batchNormalizationGradient,
  lower: lowerBatchNormalization,
});

export const normalizationOperations: readonly OpDefinition[] = [batchNormalization];
