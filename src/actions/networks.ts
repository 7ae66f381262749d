import type { ConfigSection } from "../config/config-section.js";
import { prune } from "../network/edit.js";
import { findNode } from "../network/find-node.js";
import type { Network, NetworkNode, ShapedNetwork } from "../network/network.js";
import { requireRunnable } from "../ops/unavailable.js";
import { buildShapedNetwork, hasBuilder, shapeNetwork, validationTraceLevel } from "../pipeline.js";
import type { Session } from "../session.js";
import type { Command } from "./action.js";
import {
  inModelFile,
  loadModelFile,
  networkFromModel,
  requirePrecision,
} from "../sources/model-file/index.js";

/**
 * For a check: which of these keys are there? Without all of them only the network can be checked, and the log says what a
 * run would ask for.
 */
export function keysThere(
  { log }: Pick<Session, "log">,
  { name, section }: Command,
  ...keys: readonly string[]
): ReadonlySet<string> {
  const missing = keys.filter((key) => !section.has(key));
  if (missing.length > 0) {
    log.write(`${name} has no ${missing.join(", no ")}: its network is checked; a run would ask for more.\n`);
  }
  return new Set(keys.filter((key) => !missing.includes(key)));
}

/** A network as an action got it. */
export interface ActionNetwork {
  readonly shaped: ShapedNetwork;
  /** Throws CntkError `model-precision` for a model file of another precision than the run's; at CNTK's moment. */
  readonly requirePrecision: () => void;
}

/**
 * The network of a test, eval or write command: built where it is described, else loaded from modelPath. The nodes that
 * `listedKey` names become its output nodes (ActionsLib/NetworkFactory.cpp, GetModelFromConfig).
 */
export async function networkForEvaluation(
  session: Session,
  section: ConfigSection,
  listedKey: string,
): Promise<ActionNetwork> {
  const listed = section.has(listedKey) ? section.array(listedKey) : [];
  const traceLevel = section.integer("traceLevel", 0);
  if (!hasBuilder(section)) {
    const path = section.string("modelPath");
    const model = loadModelFile(session, path);
    const network = networkFromModel(model, path);
    session.axisNames.takenByLoading(network);
    if (listed.length) patchOutputNodes(session, network, listed);
    const shape = (): ShapedNetwork => {
      const { shaped } = shapeNetwork(session, network, traceLevel);
      const { output, criterion, evaluation } = network.groups;
      const wanted = listed.length > 0 ? output : [...output, ...criterion, ...evaluation];
      requireRunnable(prune(network, wanted));
      return shaped;
    };
    const loaded = inModelFile(path, shape, "hint");
    session.networks?.push(loaded);
    return {
      shaped: loaded,
      requirePrecision: () => requirePrecision(session.elementType, model, path),
    };
  }
  const shaped = await buildShapedNetwork(session, section, traceLevel);
  const { network } = shaped;
  if (listed.length === 0) return { shaped, requirePrecision: () => undefined };
  patchOutputNodes(session, network, listed);
  const patched = shapeNetwork(session, network, validationTraceLevel(section, traceLevel), shaped);
  return { shaped: patched.shaped, requirePrecision: () => undefined };
}

/** Replaces the output group by listed nodes; unknown names are skipped with CNTK's line. */
function patchOutputNodes({ log }: Session, { nodes, groups }: Network, listed: readonly string[]): void {
  const found: NetworkNode[] = [];
  for (const name of listed) {
    const node = findNode(nodes, name);
    if (!node) log.write(`PatchOutputNodes: No node named '${name}'; skipping\n`);
    else if (!found.includes(node)) found.push(node);
  }
  groups.output.splice(0, groups.output.length, ...found);
}
