import { checkConfig } from "../../index.js";
import { defineCommand } from "../command.js";
import { onScreen } from "../screen.js";

/** `cntkts check configFile=…`: everything up to validation, without data. */
export const checkCommand = defineCommand({
  name: "check",
  usage: "check configFile=… [key=value …]",
  describe: "Builds and validates the network of every command; needs no data, writes nothing",
  options: {},
  read: ({ words }) => ({ words }),
  run: ({ words }, context) => onScreen(context, (options) => checkConfig(words, options)),
});
