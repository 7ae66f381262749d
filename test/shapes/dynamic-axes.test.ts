import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { AxisNames } from "../../src/shapes/index.js";
import { networkFromBrainScript } from "../support/brainscript-network.js";
import { validateWithLog } from "../support/validate-with-log.js";

const recorded = (name: string): string =>
  readFileSync(new URL(`../fixtures/validation/${name}.txt`, import.meta.url), "utf8");

const options = () => ({ traceLevel: 1, axisNames: new AxisNames(), elementType: "double" }) as const;

const withDynamicAxis = `
  t = DynamicAxis()
  x = Input {3, dynamicAxis = t}
  q = Input {2}
  h = BS.Sequences.Last (RecurrentLSTMLayer {4} (x))
  zz = LinearLayer {2} (h)
  z = ReconcileDynamicAxis (zz, q)
  ce = SquareError (q, z)
  err = SumElements (Abs (q - z))
  criterionNodes = (ce) ; evaluationNodes = (err) ; outputNodes = (z:h)`;

const selecting = `
  x = Input {3}
  y = Input {2}
  h = Tanh (DenseLayer {4} (x))
  flags = Greater (Slice (0, 1, x, axis = 1) + Constant (5) * BS.Loop.IsFirst (x), Constant (0))
  pos = BS.Sequences.Where (flags)
  kept = BS.Sequences.Gather (flags, x)
  back = BS.Sequences.Scatter (flags, kept)
  first = BS.Loop.IsFirst (x) ; last = BS.Loop.IsLast (x)
  firstX = BS.Sequences.First (x) ; lastX = BS.Sequences.Last (x)
  all = BS.Sequences.BroadcastSequenceAs (x, lastX)
  z = LinearLayer {2} (h)
  ce = CrossEntropyWithSoftmax (y, z)
  err = ClassificationError (y, z)
  criterionNodes = (ce) ; evaluationNodes = (err) ; outputNodes = (z:pos:kept:back:first:last:firstX:lastX:all)`;

describe("validation of networks with several dynamic axes, against logs of CNTK 2.0 (CPU build)", () => {
  it.each([
    ["where", selecting],
    ["dynamic-axis", withDynamicAxis],
  ])("%s: roots, loops, passes and lines, character for character", (name, text) => {
    const { network } = networkFromBrainScript(text);
    expect(validateWithLog(network, options()).log).toBe(recorded(name));
  });

  it("gives nodes with an axis of their own another name in the next compile, but the inputs' axis stays", () => {
    const { network } = networkFromBrainScript(selecting);
    const shared = options();
    const first = validateWithLog(network, shared);
    const { log, shaped } = validateWithLog(network, { ...shared, previous: first.shaped });
    const axes = (text: string): Set<string> => new Set(text.match(/(?<= x )(\*|WhereNodeAxis)\d*(?=\])/g));
    const numbered = (numbers: readonly (number | "")[]): string[] => numbers.map((n) => `WhereNodeAxis${n}`);
    expect(axes(first.log)).toEqual(new Set(["*", ...numbered(["", 1, 2, 3, 4, 5])]));
    expect(axes(log)).toEqual(new Set(["*", ...numbered([6, 7, 8, 9, 10, 11])]));
    const axisOf = (name: string): unknown => {
      const node = network.nodes.find((candidate) => candidate.name === name);
      return node && shaped.facts.get(node)?.dynamicAxis;
    };
    expect(axisOf("back")).toBe(axisOf("x"));
    expect(axisOf("kept")).not.toBe(axisOf("firstX"));
  });

  it("refuses an input whose dynamicAxis is no DynamicAxis, and a DynamicAxis as an operand", () => {
    const failure = (text: string) => () =>
      validateWithLog(networkFromBrainScript(text).network, { ...options(), traceLevel: 0 });
    expect(failure("s = Input {1}\nx = Input {2, dynamicAxis = 's'}\noutputNodes = (x:s)")).toThrow(
      "Node 'x' (InputValue operation): dynamicAxis argument must be of type DynamicAxis(), but got Node 's' (InputValue operation).",
    );
    expect(failure("x = Input {2, dynamicAxis = 'nobody'}\noutputNodes = (x)")).toThrow(
      "Can't find node 'nobody' for retrieving dynamic axis.",
    );
    expect(failure("t = DynamicAxis {}\nx = Input {1}\nz = t + x\noutputNodes = (z)")).toThrow(
      "Node 't' (DynamicAxis operation): Cannot be used as input to another node.",
    );
  });
});
