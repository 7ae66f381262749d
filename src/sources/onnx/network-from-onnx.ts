import { emptyGroups } from "../../network/build.js";
import { CntkError } from "../../diagnostics/diagnostic.js";
import { suggest } from "../../diagnostics/suggest.js";
import type { Network, NetworkNode } from "../../network/network.js";
import { elementwiseRules } from "./elementwise-rules.js";
import { Assembly, type ImportRules, OperationImport, Scope, type Value } from "./graph-import.js";
import { type OnnxFileGraph, type OnnxFileNode, readOnnx } from "./read-onnx.js";
import { recurrentRules } from "./recurrent-rules.js";
import { importScan } from "./scan-rule.js";
import { shapingRules } from "./shaping-rules.js";
import { windowRules } from "./window-rules.js";

/** A rule for every operation that has a counterpart, one file per family. */
const rules: ImportRules = { ...elementwiseRules, ...shapingRules, ...windowRules, ...recurrentRules };

/**
 * The network of an ONNX model. Its first axis is that of samples, or the first two those of time and samples where both are of
 * unknown size; all that stands behind is the shape of CNTK in reverse. Initializers become parameters: with the factor of the
 * learning rate that the file tells, else those of more than one element are trained.
 * @throws CntkError `onnx-broken`, `onnx-tensor`, `import-operation`
 */
export function networkFromOnnx(bytes: Uint8Array, fileName: string): Network {
  const graph = readOnnx(bytes, fileName);
  const assembly = new Assembly();
  const scope = new Scope();
  scope.addConstants(graph);
  const inputs = graph.inputs.filter(({ name }) => !graph.initializers.has(name));
  const features = inputs.map(({ name, dims }) => {
    const leads = dims.length > 1 && dims[0] === undefined && dims[1] === undefined ? 2 : 1;
    const own = dims.slice(leads).map((dim) => knownSize(dim, name));
    const shape = own.length === 0 ? [1] : [...own].reverse();
    const node = assembly.add("InputValue", [], name, { shape });
    scope.set(name, { kind: "node", node, dims: own, leads });
    return node;
  });
  importNodes(graph, scope, assembly);
  const groups = emptyGroups();
  groups.feature = features;
  groups.output = graph.outputs.map((name) => outputNode(name, scope, assembly));
  for (const node of features) node.tags.add("feature");
  for (const node of groups.output) node.tags.add("output");
  return { nodes: assembly.nodes, groups, values: assembly.values };
}

function knownSize(dim: number | undefined, name: string): number {
  if (dim !== undefined) return dim;
  throw new CntkError({
    code: "import-size",
    message: `The input '${name}' has an axis of unknown size behind that of its samples.`,
    hint: "only the number of samples, or time and samples in this order, may be unknown",
  });
}

function importNodes(graph: OnnxFileGraph, scope: Scope, assembly: Assembly): void {
  for (const node of graph.nodes) {
    const results = [resultsOf(node, scope, assembly)].flat();
    node.outputs.forEach((name, index) => {
      const value = results[index];
      if (name !== "" && value) scope.set(name, value);
    });
  }
}

function resultsOf(
  node: OnnxFileNode,
  scope: Scope,
  assembly: Assembly,
): Value | readonly (Value | undefined)[] {
  const operation = new OperationImport(assembly, scope, node);
  if (node.operation === "Scan")
    return importScan(operation, (body, inner) => importNodes(body, inner, assembly));
  const rule = Object.hasOwn(rules, node.operation) ? rules[node.operation] : undefined;
  if (rule) return rule(operation);
  const near = suggest(node.operation, Object.keys(rules));
  throw new CntkError({
    code: "import-operation",
    message: `${node.operation} '${operation.name}' has no counterpart in CNTK.`,
    hint:
      near === undefined
        ? "what there is: " + Object.keys(rules).sort().join(", ") + ", Scan"
        : `${near} would be imported`,
  });
}

/** An output as a node of its name. */
function outputNode(name: string, scope: Scope, assembly: Assembly): NetworkNode {
  const value = scope.get(name);
  if (value?.kind === "constant") return assembly.parameter(value);
  if (value?.kind === "directions") return assembly.add("Pass", [value.of.node], name);
  if (value?.kind !== "node") {
    throw new CntkError({
      code: "onnx-broken",
      message: `Nothing in the ONNX model gives its output '${name}'.`,
    });
  }
  return value.node.name === name ? value.node : assembly.add("Pass", [value.node], name);
}
