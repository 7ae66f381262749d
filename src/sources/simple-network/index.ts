/** Layer sizes and a kind → network. */
export { simpleNetworkSource } from "./simple-network-source.js";
