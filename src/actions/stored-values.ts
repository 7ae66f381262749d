import { modelFromNetwork } from "../model-files/index.js";
import type { NetworkNode, ParameterValues, ShapedNetwork } from "../network/network.js";
import type { ElementType } from "../numerics/values.js";
import type { Session } from "../session.js";
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

/** In a check: leaves the model that a run would write for later commands that load it; parameters that nobody read have no values. */
export function leaveUntrained(session: Session, path: string, shaped: ShapedNetwork): void {
  const { values } = shaped.network;
  session.untrained?.set(session.files.resolve(path), () =>
    modelFromNetwork(shaped, values, session.elementType),
  );
}
