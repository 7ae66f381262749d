import { fillNormal, fillTruncatedNormal, fillUniform } from "./distributions.js";
import { type ElementType, newValues, type Values } from "./values.js";

/** How a learnable parameter gets its first values; the names are those of the parameter's members in BrainScript. */
export interface Initialization {
  /** `uniform`, `glorotUniform`, …; `fromValue` (or `fixedValue`), `zero`; `bilinear`. */
  readonly init: string;
  readonly shape: readonly number[];
  /** Factor on the range or deviation; default 1. */
  readonly initValueScale?: number;
  /** Number of leading axes that are filter axes (`initFilterRank`); default 0. */
  readonly filterRank?: number;
  /** Output axes after the filter axes, or, if negative, at the end (`initOutputRank`); default 1. */
  readonly outputRank?: number;
  /** Seed of the engine; one engine for each parameter. */
  readonly seed?: bigint | number;
  /** The value of `fromValue`. */
  readonly value?: number;
  readonly elementType: ElementType;
}

/** What CNTK's log line about a random initialization says. */
export interface InitializationDescription {
  readonly fanOut: number;
  readonly fanIn: number;
  /** Half width of a uniform, deviation of a normal distribution, scale included, rounded to the element type. */
  readonly range: number;
}

type Distribution = "uniform" | "normal" | "truncatedNormal";

/** Distribution and scale of each initializer; the scale is computed in double from the fans. */
const randomInitializers: Readonly<
  Record<string, { distribution: Distribution; scale: (fanOut: number, fanIn: number) => number }>
> = {
  // CNTK writes 0.05f: the float nearest 0.05, also in double precision.
  uniform: { distribution: "uniform", scale: () => Math.fround(0.05) },
  uniform1: { distribution: "uniform", scale: () => 1 },
  xavier: { distribution: "uniform", scale: (_, fanIn) => Math.sqrt(3 / fanIn) },
  glorotUniform: { distribution: "uniform", scale: (fanOut, fanIn) => Math.sqrt(6 / (fanIn + fanOut)) },
  glorotNormal: { distribution: "normal", scale: (fanOut, fanIn) => Math.sqrt(2 / (fanIn + fanOut)) },
  heUniform: { distribution: "uniform", scale: (_, fanIn) => Math.sqrt(6 / fanIn) },
  heNormal: { distribution: "normal", scale: (_, fanIn) => Math.sqrt(2 / fanIn) },
  gaussian: { distribution: "normal", scale: (_, fanIn) => 0.2 / Math.sqrt(fanIn) },
  normal: { distribution: "normal", scale: () => 1 },
  TruncNormal: { distribution: "truncatedNormal", scale: () => 1 },
};

/** The names of the initializers that draw random numbers. */
export const randomInitializerNames: readonly string[] = Object.keys(randomInitializers);

/** Is this the name of an initializer that draws random numbers (and so takes a seed)? */
export function isRandomInitializer(init: string): boolean {
  return Object.hasOwn(randomInitializers, init);
}

/** What CNTK says where a shape has fewer axes than a random initialization tells apart; undefined: nothing. */
export function wrongRanks(options: {
  readonly shape: readonly number[];
  readonly initFilterRank: number;
  readonly initOutputRank: number;
}): string | undefined {
  const { shape, initFilterRank, initOutputRank } = options;
  return initFilterRank + Math.abs(initOutputRank) > shape.length
    ? `InitRandom: initFilterRank=${initFilterRank} and initOutputRank=${initOutputRank} exceeds sampleLayout rank ${shape.length}`
    : undefined;
}

/**
 * Fan-out, fan-in and range of a random initialization. A shape with a zero dimension gives zeros.
 * Throws RangeError when the ranks exceed the shape's rank.
 * Source: Source/ComputationNetworkLib/InputAndParamNodes.cpp, InitRandom.
 */
export function describeInitialization(options: Initialization): InitializationDescription {
  const { shape, filterRank = 0, outputRank = 1 } = options;
  const initializer = randomInitializers[options.init];
  if (!initializer || !Object.hasOwn(randomInitializers, options.init)) {
    throw new RangeError(`'${options.init}' is not a random initialization`);
  }
  const elements = product(shape);
  if (elements === 0) return { fanOut: 0, fanIn: 0, range: 0 };
  const wrong = wrongRanks({ shape, initFilterRank: filterRank, initOutputRank: outputRank });
  if (wrong !== undefined) throw new RangeError(wrong);
  const filterSize = product(shape.slice(0, filterRank));
  const inputs = shape.slice(
    filterRank + Math.max(outputRank, 0),
    outputRank >= 0 ? shape.length : shape.length + outputRank,
  );
  const fanIn = filterSize * product(inputs);
  const fanOut = Math.floor((elements * filterSize) / fanIn);
  const round = options.elementType === "float" ? Math.fround : (x: number) => x;
  const range = round(round(initializer.scale(fanOut, fanIn)) * round(options.initValueScale ?? 1));
  return { fanOut, fanIn, range };
}

/**
 * The first values of a parameter, column-major. Throws RangeError for an unknown initializer, a random one without a
 * seed, ranks that exceed the shape.
 * Source: Source/ComputationNetworkLib/InputAndParamNodes.cpp.
 */
export function initialValues(options: Initialization): Values {
  const elements = product(options.shape);
  const values = newValues(options.elementType, elements);
  const { init } = options;
  if (init === "zero") return values;
  // A negative zero becomes a zero, as in CNTK (CPUMatrixImpl.h, SetValue).
  if (init === "fromValue" || init === "fixedValue") return values.fill((options.value ?? 0) + 0);
  if (init === "bilinear") return fillBilinear(values, options.shape);
  const initializer = randomInitializers[init];
  if (!initializer || !isRandomInitializer(init)) throw new RangeError(`unknown initialization '${init}'`);
  if (elements === 0) return values;
  if (options.seed === undefined) throw new RangeError(`the initialization '${init}' needs a seed`);
  const { range } = describeInitialization(options);
  if (initializer.distribution === "uniform") fillUniform(values, -range, range, options.seed);
  else if (initializer.distribution === "normal") fillNormal(values, 0, range, options.seed);
  else fillTruncatedNormal(values, 0, range, options.seed);
  return values;
}

/** Weights of bilinear upsampling for a square kernel `[k x k x C x C]`: each channel feeds itself only; floats in CNTK. */
function fillBilinear(values: Values, shape: readonly number[]): Values {
  const [width = 0, height = 0, channels = 0, kernels = 0] = shape;
  if (shape.length < 4 || width !== height) {
    throw new RangeError("Filter for bilinear interpolation must be square.");
  }
  if (channels !== kernels) {
    throw new RangeError(
      "Number of input and output channels of filter for bilinear interpolation must be equal.",
    );
  }
  const factor = Math.floor((width + 1) / 2);
  const center = (width - 1) / 2;
  const weight = (at: number) => 1 - Math.abs(at - center) / factor;
  for (let channel = 0; channel < channels; channel++) {
    const base = (channel * channels + channel) * width * height;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) values[base + y * width + x] = Math.fround(weight(x) * weight(y));
    }
  }
  return values;
}

function product(dims: readonly number[]): number {
  return dims.reduce((total, dim) => total * dim, 1);
}
