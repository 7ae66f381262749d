import { CntkError } from "../diagnostics/diagnostic.js";
import type { LoggedTraining } from "../log/training-curves.js";
import type { ModelFile } from "../model-files/index.js";
import type { ShapedNetwork } from "../network/network.js";
import { groupNodes } from "./groups.js";
import type { ViewData } from "./view-data.js";
import { describeNodes, viewNodes } from "./view-nodes.js";
import { viewParameters } from "./view-parameters.js";

export interface ViewRequest {
  readonly model: ModelFile;
  /** The network with its shapes; what it throws is told where a model holds operations that cannot be run. */
  readonly shape: () => ShapedNetwork;
  readonly title: string;
  readonly producer: string;
  readonly trainings: readonly LoggedTraining[];
}

/** All that a page shows of a model. Parameters are parts of the nodes that use them; only those that nobody uses stand alone. */
export function viewOfModel({ model, shape, title, producer, trainings }: ViewRequest): ViewData {
  const shaped = shapesOf(shape);
  const described = describeNodes(model, shaped.network);
  const parameters = viewParameters(described);
  const places = new Map(parameters.map(({ node }, place) => [node, place]));
  const nodes = viewNodes(described, model, places);
  const used = new Set(nodes.flatMap(({ inputs }) => inputs));
  const groups = groupNodes(
    nodes.map(({ name, kind }, index) => ({
      name,
      isFolded: kind === "parameter" && used.has(index),
    })),
  );
  const { reason } = shaped;
  return {
    title,
    producer,
    nodes,
    groups,
    parameters,
    trainings,
    ...(reason === undefined ? {} : { shapesUnknown: reason }),
  };
}

function shapesOf(shape: () => ShapedNetwork): {
  readonly network?: ShapedNetwork;
  readonly reason?: string;
} {
  try {
    return { network: shape() };
  } catch (error) {
    if (!(error instanceof CntkError)) throw error;
    return { reason: error.message };
  }
}
