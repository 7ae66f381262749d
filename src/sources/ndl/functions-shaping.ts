import type { FunctionCall } from "./function-call.js";
import type { ScriptFunction } from "./functions.js";

/** Functions that take rows, repeat, reshape, delay and crop. */

function exactly(count: number, message: string): (call: FunctionCall) => void {
  return (call) => {
    if (call.positional.length !== count) throw call.problem(message);
  };
}

const rowSlice: ScriptFunction = {
  check: exactly(
    3,
    "RowSlice should have three parameters. Usage: RowSlice(startRowIndex, numRows, origNodeName.",
  ),
  sizesFrom: 0,
  make(call) {
    const [beginIndex, rows] = [call.size(0), call.size(1)];
    return call.node("Slice", { axis: 1, beginIndex, endIndex: beginIndex + rows });
  },
  inputs: ({ positional }) => positional.slice(2),
};

const rowRepeat: ScriptFunction = {
  check: exactly(2, "RowRepeat should have two parameters. Usage: RowRepeat(origNodeName, numRepeats)."),
  sizesFrom: 0,
  make: (call) => call.node("RowRepeat", { numRepeats: call.size(1) }),
  inputs: ({ positional }) => positional.slice(0, 1),
};

const diagonal: ScriptFunction = {
  check: exactly(1, "Diagonal should have one parameter. Usage: Diagonal(origNodeName)."),
  make: (call) => call.node("Diagonal"),
  inputs: ({ positional }) => positional,
};

/** The older kind of Reshape, which may change the number of time steps. */
const reshape: ScriptFunction = {
  check: exactly(
    2,
    "Reshape should have two parameters. Usage: Reshape(origNodeName, numRows, [imageWidth=], [imageHeight=], [imageChannels=].",
  ),
  sizesFrom: 0,
  make: (call) =>
    call.node("LegacyReshape", {
      numRows: call.size(1),
      imageWidth: call.sizeOption("imageWidth", 0),
      imageHeight: call.sizeOption("imageHeight", 0),
      imageChannels: call.sizeOption("imageChannels", 0),
      imageLayout: call.imageLayout("HWC"),
    }),
  inputs: ({ positional }) => positional.slice(0, 1),
};

const reconcile: ScriptFunction = {
  make: (call) => call.node("ReconcileDynamicAxis"),
  inputs: ({ positional }) => positional.slice(0, 2),
};

/** PastValue, FutureValue: rows, (columns, which count for nothing,) input. */
function delay(operation: string): ScriptFunction {
  return {
    check(call) {
      if (call.positional.length === 2 || call.positional.length === 3) return;
      throw call.problem(
        "PastValue or FutureValue should have two to three fixed parameters. " +
          "Usage: PastValue(rows, input, [timeStep=1, defaultHiddenActivity=0.1]).",
      );
    },
    sizesFrom: 0,
    make(call) {
      const rows = call.size(0);
      const defaultHiddenActivation = Math.fround(call.numberOption("defaultHiddenActivity", 0.1));
      const step = call.sizeOption("timeStep", 1);
      const timeStep = step === 1 ? call.sizeOption("delayTime", 1) : step;
      return call.node(operation, { shape: [rows], timeStep, defaultHiddenActivation });
    },
    inputs: ({ positional }) => positional.slice(positional.length > 2 ? 2 : 1),
  };
}

const crop: ScriptFunction = {
  check(call) {
    if (call.positional.length === 2 || call.positional.length === 4) return;
    throw call.problem(
      "Crop accepts inputs: [input1, input2, offsetX, offsetY] or [input1, input2] or [input1, input2, eqNode1, eqNode2].",
    );
  },
  sizesFrom: 0,
  make: (call) => call.node("Crop", hasOffsets(call) ? { xOffset: call.size(2), yOffset: call.size(3) } : {}),
  inputs: (call) => (hasOffsets(call) ? call.positional.slice(0, 2) : call.positional),
};

const hasOffsets = ({ positional }: FunctionCall): boolean => positional[2]?.kind === "constant";

export const shapingFunctions: Readonly<Record<string, ScriptFunction>> = {
  RowSlice: rowSlice,
  RowRepeat: rowRepeat,
  Diagonal: diagonal,
  Reshape: reshape,
  ReconcileDynamicAxis: reconcile,
  PastValue: delay("PastValue"),
  FutureValue: delay("FutureValue"),
  Crop: crop,
};
