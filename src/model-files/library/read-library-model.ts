import { emptyGroups } from "../../network/build.js";
import { CntkError } from "../../diagnostics/diagnostic.js";
import type { NodeGroup } from "../../network/network.js";
import { type FieldValue, fieldsFromAttributes } from "../../network/stored-fields.js";
import { type ElementType, inElementType } from "../../numerics/values.js";
import { operationOfModelFile } from "../../ops/unavailable.js";
import { currentModelVersion, type ModelFile, type ModelNode } from "../model-file.js";
import { byNameIgnoringCase } from "../upgrade-model.js";
import { readDictionary } from "./dictionary.js";
import { type LibraryFunction, type LibraryGraph, type LibraryVariable, readGraph } from "./library-graph.js";
import { functionOfOutput, libraryNames } from "./library-names.js";
import {
  criteria,
  evaluations,
  libraryOperation,
  type OperationContext,
  passingFunctions,
} from "./library-operations.js";

/** The operation of functions that users of the library wrote themselves. */
const userDefined = "UserDefinedV2Function";

/** Does a file begin as the library's dictionaries do? Field 1, a version of 1 or 2. */
export function isLibraryModel(bytes: Uint8Array): boolean {
  return bytes[0] === 0x08 && (bytes[1] === 1 || bytes[1] === 2);
}

/**
 * Reads a model of CNTK's C++ or Python library: its functions become nodes of the operations that model files of the `cntk`
 * program have; `ownsBytes` if nobody else needs the bytes. Throws CntkError `model-file-broken`, `operation-unknown`.
 * Source: Source/CNTKv2LibraryDll/CompositeFunction.cpp, Serialization.cpp.
 */
export function readLibraryModel(bytes: Uint8Array, fileName: string, ownsBytes = false): ModelFile {
  const graph = readGraph(readDictionary(bytes, fileName, ownsBytes), fileName);
  return new Translation(graph, fileName).model();
}

class Translation {
  private readonly names: ReadonlyMap<string, string>;
  /** What placeholders of blocks stand for. */
  private readonly replaced = new Map<string, string>();
  private readonly elementType: ElementType;

  constructor(
    private readonly graph: LibraryGraph,
    private readonly fileName: string,
  ) {
    this.names = libraryNames(graph);
    for (const { block } of graph.functions.values()) {
      for (const [inside, outside] of block?.arguments ?? []) this.replaced.set(inside, outside);
    }
    const isDouble = [...graph.variables.values()].some((variable) => variable.isDouble);
    this.elementType = isDouble ? "double" : "float";
  }

  model(): ModelFile {
    const nodes: ModelNode[] = [];
    for (const variable of this.graph.variables.values()) {
      if (variable.kind !== "placeholder") nodes.push(this.leaf(variable));
    }
    for (const one of this.graph.functions.values()) {
      if (one.block || (one.op !== undefined && passingFunctions.has(one.op))) continue;
      nodes.push(this.functionNode(one));
    }
    return {
      version: currentModelVersion,
      nodes: nodes.sort(byNameIgnoringCase),
      groups: this.groups(nodes),
    };
  }

  private leaf(variable: LibraryVariable): ModelNode {
    const { kind, isSparse, dynamicAxes, value } = variable;
    const shape = variable.shape.length === 0 ? [1] : variable.shape;
    const base = { precision: this.elementType, name: this.nameOf(variable.uid), inputs: [] };
    if (kind === "input") {
      const axis = dynamicAxes.find(({ name }) => !name.startsWith("default"));
      const fields: Record<string, FieldValue> = {
        rows: 0,
        columns: 0,
        shape,
        axisCount: 1,
        dynamicAxis: axis?.name ?? "",
      };
      fields["learningRateMultiplier"] = 0;
      return { ...base, operation: isSparse ? "SparseInputValue" : "InputValue", fields };
    }
    if (!value) throw this.broken(`the values of '${base.name}'`);
    const [rows = 1, ...others] = shape;
    const columns = others.reduce((product, dim) => product * dim, 1);
    const values = inElementType(value.values, this.elementType);
    if (rows * columns !== values.length)
      throw this.broken(
        `${rows * columns} values of '${base.name}' [${shape.join(" x ")}], not ${values.length}`,
      );
    return {
      ...base,
      operation: "LearnableParameter",
      fields: {
        learningRateMultiplier: variable.kind === "parameter" && variable.needsGradient ? 1 : 0,
        shape,
      },
      values: { rows, columns, values },
    };
  }

  private functionNode(one: LibraryFunction): ModelNode {
    const base = { precision: this.elementType, name: this.nameOf(one.uid) };
    const sources = one.inputs.map((uid) => this.source(uid));
    if (one.op === undefined) {
      return { ...base, operation: userDefined, inputs: sources.map((uid) => this.nameOf(uid)), fields: {} };
    }
    const known = libraryOperation(one.op);
    const op = known && operationOfModelFile(known.operation);
    if (!known || !op) throw this.unknownOperation(one);
    const context: OperationContext = {
      attributes: one.attributes,
      inputShape: (index) => this.graph.variables.get(sources[index] ?? "")?.shape,
    };
    // Sorted, so that a function with too few of them leaves no gap: whoever uses the node says what is missing.
    const inputs = sources
      .map((uid, index) => ({ name: this.nameOf(uid), place: known.places?.[index] ?? index }))
      .sort((a, b) => a.place - b.place)
      .map(({ name }) => name);
    const fields = {
      ...fieldsFromAttributes(op.stored, known.attributes?.(context) ?? {}),
      ...known.fields?.(context),
    };
    return {
      ...base,
      operation: known.operation,
      ...this.withInitialState({ inputs, fields }, sources, known.operation),
    };
  }

  /** A first state that is one number is a field of a delay, not an input. */
  private withInitialState(
    node: Pick<ModelNode, "inputs" | "fields">,
    sources: readonly string[],
    operation: string,
  ): Pick<ModelNode, "inputs" | "fields"> {
    if (operation !== "PastValue" && operation !== "FutureValue") return node;
    const state = this.graph.variables.get(sources[1] ?? "");
    if (state?.kind !== "constant" || state.value?.values.length !== 1) return node;
    return {
      inputs: node.inputs.slice(0, 1),
      fields: { ...node.fields, initialState: state.value.values[0] ?? 0 },
    };
  }

  /** The variable or function whose value an uid stands for, behind placeholders, blocks and what only passes values on. */
  private source(uid: string): string {
    let current = uid;
    for (let steps = 0; steps <= 10_000; steps++) {
      const replaced = this.replaced.get(current);
      const one = this.graph.functions.get(functionOfOutput(current));
      if (replaced !== undefined && replaced !== current) current = replaced;
      else if (one?.block) current = one.block.root;
      else if (one?.op !== undefined && passingFunctions.has(one.op)) current = one.inputs[0] ?? current;
      else if (one) return one.uid;
      else if (this.graph.variables.get(current)?.kind !== "placeholder") return current;
      else return this.target(current);
    }
    throw this.broken("functions that do not go round in circles");
  }

  /** A placeholder that no block explains closes a loop: it has the uid of an output. */
  private target(placeholder: string): string {
    throw this.broken(`what the placeholder '${placeholder}' stands for`);
  }

  private nameOf(uid: string): string {
    const name = this.names.get(uid);
    if (name === undefined) throw this.broken(`the function or variable '${uid}', which is used`);
    return name;
  }

  private groups(nodes: readonly ModelNode[]): Record<NodeGroup, string[]> {
    const groups = emptyGroups<string>();
    for (const { uid, kind } of this.graph.variables.values())
      if (kind === "input") groups.feature.push(this.nameOf(uid));
    const byName = new Map(nodes.map((node) => [node.name, node]));
    for (const name of this.roots()) {
      const operation = byName.get(name)?.operation ?? "";
      const group = criteria.has(operation)
        ? "criterion"
        : evaluations.has(operation)
          ? "evaluation"
          : "output";
      if (!groups[group].includes(name)) groups[group].push(name);
    }
    return groups;
  }

  /** The functions that a composite of several combines, or the one that it is. */
  private roots(): string[] {
    const root = this.graph.functions.get(this.graph.root);
    const uids = root?.op === 44 ? root.inputs : [this.graph.root];
    return uids.map((uid) => this.nameOf(this.source(uid)));
  }

  private broken(expected: string): CntkError {
    return new CntkError({
      code: "model-file-broken",
      message: `The file '${this.fileName}' is broken: there should be: ${expected}.`,
    });
  }

  private unknownOperation({ op, uid }: LibraryFunction): CntkError {
    return new CntkError({
      code: "operation-unknown",
      message: `The file '${this.fileName}' holds a function '${uid}' of the unknown operation ${op}.`,
      hint: "a newer library than CNTK 2.0's wrote it",
    });
  }
}
