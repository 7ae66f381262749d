import type { Command } from "../command.js";
import { checkCommand } from "./check.js";
import { convertCommand } from "./convert.js";
import { evalCommand } from "./eval.js";
import { explainCommand } from "./explain.js";
import { exportCommand } from "./export.js";
import { importCommand } from "./import.js";
import { mnistCommand } from "./mnist.js";
import { printNodesCommand } from "./print-nodes.js";
import { viewCommand } from "./view.js";
import { visualizeCommand } from "./visualize.js";

/** All commands but the run of a configuration, which needs no name; in the order of the help. */
export const commands: readonly Command[] = [
  checkCommand,
  explainCommand,
  printNodesCommand,
  evalCommand,
  exportCommand,
  importCommand,
  viewCommand,
  visualizeCommand,
  mnistCommand,
  convertCommand,
];
