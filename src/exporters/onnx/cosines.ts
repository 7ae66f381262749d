import { elementCount, type NetworkNode } from "../../network/network.js";
import { type Emission, noCounterpart } from "./emission.js";
import { integer } from "./graph.js";
import type { OperationRules } from "./rules.js";

/** Cosines of pairs of vectors, also of wrong pairs. */
export const cosineRules: OperationRules = {
  CosDistance(node, emission) {
    const [a, b] = [vectors(node, 0, emission), vectors(node, 1, emission)];
    return cosine(
      emission,
      a,
      b,
      [inverseNorm(emission, a, `${node.name}/a`), inverseNorm(emission, b, `${node.name}/b`)],
      node.name,
    );
  },
  /** Beside the true pair those with other samples, round the minibatch. */
  CosDistanceWithNegativeSamples(node, emission) {
    const { name } = node;
    const [a, b] = [vectors(node, 0, emission), vectors(node, 1, emission)];
    const first = emission.values.get(emission.input(node, 2))?.[0];
    if (first === undefined) throw noCounterpart(node, "with a computed shift");
    if (emission.leading !== 1) throw noCounterpart(node, "in sequences");
    const [ofA, ofB] = [inverseNorm(emission, a, `${name}/a`), inverseNorm(emission, b, `${name}/b`)];
    const pairs = Array.from({ length: elementCount(emission.shape(node)) }, (_, pair) => {
      const [other, norm] = [b, ofB].map((tensor, index) =>
        pair === 0 ? tensor : rotated(emission, tensor, first + pair - 1, `${name}/of_${pair}_${index}`),
      ) as [string, string];
      return cosine(emission, a, other, [ofA, norm], `${name}/pair_${pair}`);
    });
    return emission.add("Concat", pairs, name, { axis: integer(-1) });
  },
};

function vectors(node: NetworkNode, index: number, emission: Emission): string {
  const input = emission.input(node, index);
  const tensor = emission.tensor(input);
  if (emission.shape(input).length === 1) return tensor;
  return emission.reshape(tensor, [-1], emission.leads(input), `${node.name}/vector_${index + 1}`);
}

/** Σ a·b of each sample, [N, 1]. */
function dot(emission: Emission, a: string, b: string, name: string): string {
  return emission.reduce("ReduceSum", emission.add("Mul", [a, b], `${name}/products`), [-1], name);
}

/** 1 / ‖x‖ of each sample, 0 for zeros, as CNTK has it. */
function inverseNorm(emission: Emission, x: string, name: string): string {
  const norm = emission.add("Sqrt", [dot(emission, x, x, `${name}/squares`)], `${name}/norm`);
  const zero = emission.scalar(`${name}/zero`, 0);
  const isZero = emission.add("Equal", [norm, zero], `${name}/is_zero`);
  const inverse = emission.add("Reciprocal", [norm], `${name}/inverse_of_any`);
  return emission.add("Where", [isZero, zero, inverse], `${name}/inverse`);
}

function cosine(
  emission: Emission,
  a: string,
  b: string,
  [ofA, ofB]: readonly [string, string],
  name: string,
): string {
  const scaled = emission.add("Mul", [dot(emission, a, b, `${name}/dot`), ofA], `${name}/scaled`);
  return emission.add("Mul", [scaled, ofB], name);
}

/** Sample c is sample c + steps, round the minibatch. */
function rotated(emission: Emission, tensor: string, steps: number, name: string): string {
  const { graph } = emission;
  const axis = graph.numbers(`${name}/axis`, [0]);
  const shape = emission.add("Shape", [tensor], `${name}/shape`);
  const [zero, one] = [graph.numbers(`${name}/zero`, [0]), graph.numbers(`${name}/one`, [1])];
  const count = emission.add("Slice", [shape, zero, one], `${name}/count`);
  const begin = emission.add("Mod", [graph.numbers(`${name}/steps`, [steps]), count], `${name}/begin`);
  const rest = emission.add("Slice", [tensor, begin, count, axis], `${name}/rest`);
  const front = emission.add("Slice", [tensor, zero, begin, axis], `${name}/front`);
  return emission.add("Concat", [rest, front], name, { axis: integer(0) });
}
