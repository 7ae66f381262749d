import type { ExplainStage } from "../choices.js";
import { parseBrainScript, plainText, printAst, type TextWithPlaces } from "../../grammar/index.js";
import { printGradients } from "../autodiff/index.js";
import type { Configuration } from "../config/read-configuration.js";
import type { ConfigSection } from "../config/config-section.js";
import { printConfiguration } from "../config/print-configuration.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import type { Source } from "../diagnostics/source.js";
import { didYouMean } from "../diagnostics/suggest.js";
import { evaluateProgram, type Host, printValues } from "../evaluator/index.js";
import { RunLog } from "../log/run-log.js";
import { printNetwork } from "../network/print-network.js";
import {
  buildNetwork,
  evaluateNetwork,
  hasBuilder,
  inferenceGraph,
  networkSource,
  parseNetwork,
  planGraph,
  readConfiguration,
  shapeNetwork,
  trainingGraph,
} from "../pipeline.js";
import { printPlan } from "../plan/index.js";
import type { SessionStart } from "../session.js";
import { printShapes } from "../shapes/index.js";
import { sourceLoader } from "../source-loader.js";
import { readSgdOptions } from "../training/sgd-options.js";
import { trainingNodes } from "../training/training-nodes.js";
import { openSession } from "./open-session.js";

export interface ExplainRequest {
  readonly words: readonly string[];
  readonly stage: ExplainStage;
  /** Command whose network is shown; default: the first training command. */
  readonly command?: string;
}

/** Text of one stage of the road for a configuration (or for bare BrainScript given as `configFile=`). */
export async function explain(start: SessionStart, request: ExplainRequest): Promise<string> {
  const { stage } = request;
  const { result, diagnostics } = readConfiguration(request.words, start.files);
  const { root } = result;
  const bare = bareProgram(result);
  if (bare) return explainProgram(bare, start, stage);
  const [problem, ...others] = diagnostics;
  if (problem) throw CntkError.ofAll([problem, ...others]);
  if (stage === "config") return printConfiguration(root);
  const section = commandSection(root, request.command);
  const silent = new RunLog({ write: () => undefined });
  const { session, notes } = await openSession(start, result, silent);
  const { elementType, backend } = session;
  if (stage === "ast" || stage === "values") {
    const tree = parseNetwork(session, section.text(networkSource(section).key));
    if (stage === "ast") return printAst(tree);
    const { values } = evaluateNetwork(session, tree, 0);
    return values ? printValues(values) : "";
  }
  const network = await buildNetwork(session, section, 0);
  if (stage === "network") return printNetwork(network);
  const { shaped } = shapeNetwork(session, network, 0);
  if (stage === "shapes") return printShapes(shaped);
  const chosen = [`backend: ${backend.description}`, ...notes].map((line) => `# ${line}\n`).join("");
  if (!section.has("SGD")) {
    const outputs = [...shaped.network.groups.output, ...shaped.network.groups.evaluation];
    return chosen + printPlan(planGraph(inferenceGraph(shaped, outputs), elementType));
  }
  const options = readSgdOptions(section.section("SGD"));
  const { criterion, evaluations } = trainingNodes(shaped, options);
  const { graph } = trainingGraph(shaped, { criterion, outputs: [criterion, ...evaluations], options });
  if (stage === "gradients") return printGradients(graph);
  return chosen + printPlan(planGraph(graph, elementType));
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

function explainProgram(source: Source, start: SessionStart, stage: ExplainStage): string {
  const directory = source.name.slice(0, Math.max(source.name.lastIndexOf("/"), 0)) || ".";
  const program = parsed(plainText(source), sourceLoader(start.files, [directory]));
  if (stage === "ast") return printAst(program);
  if (stage === "values") {
    let printed = "";
    const host: Host = { classes: new Map(), print: (text) => (printed += `${text}\n`) };
    const library = start.library.flatMap((text) => parsed(plainText(text)).members);
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
  const [problem, ...others] = diagnostics;
  if (problem) throw CntkError.ofAll([problem, ...others]);
  if (!result) throw new CntkError({ code: "syntax", message: "there is no program" });
  return result;
}
