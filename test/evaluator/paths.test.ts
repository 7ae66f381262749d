import { describe, expect, test } from "vitest";
import {
  type CallContext,
  type Host,
  type NativeClass,
  type ObjectValue,
  type Value,
} from "../../src/evaluator/index.js";
import { arrayItems, evaluateText } from "../support/evaluate-text.js";

// A stand-in for computation nodes: it only remembers the paths at which nodes are created. The expected names were
// observed on CNTK's own evaluator with such a class.
interface FakeNode extends ObjectValue {
  readonly name: string;
}

function namesOf(networkMembers: string): string[] {
  const created: string[] = [];
  const make = (context: CallContext): FakeNode => {
    created.push(context.path);
    return { kind: "object", type: "ComputationNode", name: context.path };
  };
  const asNode = (value: Value, context: CallContext) => typeof value === "number" && make(context);
  const node: NativeClass = {
    name: "ComputationNode",
    restartsPath: true,
    construct(args, context) {
      const result = make(context);
      arrayItems(args.lookup("inputs")?.force() ?? 0);
      return result;
    },
  };
  const network: NativeClass = {
    name: "ComputationNetwork",
    restartsPath: true,
    construct(args) {
      for (const name of [...args.names].sort()) args.own(name)?.force();
      return { kind: "object", type: "ComputationNetwork" };
    },
  };
  const host: Partial<Host> = {
    classes: new Map([node, network].map((one) => [one.name, one])),
    binary(_operator, left, right, context) {
      asNode(left, context);
      asNode(right, context);
      return make(context);
    },
    unary: (operator, operand, context) => (operator === "+" ? operand : make(context)),
    conditional: (_condition, _whenTrue, _whenFalse, context) => make(context),
  };
  const library = `
    Input (dim) = new ComputationNode [ inputs = [||] ]
    ParameterTensor {dims} = new ComputationNode [ inputs = [||] ]
    Sigmoid (_) = new ComputationNode [ inputs = _ ]
    Exp = Sigmoid  Log = Sigmoid  Tanh = Sigmoid`;
  evaluateText(`${library}\nnet = new ComputationNetwork {\n${networkMembers}\n}`, [], host)
    .own("net")
    ?.force();
  return created.sort();
}

describe("paths that name nodes", () => {
  const x = "x = Input (1) ";

  test.each<[string, string, string[]]>([
    ["operands", "W = Input (1) b = Input (1) z = W * x + b", ["W", "b", "z", "z.PlusArgs[0]"]],
    ["arguments", "d = Sigmoid (Sigmoid (x))", ["d", "d._"]],
    ["unary operators", "y = Sigmoid (-x) n = !x p = +x", ["y", "y._", "n"]],
    ["a constant has the operator's path", "y = Sigmoid (x * 2)", ["y", "y._", "y._"]],
    ["function bodies have the call's path", "f (a) = Log (Exp (a)) y = f (x)", ["y", "y._"]],
    [
      "functions made by functions keep the path of their maker",
      "g {n} = {W = ParameterTensor {n} ; apply (x) = W * x}.apply l = g {3} y = l (x)",
      ["l.W", "y"],
    ],
    ["composition", "f = (x => Log (x)) >> (y => Tanh (y)) c = f (x)", ["c", "c.arg"]],
    ["array elements", "h[i:0..2] = if i == 0 then x else Sigmoid (h[i-1]) out = h[2]", ["h[1]", "h[2]"]],
    ["records in arrays", "ar[k:0..1] = {z = Exp (x) ; w = z}.w u = ar[0] v = ar[1]", ["ar[0].z", "ar[1].z"]],
    ["lists", "l = Exp (x) : Log (x) a = l[0] b = l[1]", ["l[0]", "l[1]"]],
    ["a node as condition", "y = if x then Exp (x) else Log (x)", ["y", "y.then", "y.else"]],
    ["a condition that is computed", "y = if Sigmoid (x) then x else x", ["y", "y.if"]],
    ["indices", "y = (Exp (x) : x)[0]", ["y._vector[0]"]],
    ["names create nothing", "a = x b = a c = b", []],
    [">= is called GT", "y = Sigmoid (x) >= Exp (x)", ["y", "y.GTArgs[0]", "y.GTArgs[1]"]],
  ])("%s", (_title, members, names) => {
    expect(namesOf(x + members)).toEqual(["x", ...names].sort());
  });

  test("defaults have the path of the definition, and are made once", () => {
    const members = "f (a, w = Exp (x)) = a + w y = f (x) z = f (x)";
    expect(namesOf(x + members)).toEqual(["f.w", "x", "y", "z"]);
  });

  test("an initializer expression is evaluated for each element", () => {
    const members = "g () = {W = Exp (x) ; f (i) = W}.f a = array[0..1] (g ()) u = a[0] v = a[1]";
    expect(namesOf(x + members)).toEqual(["_lambda.W", "_lambda.W", "x"]);
  });
});

test("a call context tells the calls that led to it, innermost first", () => {
  let context: CallContext | undefined;
  const node: NativeClass = {
    name: "Node",
    construct(_args, at) {
      context = at;
      return { kind: "object", type: "Node" };
    },
  };
  const text =
    "Make (x) = new Node [] Layer {n} = {apply (x) = Make (x)}.apply model = Layer {1} do = model (2)";
  evaluateText(text, [], { classes: new Map([["Node", node]]) })
    .own("do")
    ?.force();
  const words = context?.calls?.map(({ source, start, end }) => source.text.slice(start, end));
  expect(words).toEqual(["Make", "model"]);
});
