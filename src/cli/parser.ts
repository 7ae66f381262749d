import yargs, { type Argv } from "yargs";

/** yargs without its liberties: values stay text, nothing is printed, nothing ends the process. */
export function parser(argv: readonly string[]): Argv {
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
