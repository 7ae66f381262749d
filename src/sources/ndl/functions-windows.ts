import type { Attributes } from "../../network/network.js";
import type { FunctionCall } from "./function-call.js";
import type { ScriptFunction } from "./functions.js";

/** Convolution and pooling: today's forms for any number of axes, and the older ones for images. */

const counts = [2, 3, 7];

const convolution: ScriptFunction = {
  check(call) {
    if (counts.includes(call.positional.length)) return;
    throw call.problem(
      "Convolution: unexpected parameter count.",
      "Convolution (weights, input, kernelShape, mapCount=…, stride=…, sharing=…, autoPadding=…, lowerPad=…, upperPad=…, " +
        "transpose=…, imageLayout=…) or Convolution (weights, input, kernelWidth, kernelHeight, outputChannels, " +
        "horizontalSubsample, verticalSubsample, zeroPadding=…, imageLayout=…); shapes are written {5, 5, 3}",
    );
  },
  make: (call) =>
    call.node("Convolution", call.positional.length === 7 ? imageConvolution(call) : anyConvolution(call)),
  inputs: ({ positional }) => positional.slice(0, 2),
};

/** What all functions of today's forms say of their windows. */
function windows(call: FunctionCall): Attributes {
  return {
    kernelShape: call.shape(call.positional.length - 1),
    strideShape: call.shapeOption("stride", 1),
    dimPadding: call.booleansOption("autoPadding", true),
    dimPadLower: call.shapeOption("lowerPad", 0),
    dimPadUpper: call.shapeOption("upperPad", 0),
    imageLayout: call.imageLayout("CHW"),
  };
}

function anyConvolution(call: FunctionCall): Attributes {
  return {
    ...windows(call),
    mapCount: call.shapeOption("mapCount", 0),
    dimSharing: call.booleansOption("sharing", true),
    transpose: call.booleanOption("transpose", false),
    dimOutputShape: call.shapeOption("outputShape", 0),
    maxTempMemSizeInSamples: call.sizeOption("maxTempMemSizeInSamples", 0),
  };
}

function imageConvolution(call: FunctionCall): Attributes {
  const [width, height, channels, horizontal, vertical] = [2, 3, 4, 5, 6].map((index) => call.size(index));
  return {
    kernelShape: [width, height, 1],
    mapCount: [1, 1, channels],
    strideShape: [horizontal, vertical, 1],
    dimSharing: [true],
    imageLayout: call.imageLayout("HWC"),
    dimPadding: [call.booleanOption("zeroPadding", false)],
    dimPadLower: [0],
    dimPadUpper: [0],
    transpose: false,
    dimOutputShape: [0],
    maxTempMemSizeInSamples: call.sizeOption("maxTempMemSizeInSamples", 0),
    isTwoDimensional: true,
  };
}

const pooling: ScriptFunction = {
  check(call) {
    if (call.positional.length === 3) return;
    throw call.problem(
      "Pooling: unexpected parameter count. Pooling 3 fixed parameters [inputValueNodeName, poolKind, kernelShape] and " +
        "5 optional parameters stride = [1|yourvalue], autoPadding = [true|yourvalue], lowerPad = [0|yourvalue], " +
        'upperPad = [0|yourvalue], imageLayout = "cudnn"].',
      "shapes are written {2, 2}",
    );
  },
  make: (call) =>
    call.node("Pooling", {
      ...windows(call),
      pool: call.word(1).text,
      ceilOut: false,
      poolIncludePad: false,
    }),
  inputs: ({ positional }) => positional.slice(0, 1),
};

const maxUnpooling: ScriptFunction = {
  check(call) {
    if (call.positional.length === 3) return;
    throw call.problem(
      "MaxUnpooling: unexpected parameter count. MaxUnpooling 3 fixed parameters [inputValueNodeName, mask, kernelShape] and " +
        "5 optional parameters stride = [1|yourvalue], autoPadding = [true|yourvalue], lowerPad = [0|yourvalue], " +
        'upperPad = [0|yourvalue], imageLayout = "cudnn"].',
      "shapes are written {2, 2}",
    );
  },
  make: (call) => call.node("MaxUnpooling", windows(call)),
  inputs: ({ positional }) => positional.slice(0, 2),
};

/** MaxPooling, AveragePooling. */
function imagePooling(operation: string): ScriptFunction {
  return {
    check(call) {
      if (call.positional.length === 5) return;
      throw call.problem(
        `${operation} should have 5 parameters[inputValueNodeName, windowWidth, windowHeight, horizontalSubsample, ` +
          'verticalSubsample, imageLayout = "HWC"|"cudnn"].',
      );
    },
    sizesFrom: 1,
    make: (call) =>
      call.node(operation, {
        windowWidth: call.size(1),
        windowHeight: call.size(2),
        horizontalSubsample: call.size(3),
        verticalSubsample: call.size(4),
        imageLayout: call.imageLayout("HWC"),
      }),
    inputs: ({ positional }) => positional.slice(0, 1),
  };
}

export const windowFunctions: Readonly<Record<string, ScriptFunction>> = {
  Convolution: convolution,
  Pooling: pooling,
  MaxUnpooling: maxUnpooling,
  MaxPooling: imagePooling("MaxPooling"),
  AveragePooling: imagePooling("AveragePooling"),
};
