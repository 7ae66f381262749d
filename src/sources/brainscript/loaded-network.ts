import { CntkError } from "../../diagnostics/diagnostic.js";
import { inSteps, type Evaluation } from "../../evaluator/index.js";
import type { CallContext, NativeClass, RecordValue } from "../../evaluator/values.js";
import type { ModelFile } from "../../model-files/index.js";
import { networkFromModel } from "../model-file/index.js";
import { Arguments } from "./arguments.js";
import type { NodeFactory } from "./computation-node.js";
import { NetworkValue, NodeValue } from "./values.js";

/** `BS.Network.Load (pathName)`: the network of a model file, compiled (ComputationNetworkScripting.cpp). */
export function loadedNetworkClass(factory: NodeFactory): NativeClass {
  return {
    name: "ComputationNetworkFromFile",
    construct: (record, context) => inSteps(loadedNetwork(record, context, factory)),
  };
}

function* loadedNetwork(record: RecordValue, context: CallContext, factory: NodeFactory): Evaluation {
  const { settings, values } = factory;
  const defaultAxis = settings.compiler?.newDefaultAxis();
  const args = new Arguments(record, context);
  const path = yield* args.string("pathName");
  if (settings.traceLevel > 0) settings.log(`Load: Loading model file: ${path}`);
  const model = readModel(path, args, factory);
  const network = { ...networkFromModel(model, path), defaultAxis };
  const wrapped = new Map(
    network.nodes.map((node) => [node, new NodeValue(node, settings.seeds.drawNodeNumber(), context.span)]),
  );
  for (const [node, value] of wrapped) {
    value.attachInputs(node.inputs.flatMap((input) => wrapped.get(input) ?? []));
    const stored = network.values.get(node);
    if (stored) values.set(node, stored);
  }
  const loaded = new NetworkValue(network, [...wrapped.values()], settings.compiler, undefined, path);
  loaded.compile();
  return loaded;
}

/** The error of a file is one of the place that names the file. */
function readModel(path: string, args: Arguments, { settings }: NodeFactory): ModelFile {
  const span = args.place("pathName");
  if (!settings.models) {
    throw new CntkError({
      code: "model-missing",
      message: `error opening file '${path}': there are no model files here`,
      span,
    });
  }
  try {
    return settings.models.load(path);
  } catch (error) {
    if (!(error instanceof CntkError) || error.diagnostic.span) throw error;
    throw new CntkError({ ...error.diagnostic, span });
  }
}
