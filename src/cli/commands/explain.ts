import { explainStages } from "../../choices.js";
import { defineCommand, demandedOption, textOption } from "../command.js";

/** `cntkts explain configFile=… --stage STAGE`: prints one stage of the road. */
export const explainCommand = defineCommand({
  name: "explain",
  usage: "explain configFile=… --stage STAGE [--command NAME] [key=value …]",
  describe: "Prints one stage of the road from configuration to plan",
  options: {
    stage: demandedOption(`one of ${explainStages.join(", ")}`),
    command: textOption("the command whose network is shown (default: the first that trains)"),
  },
  read: ({ words, oneOf, optional }) => ({
    words,
    stage: oneOf("stage", explainStages),
    ...optional("command"),
  }),
  run: async ({ words, stage, command }, { directory, backend, print }) => {
    const { explainConfig } = await import("../../api-run.js");
    const text = await explainConfig(words, stage, {
      directory,
      ...(command === undefined ? {} : { command }),
      ...(backend === undefined ? {} : { backend }),
    });
    print(text.endsWith("\n") ? text : `${text}\n`);
  },
});
