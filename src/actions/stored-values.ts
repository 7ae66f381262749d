import type { NetworkNode, ParameterValues, ShapedNetwork } from "../network/network.js";
import type { ElementType } from "../numerics/values.js";
import { parameterValues } from "../training/parameters.js";

/** All values that a model file of the network keeps: of parameters, and of Mean and InvStdDev as they were loaded. */
export function storedValues(
  shaped: ShapedNetwork,
  elementType: ElementType,
): ReadonlyMap<NetworkNode, ParameterValues> {
  const parameters = parameterValues(shaped, elementType);
  const statistics = [...shaped.network.values].filter(([node]) => node.op.role === "precompute");
  return statistics.length === 0 ? parameters : new Map([...statistics, ...parameters]);
}
