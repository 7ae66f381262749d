/** What processes that train together say to each other. */
export { singleProcess, type Communicator } from "./communicator.js";
