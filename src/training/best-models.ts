import { type FileAccess, writeWhole } from "../files/file-access.js";
import type { RunLog } from "../log/run-log.js";
import { average, bestEpochsLine, bestModelLine, type CriterionSum } from "../log/training-lines.js";
import type { BestCriterion } from "../model-files/index.js";
import { sortedByName } from "../network/node-order.js";
import { modelFileAfter } from "./checkpoints.js";

/**
 * saveBestModelPerCriterion: for each criterion the epoch whose validation was best, and at the end a copy of its model
 * (SGDLib/SGD.cpp, UpdateBestEpochs and CopyBestEpochs).
 */
export class BestModels {
  /** By name of the criterion; without a validation no epoch is the best (−1). */
  private readonly best: Map<string, BestCriterion>;

  /** `resumed`: what a checkpoint holds, by the names of the criteria. */
  constructor(names: readonly string[], resumed: readonly BestCriterion[] = []) {
    const sorted = sortedByName(names.map((name) => ({ name })));
    this.best = new Map(sorted.map(({ name }) => [name, { minimum: Number.MAX_VALUE, epoch: -1 }]));
    this.goBackTo(resumed);
  }

  /** Forgets what was better than what a checkpoint holds, the model of an epoch that is undone (SGD.cpp, LoadCheckPointInfo). */
  goBackTo(saved: readonly BestCriterion[]): void {
    [...this.best.keys()].forEach((name, index) => {
      const known = saved[index];
      if (known) this.best.set(name, known);
    });
  }

  /** Takes note of a validation and prints what is best so far, in the order of the criteria. */
  update(criteria: readonly CriterionSum[], epoch: number, log: RunLog): void {
    for (const criterion of criteria) {
      const value = average(criterion);
      const known = this.best.get(criterion.name);
      if (known && value < known.minimum) this.best.set(criterion.name, { minimum: value, epoch });
    }
    const found = criteria.map(({ name }) => {
      const { minimum = Number.MAX_VALUE, epoch: at = -1 } = this.best.get(name) ?? {};
      return { name, minimum, epoch: at + 1 };
    });
    log.stamped(bestEpochsLine(found));
  }

  /** As a checkpoint keeps it: sorted by name. */
  get forCheckpoint(): readonly BestCriterion[] {
    return [...this.best.values()];
  }

  /** Copies the best epochs' models beside the final one. */
  copyModels(files: FileAccess, modelPath: string, maxEpochs: number, log: RunLog): void {
    for (const [name, { epoch }] of this.best) {
      const from = modelFileAfter(modelPath, epoch, maxEpochs);
      const to = `${modelPath}_${name}`;
      writeWhole(files, to, (file) => file.write(files.readBytes(from)));
      log.stamped(bestModelLine(name, epoch + 1, from, to));
    }
  }
}
