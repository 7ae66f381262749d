import type { RunLog } from "../log/run-log.js";
import type { Communicator } from "../communication/index.js";
import type { CriterionSum } from "../log/training-lines.js";
import type { MinibatchSums } from "./criteria.js";
import type { Trainer } from "./trainer.js";

/** What a minibatch gave on all processes together. */
export interface SharedMinibatch {
  readonly sums: MinibatchSums;
  /** Had any process data? */
  readonly anyData: boolean;
}

/** What the processes do together in one epoch, minibatch by minibatch. */
export interface Teamwork {
  /**
   * Behind the gradients of a minibatch, before the update: what all processes have computed. `own` is undefined where this
   * process has no data left.
   */
  share(own: MinibatchSums | undefined): Promise<SharedMinibatch>;
  /** Behind the update: `samples` is this process's own, gaps included. */
  afterUpdate(samples: number): Promise<void>;
  /** Behind the last minibatch: the criteria of the epoch on all processes, by this process's own. */
  end(criteria: readonly CriterionSum[]): Promise<readonly CriterionSum[]>;
}

export interface TeamworkRequest {
  readonly communicator: Communicator;
  readonly trainer: Trainer;
  readonly log: RunLog;
  /** What this process adds where it has computed nothing. */
  readonly nothing: MinibatchSums;
}

/** Nobody shares anything: every process goes its own way. */
export const alone = (nothing: MinibatchSums): Teamwork => ({
  share: (own) => Promise.resolve({ sums: own ?? nothing, anyData: own !== undefined }),
  afterUpdate: () => Promise.resolve(),
  end: (criteria) => Promise.resolve(criteria),
});

/** The sums of all processes, added in the order of their ranks. */
export async function addSums(
  communicator: Communicator,
  own: MinibatchSums | undefined,
  nothing: MinibatchSums,
): Promise<SharedMinibatch> {
  const { samples, criteria } = own ?? nothing;
  const told = Float64Array.of(own ? 1 : 0, samples, ...criteria.flatMap(({ sum, count }) => [sum, count]));
  const all = await communicator.gather(told);
  const sum = (at: number): number => all.reduce((total, values) => total + (values[at] ?? 0), 0);
  return {
    anyData: sum(0) > 0,
    sums: {
      samples: sum(1),
      criteria: criteria.map((_, i) => ({ sum: sum(2 + 2 * i), count: sum(3 + 2 * i) })),
    },
  };
}
