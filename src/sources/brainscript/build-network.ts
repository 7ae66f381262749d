import type { NamedExpression, Program, SourceLoader, TextWithPlaces } from "../../../grammar/index.js";
import { parseBrainScript, plainText, treeFromText } from "../../../grammar/index.js";
import { CntkError } from "../../diagnostics/diagnostic.js";
import type { Source } from "../../diagnostics/source.js";
import { evaluateProgram, typeName } from "../../evaluator/index.js";
import type { RecordValue } from "../../evaluator/values.js";
import {
  brokenFunctions,
  callHints,
  formerArguments,
  libraryParts,
  type LibrarySource,
  namesNotYet,
} from "../../library/index.js";
import type { LogSink } from "../../log/log.js";
import type { Network } from "../../network/network.js";
import { nameHint } from "./name-hints.js";
import { NodeFactory } from "./computation-node.js";
import { nativeClasses } from "./native-classes.js";
import { nodeOperators } from "./operators.js";
import type { SeedCounter } from "../../network/seed-counter.js";
import type { BuildSettings } from "./settings.js";
import type { ModelSource, NetworkCompiler } from "../loaded-models.js";
import { NetworkValue } from "./values.js";

/** What a network is built from. */
export interface BuildRequest {
  /** The value of `BrainScriptNetworkBuilder`: a record in `{ }` or `[ ]`, or an expression in `( )`. */
  readonly text: TextWithPlaces;
  /** The texts of the BrainScript library (`libraryFiles` and `libraryParts` name them). */
  readonly library: readonly LibrarySource[];
  readonly precision: "float" | "double";
  readonly deviceId: number;
  /** Above 0 the log tells about parameters whose dimensions are not known yet. */
  readonly traceLevel: number;
  /** Finds the texts of `include "…"`; without it every include is an error. */
  readonly loader?: SourceLoader;
  /** Belongs to the run: networks built one after the other go on counting. */
  readonly seeds: SeedCounter;
  /** Text of a file that a parameter is initialized from. */
  readFile(path: string): string;
  readonly models?: ModelSource;
  readonly compiler?: NetworkCompiler;
  /** Takes the log as it comes about, so that it is there also when an error ends the building. */
  readonly log?: LogSink;
}

export interface BuiltNetwork {
  readonly network: Network;
  /** What CNTK prints meanwhile, the output of Print included. */
  readonly log: string;
  /** The network's record with its evaluated members; absent when the text did not make the network with one. */
  readonly values?: RecordValue;
}

/**
 * Builds a network from BrainScript text: reads it together with the library, evaluates it and collects the nodes. Throws
 * CntkError for every mistake in the text. Source: Source/ActionsLib/NetworkFactory.cpp.
 */
export function buildNetwork(request: BuildRequest): BuiltNetwork {
  return networkFromTree(networkTree(request.text, request.loader), request);
}

/** The same for a text that has been parsed: a program with the one member `network`. */
export function networkFromTree(tree: Program, request: Omit<BuildRequest, "text" | "loader">): BuiltNetwork {
  let log = "";
  const settings: BuildSettings = {
    precision: request.precision,
    deviceId: request.deviceId,
    traceLevel: request.traceLevel,
    seeds: request.seeds,
    readFile: (path) => request.readFile(path),
    models: request.models,
    compiler: request.compiler,
    log: (text) => {
      log += text;
      request.log?.write(text);
    },
  };
  const factory = new NodeFactory(settings);
  const program = withLibrary(tree, request);
  const root = evaluateProgram(program, {
    classes: nativeClasses(factory),
    ...nodeOperators(factory),
    namesNotYet,
    formerArguments,
    nameHint: (name) => nameHint(program, name),
    callHints,
    brokenFunctions,
    print: (text) => settings.log(`${text}\n`),
  });
  const thunk = root.own("network");
  if (!thunk) throw new Error("the program has lost its network");
  const value = thunk.force();
  if (!(value instanceof NetworkValue)) {
    throw new CntkError({
      code: "wrong-type",
      message: `config member has wrong type (${typeName(value)}), expected a ComputationNetwork`,
      span: thunk.span,
    });
  }
  return { network: value.network, log, ...(value.record && { values: value.record }) };
}

/** The tree that is evaluated: the library, a few settings, and `network = …`. Throws the mistakes of the text. */
export function networkProgram(
  request: Pick<BuildRequest, "text" | "library" | "loader" | "precision" | "deviceId" | "traceLevel">,
): Program {
  return withLibrary(networkTree(request.text, request.loader), request);
}

function withLibrary(
  network: Program,
  request: Pick<BuildRequest, "library" | "precision" | "deviceId" | "traceLevel">,
): Program {
  const settings: Source = {
    name: "<configuration>",
    text: `deviceId = ${request.deviceId} traceLevel = ${request.traceLevel} precision = '${request.precision}'`,
  };
  const members: NamedExpression[] = [
    ...libraryMembers(request.library),
    ...parsed(plainText(settings)).members,
    ...network.members,
  ];
  return { ...network, members };
}

/**
 * The tree of a network's description: a program with the one member `network`. Throws CntkError for the mistakes of
 * the text.
 */
export function networkTree(text: TextWithPlaces, loader?: SourceLoader): Program {
  return parsed(asMember(text), loader);
}

const parsedLibrary = new WeakMap<Source, Program>();

/**
 * The members of all library files. Its parts (`libraryParts`) are found when a file includes them. The library does not
 * change while a program runs, so each of its texts is parsed once, or not at all where the build has done it.
 */
function libraryMembers(library: readonly LibrarySource[]): NamedExpression[] {
  const parts = library.filter(({ name }) => libraryParts.some((part) => name.endsWith(part)));
  const loader: SourceLoader = {
    load: (path) => {
      const source = parts.find(({ name }) => name.endsWith(path));
      return source && plainText(source);
    },
  };
  const files = library.filter((source) => !parts.includes(source));
  return files.flatMap((source) => {
    const program =
      parsedLibrary.get(source) ?? builtTree(source, library) ?? parsed(plainText(source), loader);
    parsedLibrary.set(source, program);
    return program.members;
  });
}

/** The tree that was built of a file, if it is that of today's texts. */
function builtTree({ tree }: LibrarySource, library: readonly Source[]): Program | undefined {
  if (tree === undefined) return undefined;
  return treeFromText(tree, (name) => library.find((source) => source.name === name));
}

function parsed(text: TextWithPlaces, loader?: SourceLoader): Program {
  const { result, diagnostics } = parseBrainScript(text, loader);
  const [first, ...others] = diagnostics;
  if (first) throw CntkError.ofAll([first, ...others]);
  if (!result) throw new Error("the parser gave neither a tree nor a message");
  return result;
}

/** The text as a member `network`; a record is wrapped into `new ComputationNetwork`. Places stay those of the text. */
function asMember(text: TextWithPlaces): TextWithPlaces {
  const opening = text.text.trimStart()[0];
  if (opening === undefined || !"([{".includes(opening)) {
    throw new CntkError({
      code: "network-description",
      message:
        "BrainScript network description must be either a BS expression in ( ) or a config record in { }",
      span: text.spanOf(0, text.text.length),
    });
  }
  const head = opening === "(" ? "network = " : "network = new ComputationNetwork ";
  const shifted = (offset: number): number => Math.max(0, offset - head.length);
  return {
    text: head + text.text,
    spanOf: (start, end) => text.spanOf(shifted(start), shifted(end)),
  };
}
