import { asBoolean, asInteger, asSize, inSteps, type Evaluation } from "../../evaluator/index.js";
import type { NativeClass } from "../../evaluator/values.js";
import { Arguments } from "./arguments.js";
import { assembleNetwork } from "./assemble-network.js";
import { cloneFunctionClass } from "./clone-function.js";
import type { NodeFactory } from "./computation-node.js";
import { editedNetworkClass } from "./edited-network.js";
import { loadedNetworkClass } from "./loaded-network.js";
import { ShapeValue, VectorValue } from "./values.js";

/** The classes that the network builder adds to BrainScript. */
export function nativeClasses(factory: NodeFactory): ReadonlyMap<string, NativeClass> {
  const classes: readonly NativeClass[] = [
    factory.nativeClass(),
    {
      name: "ComputationNetwork",
      restartsPath: true,
      construct: (record) => inSteps(assembleNetwork(record, factory)),
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
    loadedNetworkClass(factory),
    editedNetworkClass(factory),
    cloneFunctionClass(factory),
  ];
  return new Map(classes.map((nativeClass) => [nativeClass.name, nativeClass]));
}

function simpleClass(name: string, make: (args: Arguments) => Evaluation): NativeClass {
  return { name, construct: (record, context) => inSteps(make(new Arguments(record, context))) };
}
