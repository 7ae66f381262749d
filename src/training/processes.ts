import type { Communicator } from "../communication/index.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import type { NetworkNode } from "../network/network.js";
import type { Session } from "../session.js";
import { accumulates } from "./accumulated-results.js";
import type { Trainer } from "./trainer.js";

/** How processes share an evaluation. */
export interface EvaluationTeam {
  readonly communicator: Communicator;
  /** Each reads its own part; else all read the same and take their share of every minibatch. */
  readonly readsApart: boolean;
}

/** With `parallelTrain = true` evaluations are shared too, whatever the epoch and the method (SimpleEvaluator.h). */
export function evaluationTeam(
  { parallelTraining, communicator }: Pick<Session, "parallelTraining" | "communicator">,
  readsApart: boolean,
): EvaluationTeam | undefined {
  return parallelTraining ? { communicator, readsApart } : undefined;
}

/**
 * Refuses results of a whole pass that several processes share: each has one of its own part, and they cannot be added.
 * @throws CntkError `not-available`
 */
export function refuseSharedResults({ size }: Communicator, watched: readonly NetworkNode[]): void {
  const result = size > 1 ? watched.find(accumulates) : undefined;
  if (!result) return;
  throw new CntkError({
    code: "not-available",
    message: `EpochAccumulator is not available yet where ${size} processes share the work`,
    span: result.origin,
    hint: `'${result.name}' is a result of all samples; one process alone computes it`,
  });
}

/** The value of the first process, for what another process might see differently, such as files that are being written. */
export async function valueOfFirst(communicator: Communicator, value: number): Promise<number> {
  const [first] = await communicator.gather(Float64Array.of(value));
  return first?.[0] ?? value;
}

/**
 * Refuses to begin where the processes do not train the same: their sums would mean nothing.
 * @throws CntkError `processes-differ`, on every process.
 */
export async function requireSameTraining(
  communicator: Communicator,
  trainer: Trainer,
  startEpoch: number,
): Promise<void> {
  if (communicator.size === 1) return;
  refuseSharedResults(communicator, trainer.watched);
  const sizes = trainer.parameters.map(({ node }) => trainer.elementsOf(node));
  const elements = sizes.reduce((sum, size) => sum + size, 0);
  // Where the elements lie matters as well as how many there are.
  const shape = sizes.reduce((hash, size) => (hash * 31 + size) % 2 ** 40, 7);
  const all = await communicator.gather(Float64Array.of(elements, sizes.length, shape, startEpoch));
  const own = all[communicator.rank];
  const other = all.findIndex((told) => told.some((value, i) => value !== own?.[i]));
  if (other < 0) return;
  const told = all[other];
  throw new CntkError({
    code: "processes-differ",
    message:
      `The processes do not train the same network: rank ${communicator.rank} has ${elements} parameters in ${sizes.length} tensors, ` +
      `rank ${other} has ${told?.[0]} in ${told?.[1]}.`,
    hint: "every process needs the same configuration, and the same files to start from",
  });
}
