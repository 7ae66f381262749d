import { elementCount, type NetworkNode } from "../../network/network.js";
import { newValues } from "../../numerics/values.js";
import { clippedLog } from "./elementwise.js";
import { type Emission, noCounterpart, reversed } from "./emission.js";
import { integer } from "./graph.js";
import { product } from "./products.js";
import type { OperationRules } from "./rules.js";
import { elementTypes } from "./schema.js";

/*
 * Criteria: one number for all samples that are given, not divided by their count, as CNTK has them before SGD averages.
 */

/** A tensor with its number of axes. */
interface Term {
  readonly tensor: string;
  readonly rank: number;
}

/** The elements of each sample of an input in a row, so that labels and values lie alike. */
function row(node: NetworkNode, index: number, emission: Emission): Term {
  const input = emission.input(node, index);
  const leads = emission.leads(input);
  const tensor = emission.tensor(input);
  if (emission.shape(input).length === 1) return { tensor, rank: leads + 1 };
  return {
    tensor: emission.reshape(tensor, [-1], leads, `${node.name}/row_${index + 1}`),
    rank: leads + 1,
  };
}

/** The sum of all numbers of a tensor, as the node's result. */
function total(node: NetworkNode, { tensor, rank }: Term, emission: Emission, name = node.name): string {
  const axes = Array.from({ length: rank }, (_, axis) => -1 - axis);
  const sum = emission.reduce("ReduceSum", tensor, axes, `${name}/sum`);
  return emission.reshape(sum, reversed(emission.shape(node)), 0, name);
}

/** Two rows and what an operation makes of them. */
function combined(operation: string, a: Term, b: Term, emission: Emission, name: string): Term {
  return { tensor: emission.add(operation, [a.tensor, b.tensor], name), rank: Math.max(a.rank, b.rank) };
}

/** −Σ labels · logarithms */
function crossEntropy(
  node: NetworkNode,
  labels: Term,
  logarithms: Term,
  emission: Emission,
  name = node.name,
): string {
  const products = combined("Mul", labels, logarithms, emission, `${name}/products`);
  return emission.add("Neg", [total(node, products, emission, `${name}/total`)], name);
}

function logSoftmax({ tensor, rank }: Term, emission: Emission, name: string): Term {
  return { tensor: emission.add("LogSoftmax", [tensor], name, { axis: integer(-1) }), rank };
}

/** Sums over all samples. */
export const criterionRules: OperationRules = {
  SumElements: (node, emission) => total(node, row(node, 0, emission), emission),
  // The objectives were computed elsewhere.
  DummyCriterion: (node, emission) => total(node, row(node, 0, emission), emission),
  MatrixL1Reg(node, emission) {
    const { tensor, rank } = row(node, 0, emission);
    return total(node, { tensor: emission.add("Abs", [tensor], `${node.name}/sizes`), rank }, emission);
  },
  MatrixL2Reg(node, emission) {
    const x = row(node, 0, emission);
    const squares = combined("Mul", x, x, emission, `${node.name}/squares`);
    return emission.add("Sqrt", [total(node, squares, emission, `${node.name}/total`)], node.name);
  },
  CrossEntropyWithSoftmax(node, emission) {
    const logarithms = logSoftmax(row(node, 1, emission), emission, `${node.name}/logarithms`);
    return crossEntropy(node, row(node, 0, emission), logarithms, emission);
  },
  CrossEntropy(node, emission) {
    const { tensor, rank } = row(node, 1, emission);
    const logarithms = { tensor: clippedLog(emission, tensor, `${node.name}/logarithms`), rank };
    return crossEntropy(node, row(node, 0, emission), logarithms, emission);
  },
  SquareError(node, emission) {
    const difference = combined(
      "Sub",
      row(node, 0, emission),
      row(node, 1, emission),
      emission,
      `${node.name}/difference`,
    );
    return total(node, combined("Mul", difference, difference, emission, `${node.name}/squares`), emission);
  },
  Logistic: logistic,
  ClassificationError: classificationError,
  ClassBasedCrossEntropyWithSoftmax: classBasedCrossEntropy,
};

/** −Σ ln(2yp + (1−y) − p); with weights Σ w·ln(…) over their mean. */
function logistic(node: NetworkNode, emission: Emission): string {
  const { name } = node;
  const [y, p] = [row(node, 0, emission), row(node, 1, emission)];
  const step = (operation: string, a: Term, b: Term, what: string): Term =>
    combined(operation, a, b, emission, `${name}/${what}`);
  const number = (value: number, what: string): Term => ({
    tensor: emission.scalar(`${name}/${what}`, value),
    rank: 0,
  });
  const both = step("Mul", number(2, "two"), step("Mul", y, p, "both"), "twice");
  const either = step("Add", both, step("Sub", number(1, "one"), y, "not_y"), "either");
  const likelihood = step("Sub", either, p, "likelihood");
  const logarithms = {
    tensor: clippedLog(emission, likelihood.tensor, `${name}/logarithms`),
    rank: likelihood.rank,
  };
  const weights = node.inputs[2];
  if (!weights) return emission.add("Neg", [total(node, logarithms, emission, `${name}/total`)], name);
  if (emission.leads(weights) === 0) throw noCounterpart(node, "whose weights are the same for all samples");
  const w = row(node, 2, emission);
  const sum = total(node, step("Mul", w, logarithms, "weighted"), emission, `${name}/total`);
  const all = Array.from({ length: w.rank }, (_, axis) => -1 - axis);
  const mean = emission.reduce("ReduceMean", w.tensor, all, `${name}/mean`);
  const perSample = emission.reshape(mean, [1], 0, `${name}/per_element`);
  const divisor = step(
    "Mul",
    { tensor: perSample, rank: 1 },
    number(elementCount(emission.shape(weights)), "elements"),
    "per_sample",
  );
  return emission.add("Neg", [emission.add("Div", [sum, divisor.tensor], `${name}/average`)], name);
}

/** Samples whose largest activation, or largest few, are not at the label. */
function classificationError(node: NetworkNode, emission: Emission): string {
  const { name } = node;
  const [labels, z] = [row(node, 0, emission), row(node, 1, emission)];
  const best = ({ tensor }: Term, what: string): string =>
    emission.add("ArgMax", [tensor], `${name}/${what}`, { axis: integer(-1), keepdims: integer(1) });
  const to = integer(elementTypes[emission.elementType]);
  const label = best(labels, "label");
  const topN = node.inputs[2];
  const count = topN ? emission.values.get(topN)?.[0] : 1;
  if (count === undefined) throw noCounterpart(node, "with a computed number of guesses");
  const guesses = count === 1 ? best(z, "guess") : largest(z, count, emission, name);
  const isHit = emission.add("Equal", [label, guesses], `${name}/is_hit`);
  const hits = emission.add("Cast", [isHit], `${name}/hits`, { to });
  const hit = emission.reduce("ReduceMax", hits, [-1], `${name}/hit`);
  const missed = emission.add("Sub", [emission.scalar(`${name}/one`, 1), hit], `${name}/missed`);
  return total(node, { tensor: missed, rank: Math.max(labels.rank, z.rank) }, emission);
}

/** Places of the largest few numbers of each row. */
function largest({ tensor }: Term, count: number, emission: Emission, name: string): string {
  const [values, places] = ["largest", "guesses"].map((what) => emission.graph.take(`${name}/${what}`)) as [
    string,
    string,
  ];
  const inputs = [tensor, emission.graph.numbers(`${name}/count`, [count])];
  emission.graph.push({
    operation: "TopK",
    inputs,
    outputs: [values, places],
    attributes: { axis: integer(-1) },
  });
  return places;
}

/** The cross entropy of the class, and of the word among the words of its class: the others are pushed out of the softmax. */
function classBasedCrossEntropy(node: NetworkNode, emission: Emission): string {
  const { name } = node;
  const [hidden, weight, classes] = [1, 2, 3].map((index) => emission.input(node, index)) as [
    NetworkNode,
    NetworkNode,
    NetworkNode,
  ];
  const { graph } = emission;
  const label = (index: number): string => {
    const operands = [[index], [index + 1], [-1]].map((values, at) =>
      graph.numbers(`${name}/${["from", "to", "axis"][at] ?? ""}_${index}`, values),
    );
    return emission.add("Slice", [row(node, 0, emission).tensor, ...operands], `${name}/label_${index + 1}`);
  };
  const words = elementCount(emission.shape(weight)) / elementCount(emission.shape(hidden));
  const numbers = (count: number, what: string): string =>
    emission.constant(
      `${name}/${what}`,
      [count],
      newValues(emission.elementType, count).map((_, place) => place),
    );
  const to = integer(elementTypes[emission.elementType]);
  const oneHot = (count: number, index: string, what: string): Term => {
    const isOne = emission.add("Equal", [numbers(count, `${what}_numbers`), index], `${name}/is_${what}`);
    return { tensor: emission.add("Cast", [isOne], `${name}/${what}`, { to }), rank: emission.leading + 1 };
  };
  const logits = product(emission, {
    left: { tensor: emission.tensor(weight), shape: [elementCount(emission.shape(hidden)), words], leads: 0 },
    right: {
      tensor: emission.tensor(hidden),
      shape: [elementCount(emission.shape(hidden))],
      leads: emission.leading,
    },
    innerRank: 1,
    isTransposed: true,
    result: [words],
    name: `${name}/logits`,
  });
  const places = numbers(words, "word_numbers");
  const [begin, end] = [label(2), label(3)];
  const isBefore = emission.add("Less", [places, begin], `${name}/is_before`);
  const isInside = emission.add("Less", [places, end], `${name}/is_before_end`);
  const outside = emission.scalar(`${name}/outside`, -1e30);
  const within = emission.add(
    "Where",
    [isBefore, outside, emission.add("Where", [isInside, logits, outside], `${name}/to_end`)],
    `${name}/within`,
  );
  const rank = emission.leading + 1;
  const wordLogs = logSoftmax({ tensor: within, rank }, emission, `${name}/word_logarithms`);
  const classLogs = logSoftmax(row(node, 3, emission), emission, `${name}/class_logarithms`);
  const ofWord = crossEntropy(node, oneHot(words, label(0), "word"), wordLogs, emission, `${name}/of_word`);
  const classCount = elementCount(emission.shape(classes));
  const ofClass = crossEntropy(
    node,
    oneHot(classCount, label(1), "class"),
    classLogs,
    emission,
    `${name}/of_class`,
  );
  return emission.add("Add", [ofWord, ofClass], name);
}
