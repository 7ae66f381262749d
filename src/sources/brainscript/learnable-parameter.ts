import { CntkError } from "../../diagnostics/diagnostic.js";
import { didYouMean } from "../../diagnostics/suggest.js";
import { isArray, type Evaluation } from "../../evaluator/index.js";
import type { Value } from "../../evaluator/values.js";
import type { Attributes, ParameterValues } from "../../network/network.js";
import { isRandomInitializer, randomInitializerNames, wrongRanks } from "../../numerics/initial-values.js";
import { formatFixed } from "../../numerics/number-format.js";
import type { Arguments } from "./arguments.js";
import type { BuildSettings } from "./settings.js";
import { fitShape, parseTextMatrix } from "../text-matrix.js";

/** What the constructor of a LearnableParameter finds out. */
export interface ParameterSetup {
  /** Keys as the registry's LearnableParameter declares them. */
  readonly attributes: Attributes;
  /** Values read from a file or a literal, column-major; they make every initialization needless. */
  readonly values?: ParameterValues;
}

/** Words that BrainScript accepts for `init`, beside those that draw random numbers. */
type FixedInit =
  "fromValue" | "fromValueArray" | "zero" | "bilinear" | "fromFile" | "fixedValue" | "fromLiteral";

/** Words that CNTK's message names. */
const named: readonly string[] = ["uniform", "gaussian", "fixedValue", "fromFile", "bilinear"];

/** The words that users write for `init`. */
export const initializationWords: readonly string[] = [
  ...randomInitializerNames,
  ...["zero", "bilinear", "fromFile", "fixedValue", "fromLiteral"],
];

/**
 * Reads the parameters of a LearnableParameter. The kind of initialization follows from the one parameter that is given, or
 * from the older spelling with `init` naming it; the seed is drawn here, so seeds count in construction order. Throws CNTK's
 * messages for what it does not accept. Source: InputAndParamNodes.cpp, constructor from a config record.
 */
export function* readLearnableParameter(
  args: Arguments,
  settings: BuildSettings,
): Evaluation<ParameterSetup> {
  const shape = yield* args.shape("shape");
  const learningRateMultiplier = yield* readLearningRateMultiplier(args);
  const init = yield* initializationKind(args);
  const common = { shape, learningRateMultiplier };

  if (isRandomInitializer(init)) {
    const forced = yield* args.integer("randomSeed");
    const attributes = {
      ...common,
      init,
      seed: forced < 0 ? settings.seeds.drawSeed() : settings.seeds.seedFor(forced),
      initValueScale: yield* args.number("initValueScale"),
      initFilterRank: yield* args.integer("initFilterRank"),
      initOutputRank: yield* args.integer("initOutputRank"),
      initOnCPUOnly: yield* args.boolean("initOnCPUOnly"),
    };
    // A shape that is known is filled at once, others when they have been inferred.
    const wrong = shape.includes(0) ? undefined : wrongRanks(attributes);
    if (wrong) throw problem(args, wrong);
    return { attributes };
  }
  switch (init as FixedInit) {
    case "zero":
      return constant(common, 0);
    case "fromValue":
      return constant(common, yield* args.number("initValue"));
    case "fixedValue":
      return constant(common, yield* args.number("value"));
    case "bilinear":
      return { attributes: { ...common, init: "bilinear" } };
    case "fromFile":
      return yield* fromText(args, settings, "initFromFilePath", (path) => [settings.readFile(path), path]);
    case "fromLiteral":
      return yield* fromText(args, settings, "initFromLiteral", (literal) => [literal, "string literal"]);
    case "fromValueArray":
      throw problem(
        args,
        "'initValue' for arrays not yet implemented",
        "several numbers come from a file, initFromFilePath = FILE, or a text, init = 'fromLiteral' with initFromLiteral",
      );
    default:
      throw problem(
        args,
        "init must be one of the values of [ uniform | gaussian | fixedValue | fromFile | bilinear ]",
        didYouMean(init, initializationWords) ??
          `'${init}' is none of them; also known are ${initializationWords.filter((word) => !named.includes(word)).join(", ")}`,
      );
  }
}

/** The attributes of a parameter that starts with one number everywhere; `value` is the one the later stages read. */
export function constantAttributes(value: number): Attributes {
  return { init: "fromValue", value, initValue: value };
}

function constant(common: Attributes, value: number): ParameterSetup {
  return { attributes: { ...common, ...constantAttributes(value) } };
}

/**
 * CNTK's line about a parameter whose dimensions are not all known, so that its values must wait; empty when there is none.
 * The node has no name yet at that moment.
 */
export function deferredInitializationLine({ attributes, values }: ParameterSetup): string {
  const shape = attributes["shape"] as readonly number[];
  if (values || !shape.includes(0)) return "";
  return (
    "Node '<placeholder>' (LearnableParameter operation): " +
    `Initializating Parameter[${shape.join(" x ")}] as ${String(attributes["init"])} later when dimensions are fully known.\n`
  );
}

function* readLearningRateMultiplier(args: Arguments): Evaluation<number> {
  if (args.has("learningRateMultiplier")) {
    const multiplier = yield* args.number("learningRateMultiplier");
    if (multiplier < 0) {
      throw problem(
        args,
        "Node '<placeholder>' (LearnableParameter operation): LearningRateMultiplier should be non-negative. " +
          `You are trying to set it to ${formatFixed(multiplier, 6)}.`,
        "0 keeps a parameter as it is",
      );
    }
    return multiplier;
  }
  if (["needsGradient", "needGradient", "computeGradient"].some((name) => args.has(name))) {
    throw problem(
      args,
      "Deprecated parameter names needsGradient|needGradient|computeGradient are not supported in BrainScript. " +
        "Use learningRateMultiplier instead.",
    );
  }
  return 1;
}

/** The word of `init`, or what the other parameters imply when it is empty; `uniform` when nothing is said. */
function* initializationKind(args: Arguments): Evaluation<string> {
  const init = yield* args.string("init");
  const fromFile = yield* args.string("initFromFilePath");
  const initValue: Value = yield args.ask("initValue");
  if (init !== "") return init;
  if (fromFile !== "") return "fromFile";
  if (typeof initValue === "number") return "fromValue";
  if (isArray(initValue)) return "fromValueArray";
  if (typeof initValue !== "string") throw problem(args, "'initValue' must be numerical");
  if (initValue !== "") {
    throw problem(args, "LearnableParameter: 'initValue' must be an empty string or not a string.");
  }
  return "uniform";
}

function* fromText(
  args: Arguments,
  settings: BuildSettings,
  parameter: "initFromFilePath" | "initFromLiteral",
  textOf: (given: string) => readonly [text: string, where: string],
): Evaluation<ParameterSetup> {
  const given = yield* args.string(parameter);
  if (given === "") {
    const method = parameter === "initFromFilePath" ? "fromFile" : "fromLiteral";
    throw problem(
      args,
      `${parameter} parameter must be provided when using "${method}" initialization method`,
    );
  }
  const [text, where] = textOf(given);
  const matrix = parseTextMatrix(text, where);
  const shape = fitShape(yield* args.shape("shape"), matrix, (message) =>
    problem(
      args,
      `Node '<placeholder>' (LearnableParameter operation)${message}`,
      `${where} holds ${matrix.rows} lines of ${matrix.columns} numbers`,
    ),
  );
  return {
    attributes: { shape, learningRateMultiplier: yield* readLearningRateMultiplier(args), init: "" },
    values: settings.precision === "float" ? Float32Array.from(matrix.values) : matrix.values,
  };
}

function problem(args: Arguments, message: string, hint?: string): CntkError {
  return new CntkError({
    code: "parameter-initialization",
    message,
    span: args.context.span,
    ...(hint && { hint }),
  });
}
