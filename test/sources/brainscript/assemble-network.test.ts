import { describe, expect, it } from "vitest";
import {
  buildError,
  buildText,
  nodeNamed,
  nodeNames,
  operationOf,
  pointedAt,
} from "../../support/build-text.js";

describe("names of nodes (facts recorded with CNTK's evaluator)", () => {
  it.each([
    ["d = Sigmoid (Sigmoid (x))", ["d", "d._", "x"]],
    [
      "l = g {3} ; g {n} = { W = ParameterTensor {(n:4)} ; apply (x) = W * x }.apply ; y = l (x)",
      ["l.W", "x", "y"],
    ],
    ["h[i:0..2] = if i == 0 then x else Sigmoid (h[i-1]) ; out = h[2]", ["h[1]", "out", "x"]],
    ["ar[k:0..1] = { z = Exp (x) ; w = z }.w ; both = ar[0] + ar[1]", ["ar[0].z", "ar[1].z", "both", "x"]],
    ["y = Sigmoid (x * 2)", ["_y._", "x", "y", "y._"]],
    ["f = (x => Log (x)) >> (y => Tanh (y)) ; c = f (x)", ["c", "c.arg", "x"]],
    [
      "model = Sequential (DenseLayer {200, activation = Sigmoid} : LinearLayer {10}) ; z = model (x)",
      [
        "model.arrayOfFunctions[0].arrayOfFunctions[0].W",
        "model.arrayOfFunctions[0].arrayOfFunctions[0].b",
        "model.arrayOfFunctions[1].W",
        "model.arrayOfFunctions[1].b",
        "x",
        "z",
        "z.PlusArgs[0]",
        "z.x",
        "z.x._",
        "z.x._.PlusArgs[0]",
      ],
    ],
    ["s = Plus (x, 2)", ["inputs.arr[1].res", "s", "x"]],
  ])("%s", (members, names) => {
    expect(nodeNames(buildText(`{ x = Input {4} ; ${members} }`))).toEqual(names);
  });

  it("case 50: a constant and its operator may not share a name the user gave", () => {
    const error = buildError("{a=Input(1); y=a*2}");
    expect(error.message).toBe(
      "AddNodeToNetIfNotYet: Duplicated name for y LearnableParameter operation (1 vs. 2).",
    );
    expect(error.diagnostic.hint).toMatch(/Constant \(2\) \.\* x/);
    expect(pointedAt(error)).toBe("*");
  });

  it("case 51: a number other than 1 divided by a node", () => {
    const error = buildError("{a=Input(1); c=2/a}");
    expect(error.message).toBe(
      "division by a ComputationNode is currently supported for the reciprocal, 1/x",
    );
  });

  it("case 52: of several names of a node the last in the alphabet stays", () => {
    expect(nodeNames(buildText("{z=y; y=x; x=Input(1)}"))).toEqual(["z"]);
  });

  it("finds names equal that differ in case only", () => {
    const error = buildError("{ x = Input {1} ; A = Exp (x) ; a = x + x }");
    expect(error.message).toMatch(/^AddNodeToNetIfNotYet: Duplicated name for a Plus operation/);
    expect(error.diagnostic.hint).toMatch(/upper and lower case/);
  });
});

describe("groups", () => {
  it("come from the five members and from tags, old spellings included", () => {
    const { groups } = buildText(`{
      x = Input {2} ; l = Input {2, tag = 'label'}
      a = Pass (x, tag = 'eval') ; b = Pass (x, tag = 'criteria') ; c = Pass (x) ; d = Exp (x)
      outputNodes = (c : (d : a)) ; criterionNodes = d
    }`).network;
    const names = Object.fromEntries(
      Object.entries(groups).map(([group, nodes]) => [group, nodes.map((node) => node.name)]),
    );
    expect(names).toEqual({
      feature: ["x"],
      label: ["l"],
      criterion: ["d", "b"],
      evaluation: ["a"],
      output: ["d", "c", "a"],
    });
  });

  it("refuse other tags", () => {
    expect(buildError("{ x = Input {2, tag = 'labels'} }").message).toBe(
      "Invalid group tag 'labels', must be one of 'feature', 'label', 'criterion', 'evaluation', 'output'.",
    );
  });

  it("hold nodes only", () => {
    const error = buildError("{ x = Input {2} ; criterionNodes = (3) }");
    expect(error.message).toBe("config member has wrong type (Double), expected a ComputationNode");
    expect(pointedAt(error)).toBe("3");
  });
});

describe("what belongs to the network", () => {
  it("is what can be reached from the record's own members, breadth first", () => {
    const built = buildText(
      "{ x = Input {2} ; inner = { hidden = Exp (x) ; never = Fail ('no') } ; out = Log (inner.hidden) }",
    );
    expect(built.network.nodes.map((node) => node.name)).toEqual(["out", "x", "inner.hidden"]);
  });

  it("every member of the record is evaluated, whether needed or not", () => {
    expect(buildError("{ x = Input {2} ; stray = Fail ('my own words') }").message).toBe("my own words");
  });

  it("Print goes to the log", () => {
    expect(buildText("{ x = Input {2} ; stray = Print (1 + 2) }").log).toBe("3\n");
  });

  it("a chain of calls leads from a node in the library to the user's line", () => {
    const built = buildText("{ x = Input {2} ; z = DenseLayer {3} (x) }");
    const { origin, calls } = nodeNamed(built, "z");
    expect(origin?.source.name).toMatch(/layers\.bs$/);
    expect(calls?.at(-1)?.source.name).toBe("test.bs");
  });
});

describe("the text of a network", () => {
  it("may be an expression in parentheses that yields a network", () => {
    const built = buildText("( new ComputationNetwork { x = Input {2} ; y = Exp (x) } )");
    expect(operationOf(built, "y")).toBe("Exp(x)");
  });

  it("must begin with a bracket", () => {
    expect(buildError("x = Input {2}").message).toBe(
      "BrainScript network description must be either a BS expression in ( ) or a config record in { }",
    );
  });

  it("must yield a network", () => {
    expect(buildError("( 3 )").message).toBe(
      "config member has wrong type (Double), expected a ComputationNetwork",
    );
  });

  it("keeps its places: an unknown name is shown where it stands", () => {
    const error = buildError("{\n  z = LinaerLayer {3}\n}");
    expect(error.message).toBe("unknown identifier 'LinaerLayer'");
    expect(error.diagnostic.span?.start).toBe(8);
    expect(error.diagnostic.hint).toBe("did you mean 'LinearLayer'?");
  });
});

describe("members of nodes and networks", () => {
  it.each([
    ["x.name", "x"],
    ["x.operation", "InputValue"],
    ["x.dim", "6"],
    ["y.inputs[0].name", "x"],
    ["y.ExpArgs[0].name", "x"],
    ["Length (y.inputs)", "1"],
    ["y", "y : Exp [] (\n  x\n)"],
  ])("Print (%s)", (expression, printed) => {
    expect(buildText(`{ x = Input {(2:3)} ; y = Exp (x) ; zz = Print (${expression}) }`).log).toBe(
      `${printed}\n`,
    );
  });

  it("n.dim of a parameter whose dimensions are unknown", () => {
    expect(buildError("{ W = ParameterTensor {(2:0)} ; zz = Print (W.dim) }").message).toBe(
      "W.dim: The node's dimensions are not known yet.",
    );
  });

  it("a network's nodes are its members, dots written as underscores", () => {
    const text =
      "( { net = new ComputationNetwork { x = Input {2} ; y = Log (Exp (x)) } ; a = Print (net.y__.operation) ; b = net }.b )";
    expect(nodeNames(buildText(text))).toEqual(["x", "y", "y._"]);
    const printing = text.replace("b = net }.b", "b = if IsSameObject (a, a) then net else net }.b");
    expect(buildText(printing).log).toBe("Exp\n");
  });
});
