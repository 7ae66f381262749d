import { CntkError } from "../../diagnostics/diagnostic.js";
import type { CallContext, NativeClass, RecordValue, Value } from "../../evaluator/values.js";
import { Arguments, asBoolean, asInteger, asSize, flatten } from "./arguments.js";
import { assembleNetwork } from "./assemble-network.js";
import type { NodeFactory } from "./computation-node.js";
import { ShapeValue, VectorValue } from "./values.js";

/** Classes of CNTK that work on loaded models, with the library's names of them. */
const notAvailable: ReadonlyMap<string, string> = new Map([
  ["ComputationNetworkFromFile", "BS.Network.Load"],
  ["ComputationNetworkWithEdits", "BS.Network.Edit"],
  ["CloneFunctionConfigLambda", "BS.Network.CloneFunction"],
]);

/** The classes that the network builder adds to BrainScript. */
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
    ...Array.from(notAvailable, ([name, shownAs]) => refusedClass(name, shownAs)),
  ];
  return new Map(classes.map((nativeClass) => [nativeClass.name, nativeClass]));
}

function refusedClass(name: string, shownAs: string): NativeClass {
  return {
    name,
    construct(_record, { span, calls }) {
      throw new CntkError({
        code: "not-available",
        message: `${shownAs} is not available yet`,
        span,
        ...(calls && { calls: calls.map((call) => ({ span: call })) }),
      });
    },
  };
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
