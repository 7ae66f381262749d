import { defineCommand } from "../command.js";
import { onScreen } from "../screen.js";

/** `cntkts configFile=… key=value …`: CNTK's own command line. */
export const runCommand = defineCommand({
  name: "run",
  usage: "configFile=FILE[+FILE…] [key=value …]",
  describe: "Runs the commands of a configuration",
  options: {},
  read: ({ words }) => ({ words }),
  run: async ({ words }, context) => {
    const { runConfig } = await import("../../api-run.js");
    return onScreen(context, (options) => runConfig(words, options));
  },
});
