import { parseBrainScript, plainText, printAst, type TextWithPlaces } from "../../grammar/index.js";
import { printGradients } from "../autodiff/index.js";
import { selectBackend } from "../backends/select.js";
import { type Configuration, readConfiguration } from "../config/read-configuration.js";
import type { ConfigSection } from "../config/config-section.js";
import { printConfiguration } from "../config/print-configuration.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import type { Source } from "../diagnostics/source.js";
import { didYouMean } from "../diagnostics/suggest.js";
import { evaluateProgram, type Host, printValues } from "../evaluator/index.js";
import type { FileAccess } from "../files/file-access.js";
import type { LogSink } from "../log/log.js";
import { printNetwork } from "../network/print-network.js";
import { networkTree } from "../sources/brainscript/index.js";
import { SeedCounter } from "../network/seed-counter.js";
import {
  type BuildEnvironment,
  buildFromText,
  hasBuilder,
  inferenceStage,
  networkText,
  planStage,
  shapeNetwork,
  trainingStage,
} from "../pipeline.js";
import { printPlan } from "../plan/index.js";
import type { ElementType } from "../numerics/values.js";
import { AxisNames, printShapes } from "../shapes/index.js";
import { sourceLoader } from "../source-loader.js";
import { readSgdOptions } from "../training/sgd-options.js";
import { trainingNodes } from "./training-nodes.js";

export const explainStages = ["config", "ast", "values", "network", "shapes", "gradients", "plan"] as const;
export type ExplainStage = (typeof explainStages)[number];

export interface ExplainRequest {
  readonly words: readonly string[];
  readonly stage: ExplainStage;
  /** Command whose network is shown; default: the first training command. */
  readonly command?: string;
  readonly files: FileAccess;
  readonly library: readonly Source[];
  readonly backend?: string;
}

const nowhere: LogSink = { write: () => undefined };

/** Text of one stage of the road for a configuration (or for bare BrainScript given as `configFile=`). */
export async function explain(request: ExplainRequest): Promise<string> {
  const { result, diagnostics } = readConfiguration(request.words, request.files);
  const { root, assembled } = result;
  const bare = bareProgram(result);
  if (bare) return explainProgram(bare, request);
  const [problem] = diagnostics;
  if (problem) throw new CntkError(problem);
  if (request.stage === "config") return printConfiguration(root);
  const section = commandSection(root, request.command);
  const text = networkText(section);
  const loader = sourceLoader(assembled.files, assembled.includeDirectories);
  if (request.stage === "ast") return printAst(networkTree(text, loader));
  const elementType: ElementType = root.string("precision", "float") === "double" ? "double" : "float";
  const environment: BuildEnvironment = {
    files: assembled.files,
    library: request.library,
    includeDirectories: assembled.includeDirectories,
    elementType,
    seeds: new SeedCounter(),
    axisNames: new AxisNames(),
  };
  const built = buildFromText(environment, text, 0, nowhere);
  if (request.stage === "values") return built.values ? printValues(built.values) : "";
  if (request.stage === "network") return printNetwork(built.network);
  const { shaped } = shapeNetwork(environment, built.network, 0, nowhere);
  if (request.stage === "shapes") return printShapes(shaped);
  const { backend, notes } = await selectBackend({ requested: request.backend, elementType, deviceId: -1 });
  const chosen = [`backend: ${backend.description}`, ...notes].map((line) => `# ${line}\n`).join("");
  if (!section.has("SGD")) {
    const outputs = [...shaped.network.groups.output, ...shaped.network.groups.evaluation];
    return chosen + printPlan(planStage(inferenceStage(shaped, outputs), elementType));
  }
  const options = readSgdOptions(section.section("SGD"));
  const { criteria, evaluations } = trainingNodes(shaped, options);
  const [criterion] = criteria;
  if (!criterion) return "";
  const training = trainingStage(shaped, criterion, evaluations, options);
  if (request.stage === "gradients") return printGradients(training.graph);
  return chosen + printPlan(planStage(training.graph, elementType));
}

/** The section of the named command, or of the first command that trains, or of the first that has a builder. */
function commandSection(root: ConfigSection, name: string | undefined): ConfigSection {
  if (name !== undefined) {
    if (root.has(name)) return root.section(name);
    throw new CntkError({
      code: "command-missing",
      message: `There is no command '${name}' in the configuration.`,
      hint: didYouMean(name, root.keys()) ?? `commands: ${root.array("command", ["train"]).join(", ")}`,
    });
  }
  const names = root.array("command", ["train"]).filter((candidate) => root.has(candidate));
  const sections = names.map((candidate) => root.section(candidate));
  const trains = (section: ConfigSection): boolean =>
    section.array("action", ["train"]).some((action) => action.startsWith("train"));
  return (
    sections.find((section) => trains(section) && hasBuilder(section)) ?? sections.find(hasBuilder) ?? root
  );
}

/** The source, if the configuration is really a BrainScript program: no `command`, no section with an action or builder. */
function bareProgram({ root, assembled }: Configuration): Source | undefined {
  const [source, another] = assembled.sources;
  if (!source || another || root.has("command") || hasBuilder(root)) return undefined;
  const sections = root.keys().filter((key) => /^\s*[[{]/.test(root.raw(key)?.text ?? ""));
  const isCommand = (key: string): boolean => {
    try {
      const section = root.section(key);
      return section.hasOwn("action") || section.hasOwn("SGD") || hasBuilder(section);
    } catch {
      return false;
    }
  };
  return sections.some(isCommand) ? undefined : source;
}

function explainProgram(source: Source, request: ExplainRequest): string {
  const directory = source.name.slice(0, Math.max(source.name.lastIndexOf("/"), 0)) || ".";
  const program = parsed(plainText(source), sourceLoader(request.files, [directory]));
  if (request.stage === "ast") return printAst(program);
  if (request.stage === "values") {
    let printed = "";
    const host: Host = { classes: new Map(), print: (text) => (printed += `${text}\n`) };
    const library = request.library.flatMap((text) => parsed(plainText(text)).members);
    const names = evaluateProgram({ ...program, members: library }, host);
    const values = printValues(evaluateProgram(program, host, names));
    return printed + values;
  }
  throw new CntkError({
    code: "no-network",
    message: `${source.name} is bare BrainScript: only the stages ast and values can be shown.`,
    hint: "a configuration has a command and a BrainScriptNetworkBuilder",
  });
}

function parsed(text: TextWithPlaces, loader?: ReturnType<typeof sourceLoader>) {
  const { result, diagnostics } = parseBrainScript(text, loader);
  const [problem] = diagnostics;
  if (problem || !result) throw new CntkError(problem ?? { code: "syntax", message: "there is no program" });
  return result;
}
