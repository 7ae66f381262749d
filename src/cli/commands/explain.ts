import { explainConfig, type ExplainStage } from "../../index.js";
import type { Surroundings } from "../surroundings.js";

interface Request {
  readonly words: readonly string[];
  /** Checked when the command line was read. */
  readonly stage: string;
  readonly command?: string;
  readonly backend?: string;
}

/** `cntkts explain configFile=… --stage STAGE`: prints one stage of the road. */
export async function explainCommand(request: Request, { directory, output }: Surroundings): Promise<void> {
  const { words, stage, command, backend } = request;
  const options = {
    directory,
    ...(command === undefined ? {} : { command }),
    ...(backend === undefined ? {} : { backend }),
  };
  const text = await explainConfig(words, stage as ExplainStage, options);
  output.write(text.endsWith("\n") ? text : `${text}\n`);
}
