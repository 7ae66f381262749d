import type { CallContext, NativeClass, RecordValue, Value } from "../../evaluator/values.js";
import { Arguments, asBoolean, asInteger, asSize, flatten } from "./arguments.js";
import { assembleNetwork } from "./assemble-network.js";
import type { NodeFactory } from "./computation-node.js";
import { ShapeValue, VectorValue } from "./values.js";

/**
 * The classes that the network builder adds to BrainScript. Those of model editing — ComputationNetworkFromFile,
 * ComputationNetworkWithEdits, CloneFunctionConfigLambda — belong here as well once models can be loaded.
 */
export function nativeClasses(factory: NodeFactory): ReadonlyMap<string, NativeClass> {
  const classes: readonly NativeClass[] = [
    factory.nativeClass(),
    {
      name: "ComputationNetwork",
      restartsPath: true,
      construct: (record) => assembleNetwork(record, factory.values),
    },
    simpleClass("TensorShape", (args) => new ShapeValue(args.shape("dims"))),
    simpleClass("IntVector", (args) => new VectorValue("IntVector", items(args, asInteger))),
    simpleClass("SizeVector", (args) => new VectorValue("SizeVector", items(args, asSize))),
    simpleClass("BoolVector", (args) => new VectorValue("BoolVector", items(args, asBoolean))),
  ];
  return new Map(classes.map((nativeClass) => [nativeClass.name, nativeClass]));
}

function simpleClass(name: string, make: (args: Arguments) => Value): NativeClass {
  return {
    name,
    construct: (record: RecordValue, context: CallContext) => make(new Arguments(record, context)),
  };
}

/** The elements of `items`: a single value or an array, nested ones flattened. */
function items<T>(args: Arguments, convert: Parameters<typeof flatten<T>>[2]): T[] {
  const thunk = args.thunk("items");
  return flatten(thunk.force(), thunk.span, convert);
}
