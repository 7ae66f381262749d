import { CntkError } from "../diagnostics/diagnostic.js";
import { suggest } from "../diagnostics/suggest.js";
import type { NetworkNode, ShapedNetwork } from "../network/network.js";
import { type ModelFile, readModel } from "../model-files/index.js";
import { requireRunnable } from "../ops/unavailable.js";
import { inModelFile, networkFromModel } from "../sources/model-file/index.js";
import { buildFromText, hasBuilder, networkText, shapeNetwork } from "../pipeline.js";
import type { CommandContext, RunContext } from "./run-context.js";

/** A network as an action got it. */
export interface ActionNetwork {
  readonly shaped: ShapedNetwork;
  /** Made by a network builder, not read from a model file. */
  readonly built: boolean;
}

/** Reads a model file (or, in a check, takes the untrained network an earlier command left in its place). */
export function loadModelFile(run: RunContext, path: string): ModelFile {
  const untrained = run.untrained?.get(run.files.resolve(path));
  if (untrained) return untrained;
  if (!run.files.exists(path)) {
    throw new CntkError({
      code: "model-missing",
      message: `error opening file '${path}': No such file or directory`,
      hint: "a train command with this modelPath writes it",
    });
  }
  return readModel(run.files.readBytes(path), path);
}

/** The network of a test, eval or write command: built where a builder is visible, else loaded from modelPath. */
export function networkForEvaluation(command: CommandContext, listedKey: string): ActionNetwork {
  const listed = command.section.has(listedKey) ? command.section.array(listedKey) : [];
  const traceLevel = command.section.integer("traceLevel", 0);
  if (hasBuilder(command.section)) {
    const { network } = buildFromText(command, networkText(command.section), traceLevel, command.log);
    const { shaped } = shapeNetwork(command, network, traceLevel, command.log);
    if (listed.length === 0) return { shaped, built: true };
    patchOutputNodes(command, network.nodes, network.groups.output, listed);
    return { shaped: shapeNetwork(command, network, traceLevel, command.log, shaped).shaped, built: true };
  }
  const path = command.section.string("modelPath");
  const network = networkFromModel(loadModelFile(command, path));
  command.axisNames.takenByLoading(network);
  if (listed.length) patchOutputNodes(command, network.nodes, network.groups.output, listed);
  const shape = (): ShapedNetwork => {
    const { shaped } = shapeNetwork(command, network, traceLevel, command.log);
    requireRunnable(network);
    return shaped;
  };
  return { shaped: inModelFile(path, shape, "hint"), built: false };
}

/** Replaces the output group by listed nodes; unknown names are skipped with CNTK's line. */
function patchOutputNodes(
  run: RunContext,
  nodes: readonly NetworkNode[],
  outputs: NetworkNode[],
  listed: readonly string[],
): void {
  const found: NetworkNode[] = [];
  for (const name of listed) {
    const node = findNode(nodes, name);
    if (!node) run.log.write(`PatchOutputNodes: No node named '${name}'; skipping\n`);
    else if (!found.includes(node)) found.push(node);
  }
  outputs.splice(0, outputs.length, ...found);
}

/** A node by its full name, without regard to case (as CNTK looks names up). */
export function findNode(nodes: readonly NetworkNode[], name: string): NetworkNode | undefined {
  const wanted = name.toLowerCase();
  return nodes.find((node) => node.name.toLowerCase() === wanted);
}

/**
 * A node by name or by an unambiguous suffix that begins at a dot: `z.pool1`, `pool1`.
 * @throws CntkError `node-unknown` or `node-ambiguous`, listing the near names.
 */
export function findNodeBySuffix(nodes: readonly NetworkNode[], name: string): NetworkNode {
  const exact = findNode(nodes, name);
  if (exact) return exact;
  const ending = `.${name.toLowerCase()}`;
  const matches = nodes.filter((node) => node.name.toLowerCase().endsWith(ending));
  if (matches.length === 1 && matches[0]) return matches[0];
  if (matches.length > 1) {
    throw new CntkError({
      code: "node-ambiguous",
      message: `'${name}' could be any of ${matches.length} nodes: ${matches.map((node) => node.name).join(", ")}`,
      hint: "write more of the name",
    });
  }
  const near = nearNames(nodes, name);
  throw new CntkError({
    code: "node-unknown",
    message: `The model has no node named '${name}'.`,
    hint: near.length ? `near names: ${near.join(", ")}` : "print-nodes lists every node",
  });
}

function nearNames(nodes: readonly NetworkNode[], name: string): string[] {
  const names = nodes.map((node) => node.name);
  const lastParts = new Map(names.map((full) => [full.split(".").at(-1) ?? full, full]));
  const partial = names.filter((full) => full.toLowerCase().includes(name.toLowerCase()));
  const hints = [suggest(name, names), lastParts.get(suggest(name, lastParts.keys()) ?? "")];
  return [...new Set([...partial, ...hints.filter((hint) => hint !== undefined)])].slice(0, 8);
}
