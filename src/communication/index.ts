/** What processes that train together say to each other. */
export { singleProcess, type Communicator, type PendingSum, type ProcessGroup } from "./communicator.js";
