/** The old network description language → network. */
export { addDescription, InlineScript, newLanguage } from "./inline-script.js";
export { ndlSource, readMacroFiles } from "./ndl-source.js";
export { readScriptFile, scriptsOf } from "./script-text.js";
