import type { ModelFile } from "../model-files/index.js";
import type { ElementType } from "../numerics/values.js";
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
 * A network that is only looked at: its precision is the model's own, whatever the run's.
 * Throws CntkError for a file that is no model, or one of both precisions.
 */
export function viewedNetwork(
  session: Session,
  path: string,
): ShapedNetwork & { readonly elementType: ElementType } {
  const model = loadModelFile(session, path);
  const elementType = model.nodes[0]?.precision ?? session.elementType;
  return { ...shapedModel(session, model, path, elementType), elementType };
}

/**
 * The network of a model file, compiled without the lines of validation, as actions that look into a model or change it do
 * (ComputationNetwork::Load). Throws CntkError for a file that is none, or of another precision than the run's.
 */
export function loadedNetwork(session: Session, path: string): ShapedNetwork {
  return shapedModel(session, loadModelFile(session, path), path, session.elementType);
}

function shapedModel(
  session: Session,
  model: ModelFile,
  path: string,
  elementType: ElementType,
): ShapedNetwork {
  requirePrecision(elementType, model, path);
  const network = networkFromModel(model, path);
  session.axisNames.takenByLoading(network);
  return inModelFile(path, () => shapeNetwork(session, network, 0).shaped);
}
