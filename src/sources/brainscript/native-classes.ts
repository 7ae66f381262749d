import { CntkError } from "../../diagnostics/diagnostic.js";
import { asBoolean, asInteger, asSize, inSteps, type Evaluation } from "../../evaluator/index.js";
import type { NativeClass } from "../../evaluator/values.js";
import { Arguments } from "./arguments.js";
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
      construct: (record) => inSteps(assembleNetwork(record, factory.values)),
    },
    simpleClass("TensorShape", function* (args) {
      return new ShapeValue(yield* args.shape("dims"));
    }),
    simpleClass("IntVector", function* (args) {
      return new VectorValue("IntVector", yield* args.items(asInteger));
    }),
    simpleClass("SizeVector", function* (args) {
      return new VectorValue("SizeVector", yield* args.items(asSize));
    }),
    simpleClass("BoolVector", function* (args) {
      return new VectorValue("BoolVector", yield* args.items(asBoolean));
    }),
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

function simpleClass(name: string, make: (args: Arguments) => Evaluation): NativeClass {
  return { name, construct: (record, context) => inSteps(make(new Arguments(record, context))) };
}
