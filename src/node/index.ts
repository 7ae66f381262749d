export { nodeFiles } from "./files.js";
export { readLibrarySources } from "./library.js";
