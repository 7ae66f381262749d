/** A training as TensorBoard shows it. */
export { EventFile } from "./event-file.js";
export { graphDefinition } from "./graph.js";
