import { isConfigFileWord } from "../config/assemble.js";
import type { CntkError } from "../diagnostics/diagnostic.js";
import { didYouMean } from "../diagnostics/suggest.js";
import { packageVersion } from "../node/platform.js";
import type { Command, Given, Prepared } from "./command.js";
import { runCommand } from "./commands/run.js";
import { usageError } from "./usage-error.js";

/** A command line that has been read, with the backend it asks for. */
export interface Invocation extends Prepared {
  readonly backend?: string;
}

/**
 * Reads the command line; nothing is done yet. Words of a configuration (`key=value`) are handed on as they are. Throws
 * CntkError `usage` for unknown commands, unknown or missing options and values of the wrong form.
 */
export async function parseArguments(
  argv: readonly string[],
  commands: readonly Command[],
  backends: readonly string[],
): Promise<Invocation> {
  const { rest, backend } = takeBackend(argv, backends);
  const prepared = await parseRest(rest, commands);
  if (backend === undefined) return prepared;
  return { ...prepared, request: { ...prepared.request, backend }, backend };
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

async function parseRest(argv: readonly string[], commands: readonly Command[]): Promise<Prepared> {
  const [first] = argv;
  const wantsHelp = argv.includes("--help") || argv.includes("-h");
  if (first === undefined) return helpRequest(await helpFor(commands), 1);
  const find = (name: string | undefined) => commands.find((command) => command.name === name);
  const command = find(first) ?? (first === "help" ? find(argv[1]) : undefined);
  if (command) {
    if (wantsHelp || first === "help") return helpRequest(await helpFor(command), 0);
    return command.prepare(await parseCommand(command, argv.slice(1)));
  }
  if (wantsHelp || first === "help") return helpRequest(await helpFor(commands), 0);
  if (argv.includes("--version")) return versionRequest;
  const names = commands.map(({ name }) => name);
  return runCommand.prepare(new Arguments("", configurationWords(argv, names), {}));
}

/** The help of one command, or of all. It is loaded only here, yargs with it. */
async function helpFor(subject: Command | readonly Command[]): Promise<string> {
  const { commandHelp, mainHelp } = await import("./help.js");
  return "name" in subject ? commandHelp(subject) : mainHelp(subject);
}

function helpRequest(text: string, exitCode: number): Prepared {
  return {
    request: { kind: "help", text, exitCode },
    run: async ({ print }) => {
      print(`${text.trimEnd()}\n`);
      return exitCode;
    },
  };
}

const versionRequest: Prepared = {
  request: { kind: "version" },
  run: async ({ print }) => {
    print(`cntkts ${packageVersion()}\n`);
    return 0;
  },
};

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

/** A command's words and options, as its declaration wants them. */
async function parseCommand(command: Command, argv: readonly string[]): Promise<Given> {
  const { name } = command;
  const helpHint = `cntkts ${name} --help`;
  // Configuration words pass through as placeholders, since yargs would take quotes off them.
  const isWord = (arg: string) => command.words === undefined && !arg.startsWith("-") && arg.includes("=");
  const shielded = argv.map((arg, index) => (isWord(arg) ? `<word ${index}>` : arg));
  refuseUnknownOptions(command, shielded, helpHint);
  const isPlain = (arg: string) => arg !== "" && !arg.startsWith("-");
  const hasOnlyWords = argv.every(isPlain) && Object.values(command.options).every((it) => !it.demandOption);
  const parsed = hasOnlyWords
    ? { ...defaultsOf(command), _: shielded }
    : await parsedByYargs(command, shielded, helpHint);
  const words = parsed._.map((word) => {
    const shield = /^<word (\d+)>$/.exec(String(word));
    return shield ? argv[Number(shield[1])]! : String(word);
  });
  if (command.words === undefined) {
    const path = words.find((word) => !word.includes("="));
    const hint = path === undefined ? helpHint : `did you mean configFile=${path}?`;
    const isLeftOut = command.configurationIsOptional && words.length === 0;
    if (!isLeftOut && !words.some(isConfigFileWord)) throw usageError(`${name} needs configFile=FILE`, hint);
  } else if (words.length < command.words.length) {
    throw usageError(`${name} needs ${command.words[words.length]?.replace("…", "")}`, helpHint);
  } else if (words.length > command.words.length && command.words.at(-1)?.endsWith("…") !== true) {
    throw usageError(`${name} does not know what to do with '${words[command.words.length]}'`, helpHint);
  }
  return new Arguments(helpHint, words, parsed);
}

/** What options have that are not given. */
function defaultsOf({ options }: Command): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).map(([name, option]) => [name, option.default]));
}

/** Words and options; yargs is loaded only for who has options, since it takes as long as a small check. */
async function parsedByYargs(
  { name, options }: Command,
  argv: readonly string[],
  helpHint: string,
): Promise<Readonly<Record<string, unknown>> & { readonly _: readonly (string | number)[] }> {
  const { parser } = await import("./parser.js");
  return parser(argv)
    .help(false)
    .options(options)
    .strictOptions()
    .fail((message, error) => {
      throw yargsProblem(message || error.message, name, helpHint);
    })
    .parseAsync();
}

/** The values that yargs found, in the forms that commands ask for. */
class Arguments implements Given {
  constructor(
    private readonly helpHint: string,
    readonly words: readonly string[],
    private readonly options: Readonly<Record<string, unknown>>,
  ) {}

  readonly text = (option: string): string => String(this.options[option]);

  readonly optional = <K extends string>(option: K): Partial<Record<K, string>> =>
    // TypeScript does not see that a computed key of type K makes a record of it.
    (this.options[option] === undefined ? {} : { [option]: this.text(option) }) as Partial<Record<K, string>>;

  readonly flag = (option: string): boolean => this.options[option] === true;

  readonly positive = (option: string): number => {
    const value = this.text(option);
    const number = Number(value);
    if (/^\+?[0-9]+$/.test(value) && Number.isSafeInteger(number) && number > 0) return number;
    throw usageError(`--${option} takes a whole number from 1, not '${value}'`, this.helpHint);
  };

  readonly oneOf = <T extends string>(option: string, choices: readonly T[]): T => {
    const value = this.text(option);
    const found = choices.find((choice) => choice === value);
    if (found !== undefined) return found;
    throw usageError(
      `unknown ${option} '${value}'`,
      didYouMean(value, choices) ?? `one of ${choices.join(", ")}`,
    );
  };
}

/** Names the first option that the command does not have; yargs would complain about a missing one first. */
function refuseUnknownOptions(command: Command, argv: readonly string[], helpHint: string): void {
  const known = [...Object.keys(command.options), "backend", "help"].map((name) => `--${name}`);
  for (const arg of argv) {
    const name = arg.split("=")[0]!;
    // A negative number is the value of an option; the option complains of it.
    if (!arg.startsWith("-") || /^-\d/.test(arg) || known.includes(name)) continue;
    throw usageError(`${command.name} has no option '${name}'`, didYouMean(name, known) ?? helpHint);
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
