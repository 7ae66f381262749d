import type { MappedText } from "../../config/index.js";
import type { CntkError } from "../../diagnostics/diagnostic.js";
import { didYouMean } from "../../diagnostics/suggest.js";
import type { EditableNetwork } from "../../network/editable-network.js";
import type { NetworkNode } from "../../network/network.js";
import { editingProblem } from "./editing-problem.js";

/** Statements of the network description language that were added to a model. */
export interface InlineDescription {
  /** Reads a statement; makes its nodes, whose links may wait. */
  add(statement: MappedText): void;
  /** Attaches links that wait; `completely` also fills the groups and gives parameters their values. */
  process(completely: boolean): void;
  /** The node that a name of the description stands for. */
  find(name: string): NetworkNode | undefined;
}

/** A model that a script works on. */
export interface EditedModel {
  readonly network: EditableNetwork;
  /** Begun with the first statement in the network description language. */
  description: InlineDescription | undefined;
}

/** What a name of a script stands for: nodes of a model. */
export interface FoundNodes {
  readonly model: EditedModel;
  readonly nodes: readonly NetworkNode[];
}

/** A node, and the name that something of it shall get. */
export interface NamedNode {
  readonly node: NetworkNode;
  readonly name: string;
}

/** A name of a script: of a model, and in it a name whose one star stands for anything. */
interface Pattern {
  readonly model: EditedModel;
  readonly head: string;
  readonly tail: string | undefined;
}

/** The models of a script by name, in any case, and the one that is meant where none is named. */
export class ModelSet {
  private readonly models = new Map<string, EditedModel>();
  private defaultModel: EditedModel | undefined;

  constructor(private readonly log: (text: string) => void) {}

  /** Enters a model; it becomes the default if there is none (OverrideModelNameAndSetDefaultModel). */
  enter(name: string, network: EditableNetwork): void {
    const known = this.models.get(name.toLowerCase());
    if (known) {
      if (this.defaultModel === known) this.defaultModel = undefined;
      this.log(`WARNING: conflicting model name ${name}. Deleting the old model with the same name.`);
    }
    const model: EditedModel = { network, description: undefined };
    this.models.set(name.toLowerCase(), model);
    this.defaultModel ??= model;
  }

  remove(name: string): void {
    const model = this.models.get(name.toLowerCase());
    if (!model) {
      this.log(`WARNING: model ${name} does not exist.`);
      return;
    }
    if (this.defaultModel === model) this.defaultModel = undefined;
    this.models.delete(name.toLowerCase());
  }

  find(name: string): EditedModel | undefined {
    return this.models.get(name.toLowerCase());
  }

  makeDefault(name: MappedText): void {
    const model = this.find(name.text);
    if (!model) {
      throw editingProblem(
        "editing-model",
        `Model ${name.text} does not exist. Cannot set it to default.`,
        name.spanOf(),
        didYouMean(name.text, this.models.keys()),
      );
    }
    this.defaultModel = model;
  }

  /** The default model. Throws CntkError `editing-model` where there is none. */
  requireDefault(at: MappedText): EditedModel {
    if (this.defaultModel) return this.defaultModel;
    throw editingProblem(
      "editing-model",
      "there is no default model",
      at.spanOf(),
      "load one first, e.g. m = LoadModel (file)",
    );
  }

  /** The nodes of a name; at least one. Throws CntkError `editing-node`. */
  nodes(symbol: MappedText): FoundNodes {
    const { model, head, tail } = this.pattern(symbol);
    const name = tail === undefined ? head : `${head}*${tail}`;
    const nodes = model.network.matching(name);
    if (nodes.length > 0) return { model, nodes };
    const described = tail === undefined ? model.description?.find(head) : undefined;
    if (described) return { model, nodes: [described] };
    throw editingProblem(
      "editing-node",
      `FindSymbols could not find a symbol for ${symbol.text}`,
      symbol.spanOf(),
      nearName(head, model.network),
    );
  }

  /**
   * Nodes and the names that they get: `L1.* , L2.*` changes what stands before (and behind) the star. One node and a pattern
   * give that node with every name that the pattern finds (GenerateNames). Throws CntkError `editing-node`.
   */
  renamed(from: MappedText, to: MappedText): { from: EditedModel; to: EditedModel; names: NamedNode[] } {
    const source = this.pattern(from);
    const target = this.pattern(to);
    const nodes = source.model.network.matching(
      source.tail === undefined ? source.head : `${source.head}*${source.tail}`,
    );
    if (nodes.length === 0) {
      const name = source.tail === undefined ? source.head : `${source.head}*${source.tail}`;
      throw editingProblem(
        "editing-node",
        `GenerateNames: Node name does not exist ${name}.`,
        from.spanOf(),
        nearName(source.head, source.model.network),
      );
    }
    const models = { from: source.model, to: target.model };
    if (source.tail === undefined && target.tail !== undefined) {
      const found = target.model.network.matching(`${target.head}*${target.tail}`);
      if (found.length === 0) throw noTargets(from, to);
      return { ...models, names: found.map(({ name }) => ({ node: nodes[0]!, name })) };
    }
    const fits = (source.head === "") === (target.head === "") && !source.tail === !target.tail;
    if (!fits) throw patternsDiffer(from, to);
    const cutBehind = source.tail?.length ?? 0;
    const names = nodes.map((node) => {
      const middle =
        source.tail === undefined ? "" : node.name.slice(source.head.length, node.name.length - cutBehind);
      return { node, name: `${target.head}${middle}${target.tail ?? ""}` };
    });
    return { ...models, names };
  }

  /** Takes a name apart: `model.name`, `model.*`, `model` (all of it), `name`, `head*tail`. */
  private pattern(symbol: MappedText): Pattern {
    const { text } = symbol;
    const end = text.search(/[.*]/);
    const named = this.find(end < 0 ? text : text.slice(0, end));
    if (named && end < 0) return { model: named, head: "", tail: "" };
    const model = named ?? this.requireDefault(symbol);
    // Behind `model*` the star itself is gone, as in CNTK: the rest is the name.
    const rest = named ? text.slice(end + 1) : text;
    if (named && rest === "") return { model, head: "", tail: "" };
    const star = rest.indexOf("*");
    if (star < 0) return { model, head: rest, tail: undefined };
    return { model, head: rest.slice(0, star), tail: rest.slice(star + 1) };
  }
}

function nearName(name: string, network: EditableNetwork): string | undefined {
  return didYouMean(
    name,
    network.nodes.map((node) => node.name),
  );
}

function noTargets(from: MappedText, to: MappedText): CntkError {
  return editingProblem(
    "editing-node",
    "Setting a single input to multiple outputs requires the multiple outputs to exist. " +
      `In ${to.text} = ${from.text}, ${to.text} does not match any nodes.`,
    to.spanOf(),
  );
}

function patternsDiffer(from: MappedText, to: MappedText): CntkError {
  return editingProblem(
    "editing-node",
    "The input symbols and output symbols must match, when the input matches has more than one element. " +
      `${to.text} = ${from.text} not allowed`,
    to.spanOf(),
    "a star has to stand at the same place on both sides",
  );
}
