import type { ModelFile } from "../model-files/index.js";
import { modelFromNetwork } from "../model-files/index.js";
import { AxisNames, validateNetwork } from "../shapes/index.js";
import { parameterValues } from "../training/parameters.js";

/**
 * An ONNX model as a model of CNTK, in float, with all shapes found.
 * @throws CntkError `onnx-broken`, `onnx-tensor`, `import-operation`, `import-size`, and what validation finds
 */
export async function importModel(bytes: Uint8Array, fileName: string): Promise<ModelFile> {
  // Loaded when somebody imports: no other command has to wait for it.
  const { networkFromOnnx } = await import("../sources/onnx/index.js");
  const network = networkFromOnnx(bytes, fileName);
  const options = { traceLevel: 0, axisNames: new AxisNames(), elementType: "float" } as const;
  const { shaped } = validateNetwork(network, options);
  return modelFromNetwork(shaped, parameterValues(shaped, "float"), "float");
}
