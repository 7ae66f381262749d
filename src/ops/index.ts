import type { OpDefinition } from "../network/op-definition.js";
import { convolutionOperations } from "./convolution.js";
import { criteriaOperations } from "./criteria.js";
import { croppingOperations } from "./cropping.js";
import { dynamicAxisOperations } from "./dynamic-axes.js";
import { elementwiseOperations } from "./elementwise.js";
import { inputOperations } from "./inputs.js";
import { internalOperations } from "./internal.js";
import { linearAlgebraOperations } from "./linear-algebra.js";
import { monitoringOperations } from "./monitoring.js";
import { normalizationOperations } from "./normalization.js";
import { poolingOperations } from "./pooling.js";
import { precomputeOperations } from "./precompute.js";
import { productOperations } from "./products.js";
import { randomSampleOperations } from "./random-sample.js";
import { randomOperations } from "./random.js";
import { rankingOperations } from "./ranking.js";
import { recurrenceOperations } from "./recurrence.js";
import { reductionOperations } from "./reduction.js";
import { reshapingOperations } from "./reshaping.js";
import { rnnStackOperations } from "./rnn-stack.js";
import { roiPoolingOperations } from "./roi-pooling.js";
import { sequenceCriteriaOperations } from "./sequence-criteria.js";
import { slicingOperations } from "./slicing.js";
import { softmaxOperations } from "./softmax.js";
import { wordCriteriaOperations } from "./word-criteria.js";

export {
  laterOp,
  operationOfPrimitive,
  primitiveAttributes,
  type PrimitiveAttributes,
  stateOp,
} from "./internal.js";

export { reduceSequenceAxis } from "./product-shape.js";

/** The one list of all node types, family by family. */
export const operations: readonly OpDefinition[] = [
  ...inputOperations,
  ...elementwiseOperations,
  ...linearAlgebraOperations,
  ...convolutionOperations,
  ...poolingOperations,
  ...reductionOperations,
  ...softmaxOperations,
  ...reshapingOperations,
  ...normalizationOperations,
  ...criteriaOperations,
  ...randomOperations,
  ...recurrenceOperations,
  ...slicingOperations,
  ...croppingOperations,
  ...dynamicAxisOperations,
  ...productOperations,
  ...sequenceCriteriaOperations,
  ...wordCriteriaOperations,
  ...rankingOperations,
  ...precomputeOperations,
  ...rnnStackOperations,
  ...roiPoolingOperations,
  ...randomSampleOperations,
  ...monitoringOperations,
  ...internalOperations,
];

const byName = new Map<string, OpDefinition>();
for (const op of operations.filter(({ internal }) => !internal)) {
  for (const name of [op.name, ...(op.aliases ?? [])]) byName.set(name, op);
}

/**
 * The node type of that name, or of an older name that BrainScript and model files still accept (`Scale` is ElementTimes).
 * Case matters, as in CNTK.
 */
export function operationByName(name: string): OpDefinition | undefined {
  return byName.get(name);
}

/** The operation of a name that the program itself writes down. */
export function requireOperation(name: string): OpDefinition {
  const operation = operationByName(name);
  if (!operation) throw new Error(`there is no operation ${name}`);
  return operation;
}
