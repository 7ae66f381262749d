import { renderDiagnostic } from "../../diagnostics/render.js";
import { defineCommand } from "../command.js";
import { GatheredLog, onScreen } from "../screen.js";

/** `cntkts check configFile=…`: everything up to the plan, without data; a network alone will do. */
export const checkCommand = defineCommand({
  name: "check",
  usage: "check configFile=… [--summary] [key=value …]",
  describe:
    "Checks the network and the settings of every command: what a run would refuse is refused; needs no data, writes nothing",
  options: {
    summary: {
      type: "boolean",
      describe: "prints the layers of each network, their output shapes and parameters",
      default: false,
    },
  },
  read: ({ words, flag }) => ({ words, summary: flag("summary") }),
  run: async ({ words, summary }, context) => {
    const { checkConfig, printSummary } = await import("../../api-run.js");
    await onScreen(context, async (options) => {
      const log = new GatheredLog(options.log);
      const { warnings, networks } = await checkConfig(words, { ...options, log }).finally(() => log.flush());
      for (const warning of warnings) context.errors.write(`\n${renderDiagnostic(warning)}\n`);
      if (!summary) return;
      for (const { command, summary: layers } of networks) {
        context.print(`\n${command}\n${printSummary(layers)}`);
      }
    });
  },
});
