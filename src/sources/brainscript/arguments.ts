import {
  asBoolean,
  asSize,
  Parameters,
  wrongType,
  type Conversion,
  type Evaluation,
  type Place,
} from "../../evaluator/index.js";
import type { Value } from "../../evaluator/values.js";
import { NodeValue, ShapeValue, VectorValue } from "./values.js";

/** The parameters of the network builder's classes. */
export class Arguments extends Parameters {
  /** The own members of a record that is a parameter itself; undefined where that is no record or not there. */
  *ownOf(name: string): Evaluation<Arguments | undefined> {
    const record: Value | undefined = this.has(name) ? yield this.ask(name) : undefined;
    if (typeof record !== "object" || record.kind !== "record") return undefined;
    return new Arguments(
      { ...record, own: (member) => record.own(member), lookup: (member) => record.own(member) },
      this.context,
    );
  }

  /** Dimensions: a TensorShape, a number, or an array (nested ones are flattened). */
  *shape(name: string): Evaluation<readonly number[]> {
    const value: Value = yield this.ask(name);
    if (value instanceof ShapeValue) return value.dims;
    if (value instanceof VectorValue) return value.items.map(Number);
    return yield* this.list(name, asSize);
  }

  /** Booleans: a BoolVector, a boolean, or an array of booleans. */
  *booleans(name: string): Evaluation<readonly boolean[]> {
    const value: Value = yield this.ask(name);
    if (value instanceof VectorValue) return value.items.map(Boolean);
    return yield* this.list(name, asBoolean);
  }

  /** The elements of `items`: a single value or an array, nested ones flattened. */
  items<T>(convert: Conversion<T>): Evaluation<T[]> {
    return this.list("items", convert);
  }

  /** The nodes of `inputs`; none if there is no such parameter. */
  *inputs(): Evaluation<NodeValue[]> {
    return this.has("inputs") ? yield* this.list("inputs", asNode) : [];
  }
}

export function asNode(value: Value, place: Place): NodeValue {
  if (!(value instanceof NodeValue)) throw wrongType(value, "ComputationNode", place());
  return value;
}
