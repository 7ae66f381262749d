import type { Options } from "yargs";
import type { Surroundings } from "./surroundings.js";

/** What stood on a command line behind the command's name, in the form its declaration promises. */
export interface Given {
  /** Words besides options: the configuration's, or as many as the command declares. */
  readonly words: readonly string[];
  /** The value of an option that is demanded or has a default. */
  readonly text: (option: string) => string;
  /** `{ option: value }`, or nothing where the option was not given: to spread into a request. */
  readonly optional: <K extends string>(option: K) => Partial<Record<K, string>>;
  readonly flag: (option: string) => boolean;
  /** Throws `usage` unless the option's value is a whole number from 1. */
  readonly positive: (option: string) => number;
  /** Throws `usage` unless the option's value is one of the choices. */
  readonly oneOf: <T extends string>(option: string, choices: readonly T[]) => T;
}

/** What a command works with. */
export interface CommandContext extends Surroundings {
  /** `--backend NAME`, which may stand anywhere. */
  readonly backend?: string;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Writes a result to standard output; characters that would act on a terminal are shown as escapes. */
  readonly print: (text: string) => void;
}

/**
 * One command of the program. To add one: a file in commands/ that calls `defineCommand`, and a line in commands/index.ts; help,
 * usage errors and the exit status follow from the declaration. The work itself belongs into src/api.ts, where programs
 * find it too: a command reads words into a request and prints what comes back.
 */
export interface CommandSpec<Request extends object> {
  readonly name: string;
  /** As help shows it, without the program's name. */
  readonly usage: string;
  readonly describe: string;
  /** What `COMMAND --help` says besides. */
  readonly details?: string;
  readonly options: Readonly<Record<string, Options>>;
  /**
   * Names of the words it takes besides options; the last one may end in `…`: one or more. Undefined = a configuration's command
   * line.
   */
  readonly words?: readonly string[];
  /** A configuration's command line may be left out. */
  readonly configurationIsOptional?: true;
  /** What is asked for, as plain data, from a command line that is well-formed. Throws `usage` for values of the wrong form. */
  readonly read: (given: Given) => Request;
  readonly run: (request: Request, context: CommandContext) => Promise<unknown>;
}

/** A command whose request nobody else looks into. */
export interface Command extends Omit<CommandSpec<object>, "read" | "run"> {
  /** Reads the command line; nothing is done before `run`. */
  readonly prepare: (given: Given) => Prepared;
}

/** A command line that has been read. */
export interface Prepared {
  /** What is asked for, as plain data: the command's name as `kind`, and its request. */
  readonly request: Readonly<Record<string, unknown>>;
  /** Does it and tells the exit status. */
  readonly run: (context: CommandContext) => Promise<number>;
}

export function defineCommand<Request extends object>(spec: CommandSpec<Request>): Command {
  const { read, run, ...declaration } = spec;
  return {
    ...declaration,
    prepare: (given) => {
      const request = read(given);
      return {
        request: { kind: spec.name, ...request },
        run: async (context) => {
          await run(request, context);
          return 0;
        },
      };
    },
  };
}

/** An option with a value. Values are text: yargs would make 1000 of 1e3. */
export function textOption(describe: string): Options {
  return { type: "string", describe, requiresArg: true };
}

/** An option with a value that has to be given. */
export function demandedOption(describe: string): Options {
  return { ...textOption(describe), demandOption: true };
}
