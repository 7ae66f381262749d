import { parseDouble, parseInteger } from "../../config/conversions.js";
import type { Attributes, NetworkNode } from "../../network/network.js";
import { elementCount } from "../../network/network.js";
import { formatFixed } from "../../numerics/number-format.js";
import { fitShape, parseTextMatrix } from "../text-matrix.js";
import type { FunctionCall } from "./function-call.js";
import { allSizes, imageShape } from "./functions-inputs.js";
import type { ScriptFunction } from "./functions.js";

/** All elements 0: what a parameter is until the last pass, and stays where that does not come to it. */
const zeros: Attributes = { init: "fromValue", initValue: 0, value: 0 };

const options =
  "plus other optional parameters (learningRateMultiplier=[1|0|float], " +
  "init=[uniform|gaussian|fixedvalue|fromFile|heNormal|bilinear], initValueScale=[1|float], value=[0|float]).";

function learnableParameter(name: string, isImage: boolean): ScriptFunction {
  const least = isImage ? 3 : 1;
  const dimensions = isImage
    ? "3 or more parameters [imageWidth, imageHeight, imageChannels] "
    : "1 or more parameters (tensor dimensions, e.g. [vecdim] or [rows, cols]) ";
  return {
    check(call) {
      if (call.positional.length >= least) return;
      throw call.problem(`${name} should have ${dimensions}${options}`);
    },
    sizesFrom: 0,
    make(call) {
      const sizes = allSizes(call);
      const images = sizes.length - 3;
      const shape = isImage
        ? [...sizes.slice(0, images), ...imageShape(sizes.slice(images), call.imageLayout("HWC"))]
        : sizes;
      const learns = ["needGradient", "needsGradient", "computeGradient"].every((option) =>
        call.booleanOption(option, true),
      );
      const learningRateMultiplier = Math.fround(call.numberOption("learningRateMultiplier", 1));
      if (learns && learningRateMultiplier < 0) {
        throw call.problem(
          `Node '${call.name}' (LearnableParameter operation): LearningRateMultiplier should be non-negative. ` +
            `You are trying to set it to ${formatFixed(learningRateMultiplier, 6)}.`,
        );
      }
      return call.node("LearnableParameter", {
        shape,
        learningRateMultiplier: learns ? learningRateMultiplier : 0,
        ...zeros,
      });
    },
    inputs: () => [],
    finish: initialize,
  };
}

const constant: ScriptFunction = {
  check(call) {
    if (call.positional.length === 1) return;
    throw call.problem(
      "Constant should have 1 fixed parameter [val] and two optional parameters [rows=[1|yourvalue], cols=[1|yourvalue]].",
    );
  },
  make: (call) =>
    call.node("LearnableParameter", {
      shape: [call.sizeOption("rows", 1), call.sizeOption("cols", 1)],
      learningRateMultiplier: 0,
      ...zeros,
    }),
  inputs: () => [],
  attach: setConstant,
  finish: setConstant,
};

/** Both later passes give a constant its value, so that one among the arguments of another call has it as well. */
function setConstant(call: FunctionCall, node: NetworkNode): void {
  const value = parseDouble(call.scalar(0));
  setValue(call, node, call.settings.elementType === "float" ? Math.fround(value) : value);
}

/** Initial values, by the words of `init` (NDLNetworkBuilder.cpp); random ones draw their seeds here. */
function initialize(call: FunctionCall, node: NetworkNode): void {
  const init = call.stringOption("init", "uniform");
  const scale = call.elementOption("initValueScale", 1);
  const value = call.elementOption("value", 0);
  const onCpu = call.booleanOption("initOnCPUOnly", false);
  const seedText = call.option("randomSeed");
  const seed = seedText ? parseInteger(seedText) : -1;
  const random = (kind: string): void => {
    const drawn = call.settings.seeds.drawScriptSeed(call.settings.seedOffset, seed < 0 ? undefined : seed);
    const attributes = { init: kind, seed: drawn, initValueScale: scale, initOnCPUOnly: onCpu };
    setInitialization(call, node, { initFilterRank: 0, initOutputRank: 1, ...attributes });
  };
  switch (init.toLowerCase()) {
    case "fixedvalue":
      setValue(call, node, value);
      break;
    case "uniform":
    case "gaussian":
      random(init.toLowerCase());
      break;
    case "henormal":
      random("heNormal");
      break;
    case "bilinear":
      bilinear(call, node);
      break;
    case "fromfile":
      fromFile(call, node);
      break;
    default:
      throw call.problem(
        "'init' must be one of the values of [ uniform | gaussian | fixedValue | fromFile | heNormal | bilinear]",
        `'${init}' is none of them`,
      );
  }
}

function setValue(call: FunctionCall, node: NetworkNode, value: number): void {
  setInitialization(call, node, { init: "fromValue", initValue: value, value });
}

/** Where the dimensions are not all known, the values have to wait, and CNTK says so. */
function setInitialization(call: FunctionCall, node: NetworkNode, attributes: Attributes): void {
  node.attributes = { ...node.attributes, ...attributes };
  const shape = node.attributes["shape"] as readonly number[];
  if (elementCount(shape) > 0) return;
  call.settings.log(
    `Node '${node.name}' (LearnableParameter operation): Initializating Parameter[${shape.join(" x ")}] as ` +
      `${String(attributes["init"])} later when dimensions are fully known.\n`,
  );
}

function bilinear(call: FunctionCall, node: NetworkNode): void {
  const [width, height] = [call.sizeOption("kernelWidth", 0), call.sizeOption("kernelHeight", 0)];
  if (width !== height) throw call.problem("Filter for bilinear interpolation must be square.");
  const [first, second, kernels, channels] = node.attributes["shape"] as readonly number[];
  if (width !== first || height !== second || kernels === undefined || channels === undefined) {
    throw call.problem(
      "Filter for bilinear interpolation must have the dimensions [kernelWidth x kernelHeight x channels x channels].",
      `kernelWidth=${width} and kernelHeight=${height} are given`,
    );
  }
  node.attributes = { ...node.attributes, init: "bilinear" };
}

function fromFile(call: FunctionCall, node: NetworkNode): void {
  const path = call.stringOption("initFromFilePath", "");
  if (path === "") {
    throw call.problem('initFromFilePath must be set when using "fromFile" initialization method');
  }
  const matrix = parseTextMatrix(call.settings.readFile(path), path);
  const shape = fitShape(node.attributes["shape"] as readonly number[], matrix, (message) =>
    call.problem(
      `Node '${node.name}' (LearnableParameter operation)${message}`,
      `${path} holds ${matrix.rows} lines of ${matrix.columns} numbers`,
    ),
  );
  node.attributes = { ...node.attributes, shape, init: "" };
  const { elementType } = call.settings;
  const values = elementType === "float" ? Float32Array.from(matrix.values) : matrix.values;
  call.network.values.set(node, values);
}

export const parameterFunctions: Readonly<Record<string, ScriptFunction>> = {
  LearnableParameter: learnableParameter("LearnableParameter", false),
  ImageParameter: learnableParameter("ImageParameter", true),
  Constant: constant,
};
