import type { MappedText } from "../../config/mapped-text.js";
import type { NetworkNode } from "../../network/network.js";
import { ScriptLanguage } from "./script-language.js";
import type { ScriptNetwork } from "./script-network.js";
import type { ScriptNode } from "./script-node.js";
import { type Pass, passes, ScriptRun, type ScriptSettings } from "./script-run.js";
import { Script } from "./script.js";

/**
 * Statements that are added one by one to a network which is there: nodes come into being at once, while links and values may
 * wait (Source/CNTK/ModelEditLanguage.h, HandleNDLInline; NDLUtil.h).
 */
export class InlineScript {
  private readonly script: Script;
  private readonly run: ScriptRun;
  /** The last statement that each pass has been through. */
  private readonly done = new Map<Pass, ScriptNode>();

  constructor(network: ScriptNetwork, settings: ScriptSettings, language = newLanguage(settings)) {
    this.script = new Script(language);
    this.run = new ScriptRun(network, settings);
  }

  /** Throws CntkError for every mistake of the statement that can be seen by itself. */
  add(statement: MappedText): void {
    this.script.parse(statement);
    this.pass("initial");
  }

  /** Attaches the links that wait; `completely` also gives parameters their values. */
  process(completely: boolean): void {
    for (const pass of completely ? passes : passes.slice(0, 2)) this.pass(pass);
  }

  find(name: string): NetworkNode | undefined {
    return this.script.find(name)?.node;
  }

  private pass(pass: Pass): void {
    const last = this.run.run(this.script, pass, this.done.get(pass));
    if (last) this.done.set(pass, last);
  }
}

/** Adds all that the texts describe to a network. */
export function addDescription(
  texts: readonly MappedText[],
  network: ScriptNetwork,
  settings: ScriptSettings,
  language = newLanguage(settings),
): void {
  const script = new Script(language);
  for (const text of texts) script.parse(text);
  new ScriptRun(network, settings).runAll(script);
}

export function newLanguage({ seeds }: Pick<ScriptSettings, "seeds">): ScriptLanguage {
  return new ScriptLanguage(() => seeds.drawScriptName());
}
