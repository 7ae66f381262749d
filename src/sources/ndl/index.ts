/** The old network description language → network. */
export { ndlSource } from "./ndl-source.js";
