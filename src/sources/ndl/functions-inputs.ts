import type { NetworkNode } from "../../network/network.js";
import type { FunctionCall } from "./function-call.js";
import type { ScriptFunction } from "./functions.js";

/** Width, height and channels in the order of the layout. */
export function imageShape(
  [width = 0, height = 0, channels = 0]: readonly number[],
  layout: "HWC" | "CHW",
): readonly number[] {
  return layout === "HWC" ? [channels, width, height] : [width, height, channels];
}

/** All arguments as sizes. */
export function allSizes(call: FunctionCall): readonly number[] {
  return call.positional.map((_argument, index) => call.size(index));
}

/** Input, SparseInput: dimensions one after the other. A name that the network has already stays what it is. */
function input(operation: string): ScriptFunction {
  return {
    check(call) {
      if (call.positional.length > 0) return;
      throw call.problem(
        `${operation} should have 1 or more parameters (tensor dimensions, e.g. [vecdim] or [rows, cols]).`,
      );
    },
    sizesFrom: 0,
    make(call): NetworkNode {
      const shape = allSizes(call);
      const dynamicAxis = call.stringOption("dynamicAxis", "");
      return call.network.find(call.name) ?? call.node(operation, { shape, dynamicAxis });
    },
    inputs: () => [],
  };
}

/** ImageInput, SparseImageInput: width, height, channels (and a number of images, which counts for nothing). */
function imageInput(name: string, operation: string): ScriptFunction {
  return {
    check(call) {
      if (call.positional.length === 3 || call.positional.length === 4) return;
      throw call.problem(`${name} should have 3 parameters[imageWidth, imageHeight, imageChannels].`);
    },
    sizesFrom: 0,
    make(call) {
      const sizes = [call.size(0), call.size(1), call.size(2)];
      const shape = imageShape(sizes, call.imageLayout("HWC"));
      return call.node(operation, { shape, dynamicAxis: call.stringOption("dynamicAxis", "") });
    },
    inputs: () => [],
  };
}

export const inputFunctions: Readonly<Record<string, ScriptFunction>> = {
  InputValue: input("InputValue"),
  SparseInputValue: input("SparseInputValue"),
  ImageInput: imageInput("ImageInput", "InputValue"),
  SparseImageInput: imageInput("SparseImageInput", "SparseInputValue"),
};
