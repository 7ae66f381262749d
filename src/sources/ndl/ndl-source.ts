import { attempted } from "../../diagnostics/attempts.js";
import type { ConfigSection } from "../../config/config-section.js";
import { MappedText } from "../../config/mapped-text.js";
import { splitAtPlus } from "../../config/assemble.js";
import type { Network } from "../../network/network.js";
import type { NetworkSource, SourceEnvironment } from "../network-source.js";
import { misspeltGroups } from "./node-groups.js";
import { scriptProblem } from "./read-statement.js";
import { ScriptLanguage } from "./script-language.js";
import { NewScriptNetwork } from "./script-network.js";
import { ScriptRun } from "./script-run.js";
import { readScriptFile, scriptsOf } from "./script-text.js";
import { Script } from "./script.js";

/**
 * `NDLNetworkBuilder`: a network in the old network description language, from a file or from sections of the configuration.
 * Source: ActionsLib/NDLNetworkBuilder.h.
 */
export const ndlSource: NetworkSource = {
  key: "NDLNetworkBuilder",
  validatesSilently: true,
  build(section, environment) {
    const own = section.section("NDLNetworkBuilder");
    return Promise.resolve(buildFromScript(readScript(own, section, environment), own, environment));
  },
  read(section, environment) {
    openDescription(section.section("NDLNetworkBuilder"), section, environment);
    // The builder holds an empty network from the start.
    environment.compiler.newDefaultAxis();
    return Promise.resolve();
  },
};

/** A description before its own scripts are read. */
interface Description {
  readonly language: ScriptLanguage;
  /** Scripts that stand in the configuration; absent where a file is named. */
  readonly inline: readonly MappedText[] | undefined;
}

/** What CNTK's builder does when it is made: it looks for the sections, or the name of a file, and reads macros. */
function openDescription(
  own: ConfigSection,
  outer: ConfigSection,
  environment: SourceEnvironment,
): Description {
  const { seeds, log } = environment;
  const language = new ScriptLanguage(() => seeds.drawScriptName());
  const inline = own.string("networkDescription", "") === "" ? inlineScripts(own, outer) : undefined;
  if (!inline) requireOneFile(own.text("networkDescription"));
  readMacroFiles(language, own, environment);
  log.write("NDLBuilder Using CPU\n");
  return { language, inline };
}

/** The scripts of a section, parsed as one. */
function readScript(own: ConfigSection, outer: ConfigSection, environment: SourceEnvironment): Script {
  const { language, inline } = openDescription(own, outer, environment);
  const script = new Script(language);
  for (const text of inline ?? fileScripts(own, environment)) script.parse(text);
  return script;
}

function buildFromScript(script: Script, own: ConfigSection, environment: SourceEnvironment): Network {
  const { files, seeds, elementType, log } = environment;
  const seedOffset = own.integer("randomSeedOffset", 0);
  const network = new NewScriptNetwork();
  const settings = {
    elementType,
    seeds,
    seedOffset,
    readFile: (path: string) => attempted(() => files.readText(path)),
    log: (text: string) => log.write(text),
  };
  new ScriptRun(network, settings).runAll(script);
  return { ...network.finish(), misspelt: misspeltGroups(script) };
}

/** The sections that `load` and `run` name, without a file. */
function inlineScripts(own: ConfigSection, outer: ConfigSection): readonly MappedText[] {
  if (!own.has("run")) {
    throw scriptProblem(
      "script-missing",
      "In NDLNetworkBuilder section either a 'networkDescription=filename' or 'run=sectionName' must exist.",
      outer.keySpan("NDLNetworkBuilder") ?? own.span,
      "NDLNetworkBuilder = [ run = net ; net = [ … ] ]",
    );
  }
  return ["load", "run"]
    .filter((key) => own.has(key))
    .map((key) => {
      const name = own.string(key);
      if (own.has(name)) return own.text(name);
      throw scriptProblem(
        "script-missing",
        `the configuration parameter 'load=${name}' doesn't specify another section in this configuration file. ` +
          "No 'networkDescription' variable was defined if specifying a separate file was desired.",
        own.keySpan(key) ?? own.span,
        `there is no section ${name}`,
      );
    });
}

function requireOneFile(path: MappedText): void {
  if (!path.text.includes("+")) return;
  throw scriptProblem(
    "script-missing",
    '"+" not allowed in "networkDescription" value.  Multiple files cannot be specified via "networkDescription" parameter. ' +
      'In order to load multiple NDL files (eg, for loading several files of macros), use the "ndlMacros" parameter.',
    path.spanOf(),
  );
}

/** The scripts of the file; the section's own `load` and `run` go before those of the file. */
function fileScripts(own: ConfigSection, { files }: SourceEnvironment): readonly MappedText[] {
  const path = own.text("networkDescription");
  const overrides = ["run", "load"].flatMap((key) => {
    const value = own.optionalText(key);
    return value ? [MappedText.literal(`\n${key}=${value.text}`, value.spanOf())] : [];
  });
  const text = MappedText.concat(readScriptFile(path, files, own), ...overrides);
  return scriptsOf(text, path.text);
}

/** Macros of other files, read one by one since each has sections of its own to load. */
export function readMacroFiles(
  language: ScriptLanguage,
  own: ConfigSection,
  { files }: Pick<SourceEnvironment, "files">,
): void {
  const paths = own.optionalText("ndlMacros");
  if (!paths) return;
  const script = new Script(language);
  for (const path of splitAtPlus(paths)) {
    for (const text of scriptsOf(readScriptFile(path, files, own), path.text)) script.parse(text);
  }
}
