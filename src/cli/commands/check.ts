import { checkConfig } from "../../index.js";
import { defineCommand } from "../command.js";
import { onScreen } from "../screen.js";

/** `cntkts check configFile=…`: everything up to the plan, without data; a network alone will do. */
export const checkCommand = defineCommand({
  name: "check",
  usage: "check configFile=… [key=value …]",
  describe:
    "Checks the network and the settings of every command: what a run would refuse is refused; needs no data, writes nothing",
  options: {},
  read: ({ words }) => ({ words }),
  run: ({ words }, context) => onScreen(context, (options) => checkConfig(words, options)),
});
