import type { ShapedNetwork } from "../network/network.js";
import { shapeNetwork } from "../pipeline.js";
import type { Session } from "../session.js";
import {
  inModelFile,
  loadModelFile,
  networkFromModel,
  requirePrecision,
} from "../sources/model-file/index.js";

/**
 * The network of a model file, compiled without the lines of validation, as actions that look into a model or change it do
 * (ComputationNetwork::Load). Throws CntkError for a file that is none, or of another precision than the run's.
 */
export function loadedNetwork(session: Session, path: string): ShapedNetwork {
  const model = loadModelFile(session, path);
  requirePrecision(session.elementType, model, path);
  const network = networkFromModel(model, path);
  session.axisNames.takenByLoading(network);
  return inModelFile(path, () => shapeNetwork(session, network, 0).shaped);
}
