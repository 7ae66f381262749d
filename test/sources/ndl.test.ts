import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ConfigSection, MappedText } from "../../src/config/index.js";
import type { Network } from "../../src/network/network.js";
import { SeedCounter } from "../../src/network/seed-counter.js";
import { ndlSource } from "../../src/sources/ndl/index.js";
import { memoryFiles } from "../support/memory-files.js";

interface Description {
  /** The section of the builder. */
  readonly section: string;
  /** Lines around it. */
  readonly around?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly seeds?: SeedCounter;
}

interface Built {
  readonly network: Network;
  readonly log: string;
}

async function build({
  section,
  around = "",
  files = {},
  seeds = new SeedCounter(),
}: Description): Promise<Built> {
  const text = `${around}\nNDLNetworkBuilder = [ ${section} ]`;
  const outer = ConfigSection.read(MappedText.of({ name: "f.cntk", text }), "f.cntk:train").result;
  let log = "";
  const network = await ndlSource.build(outer, {
    files: memoryFiles(new Map(Object.entries(files).map(([name, content]) => [`/${name}`, content]))),
    library: [],
    includeDirectories: [],
    elementType: "float",
    deviceId: -1,
    traceLevel: 0,
    seeds,
    models: { load: unwanted },
    compiler: { newDefaultAxis: unwanted, compile: unwanted },
    log: { write: (piece) => void (log += piece) },
  });
  return { network, log };
}

function unwanted(): never {
  throw new Error("the description asked for another network");
}

/** A network of one section, with the input that every network must have. */
const net = (text: string): Promise<Built> =>
  build({ section: `run = net\nnet = [\nfeatures = Input (4, tag = feature)\n${text}\n]` });

/** Lines like `z = Times (W, features)`, by name. */
function described({ nodes }: Network): string[] {
  const lines = nodes.map(
    ({ name, op, inputs }) => `${name} = ${op.name} (${inputs.map((x) => x.name).join(", ")})`,
  );
  return lines.sort();
}

function attribute({ nodes }: Network, name: string, key: string): unknown {
  return nodes.find((node) => node.name === name)?.attributes[key];
}

const layer =
  "Layer (x, rows, cols) = [\n W = Parameter (rows, cols)\n t = Times (W, x)\n Layer = Sigmoid (t)\n last = Tanh (t)\n]";

describe("scripts of the old network description language", () => {
  it("name the nodes of a macro after its call, and give what is called like the macro", async () => {
    const { network } = await net(`${layer}\nh = Layer (features, 3, 4)\nz = Plus (h, h.last)`);
    expect(described(network)).toEqual([
      "features = InputValue ()",
      "h.Layer = Sigmoid (h.t)",
      "h.W = LearnableParameter ()",
      "h.last = Tanh (h.t)",
      "h.t = Times (h.W, features)",
      "z = Plus (h.Layer, h.last)",
    ]);
  });

  it("number what has no name over all that is read, and initialize only what a statement names", async () => {
    // Calls and numbers are counted as they are read, a call before its arguments, also what gets a name afterwards:
    // Input 1, its 4 2, Sigmoid 3, Times 4, Parameter 5.
    const { network } = await net("z = Sigmoid (Times (Parameter (2, 4), features))\nW = Parameter (2, 4)");
    expect(described(network)).toContain("unnamed4 = Times (unnamed5, features)");
    expect(attribute(network, "unnamed5", "init")).toBe("fromValue");
    expect(attribute(network, "W", "init")).toBe("uniform");
    expect(attribute(network, "W", "seed")).toBe(1);
  });

  it("count seeds in the order of the statements, over all networks of a run, from an offset", async () => {
    const seeds = new SeedCounter();
    const section =
      "randomSeedOffset = 100\nrun = net\nnet = [ features = Input (2, tag = feature)\n" +
      "b = Parameter (1, 1)\na = Parameter (1, 1, init = gaussian)\nc = Parameter (1, 1, randomSeed = 7)\nd = Parameter (1, 1, init = fixedValue, value = 0.1) ]";
    const first = await build({ section, seeds });
    const second = await build({ section, seeds });
    const seedsOf = ({ network }: Built): unknown[] =>
      ["b", "a", "c"].map((name) => attribute(network, name, "seed"));
    expect(seedsOf(first)).toEqual([101, 102, 107]);
    expect(seedsOf(second)).toEqual([103, 104, 107]);
    expect(attribute(first.network, "d", "initValue")).toBe(Math.fround(0.1));
  });

  it("may use a node before it is defined, and close loops by a delay", async () => {
    const { network } = await net("past = PastValue (4, h, timeStep = 2)\nh = Plus (features, past)");
    expect(described(network)).toContain("past = PastValue (h)");
    expect(attribute(network, "past", "timeStep")).toBe(2);
    expect(attribute(network, "past", "defaultHiddenActivation")).toBe(Math.fround(0.1));
  });

  it("rename a node by a second name", async () => {
    const { network } = await net("h = Sigmoid (features)\nz = h\ny = Tanh (z)");
    expect(described(network)).toEqual([
      "features = InputValue ()",
      "y = Tanh (z)",
      "z = Sigmoid (features)",
    ]);
  });

  it("put nodes into groups by tags and by lists, under old spellings too", async () => {
    const { network } = await net(
      "labels = Input (4)\nLabelNodes = (labels)\nce = SquareError (labels, features, tag = criteria)\n" +
        "e = ClassificationError (labels, features, tag = EvalNodes)\nz = Sigmoid (features)\nOutputNodes = (z:ce)",
    );
    const names = Object.entries(network.groups).map(([group, nodes]) => [
      group,
      nodes.map(({ name }) => name),
    ]);
    expect(Object.fromEntries(names)).toEqual({
      feature: ["features"],
      label: ["labels"],
      criterion: ["ce"],
      evaluation: ["e"],
      output: ["z", "ce"],
    });
  });

  it("take sizes through the parameters of macros, also in lists", async () => {
    const { network } = await net(
      "Conv (x, k, maps) = [\n W = Parameter (maps, 0)\n c = Convolution (W, x, {k, k}, mapCount = maps, stride = {1, 2}, autoPadding = {true, false})\n]\n" +
        "img = ImageInput (8, 6, 3)\nOuter (x, n) = [ c = Conv (x, n, 5) ]\no = Outer (img, 3)",
    );
    expect(attribute(network, "img", "shape")).toEqual([3, 8, 6]);
    expect(attribute(network, "o.c.c", "kernelShape")).toEqual([3, 3]);
    expect(attribute(network, "o.c.c", "mapCount")).toEqual([5]);
    expect(attribute(network, "o.c.c", "dimPadding")).toEqual([true, false]);
  });

  it("tell of parameters whose sizes come later, by their names", async () => {
    const { log } = await net(
      "W = Parameter (2, 0)\nz = Times (W, features)\nb = Parameter (0, init = fixedValue)",
    );
    expect(log).toBe(
      "NDLBuilder Using CPU\n" +
        "Node 'W' (LearnableParameter operation): Initializating Parameter[2 x 0] as uniform later when dimensions are fully known.\n" +
        "Node 'b' (LearnableParameter operation): Initializating Parameter[0] as fromValue later when dimensions are fully known.\n",
    );
  });

  it("are read from files, with macros from others and variables of the configuration", async () => {
    const files = {
      "macros.ndl": `load = m\nm = [\n${layer}\n]\n`,
      "net.ndl":
        "# a comment\nload = other\nrun = first\nother = [ ]\nfirst = [ nothing = Input (1) ]\n" +
        "second = [\n features = Input ($dim$, tag = feature) # the data\n h = Layer (features, 2, $dim$)\n]\n",
    };
    const section = "networkDescription = net.ndl ; ndlMacros = macros.ndl ; run = second";
    const { network } = await build({ section, files, around: "dim = 9" });
    expect(attribute(network, "h.W", "shape")).toEqual([2, 9]);
  });
});

/** CNTK's own descriptions, where its tree is there: the nodes of the logs it recorded. */
const corpus = new URL(
  "../../../shared/cntk/Tests/EndToEndTests/Examples/Image/Deprecated/",
  import.meta.url,
);

describe.skipIf(!existsSync(corpus))("CNTK's own descriptions", () => {
  const cases = [
    { folder: "CIFAR-10/01_Convolution", file: "01_Convolution.ndl" },
    { folder: "CIFAR-10/05_ConvLocal", file: "05_ConvLocal.ndl" },
  ];
  for (const { folder, file } of cases) {
    it(folder, async () => {
      const text = (name: string): string => readFileSync(new URL(`${folder}/${name}`, corpus), "utf8");
      const macros = readFileSync(new URL("CIFAR-10/Macros.ndl", corpus), "utf8");
      const { network } = await build({
        section: `networkDescription = ${file} ; ndlMacros = Macros.ndl`,
        around: "imageLayout = cudnn",
        files: { [file]: text(file), "Macros.ndl": macros },
      });
      const lines = text("baseline.txt").matchAll(/^Validating --> (\S+ = \w+ ?\([^)]*\))/gm);
      const recorded = new Set([...lines].map(([, line = ""]) => line.replace(/ ?\(/, " (")));
      expect(recorded.size).toBeGreaterThan(20);
      expect(described(network)).toEqual([...recorded].sort());
    });
  }
});
