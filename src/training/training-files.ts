import { retryLines } from "../diagnostics/attempts.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import { removedEpochLine, validationLine } from "../log/training-lines.js";
import type { CriterionSum } from "../log/training-lines.js";
import type { Session } from "../session.js";
import type { AutoAdjustOptions } from "./auto-adjust.js";
import type { BestModels } from "./best-models.js";
import { checkpointFile, modelFileAfter, supersededCheckpoints } from "./checkpoints.js";
import type { EpochHooks } from "./epochs.js";
import { crossValidationOptions } from "./evaluation-options.js";
import { evaluate, type Evaluator } from "./evaluator.js";
import type { ParameterStore } from "./parameters.js";
import { evaluationTeam } from "./processes.js";
import {
  type EpochState,
  loadCheckpoint,
  reloadModel,
  type Resumed,
  saveCheckpoint,
  saveModelFile,
} from "./state.js";
import type { TrainingRequest } from "./train-network.js";
import type { Trainer } from "./trainer.js";

/** Why a training asks for the checkpoint of an earlier epoch, and what to do where there is none. */
const restoreHints: Readonly<Record<AutoAdjustOptions["rates"], string>> = {
  scheduled: "a search for minibatch sizes begins with the checkpoint of the epoch before",
  "searched before epochs":
    "a search begins with the checkpoint of the epoch before: list a rate for the first epoch (learningRatesPerSample)",
  "adjusted after epochs":
    "adjustAfterEpoch goes back to an earlier epoch, whose checkpoint is not there; loadBestModel = false goes on without",
};

interface Parts {
  readonly values: ParameterStore;
  readonly trainer: Trainer;
  /** Compiled once for all epochs; absent without validation data. */
  readonly evaluator: Evaluator | undefined;
  readonly best: BestModels | undefined;
  readonly distributedReading: boolean;
  readonly checkInputs: () => void;
}

/** What a training does between epochs: it validates, and keeps models and checkpoints. Of several processes the first one writes. */
export class TrainingFiles implements EpochHooks {
  readonly checkInputs: () => void;
  readonly validate?: (epoch: number, minibatchSize: number) => Promise<readonly CriterionSum[]>;

  constructor(
    private readonly session: Session,
    private readonly request: TrainingRequest,
    private readonly parts: Parts,
  ) {
    this.checkInputs = parts.checkInputs;
    const { evaluator } = parts;
    if (evaluator) this.validate = (epoch, size) => this.evaluate(evaluator, epoch, size);
  }

  private async evaluate(
    evaluator: Evaluator,
    epoch: number,
    minibatchSize: number,
  ): Promise<readonly CriterionSum[]> {
    const { request, session } = this;
    const { trainer, best, distributedReading } = this.parts;
    const { log, signal } = session;
    const { options, validation: reader } = request;
    if (!reader) return [];
    await evaluator.load((await trainer.save()).parameters);
    const team = evaluationTeam(session, distributedReading && reader.readsParts);
    const run = { reader, options: crossValidationOptions(minibatchSize), log, signal, team };
    const { criteria } = await evaluate(evaluator, run);
    log.stamped(validationLine(epoch + 1, options.maxEpochs, criteria));
    best?.update(criteria, epoch, log);
    return criteria;
  }

  modelAfter(epoch: number): string {
    const { modelPath, maxEpochs } = this.request.options;
    return modelFileAfter(modelPath, epoch, maxEpochs);
  }

  private async isWriter(): Promise<boolean> {
    const { communicator } = this.session;
    await communicator.barrier();
    return communicator.rank === 0;
  }

  /** The epoch's books, with those of the best models and of what blocks remember. */
  private complete(state: EpochState): EpochState {
    return {
      ...state,
      best: this.parts.best?.forCheckpoint,
      blocks: this.request.parallel.blockMomentum?.memory,
    };
  }

  async saveEpoch(epoch: number, epochState: EpochState): Promise<void> {
    if (!(await this.isWriter())) return;
    const { files, log, elementType } = this.session;
    const { options } = this.request;
    const { trainer } = this.parts;
    const state = await trainer.save();
    const model = this.modelAfter(epoch);
    saveCheckpoint(files, model, trainer.shaped, trainer, state, this.complete(epochState));
    if (options.traceLevel > 0) log.stamped(`SGD: Saving checkpoint model '${model}'\n`);
    saveModelFile(files, model, trainer.shaped, elementType, state.parameters, state.engines);
    if (options.keepCheckpointFiles) return;
    for (const past of supersededCheckpoints(options, epoch)) {
      files.remove(checkpointFile(this.modelAfter(past)));
    }
  }

  async restoreEpoch(epoch: number): Promise<Resumed> {
    const { files, log } = this.session;
    const { trainer, values, best } = this.parts;
    const model = this.modelAfter(epoch);
    log.write(await reloadModel(files, model, trainer, values));
    const resumed = await loadCheckpoint(files, model, trainer);
    if (resumed) {
      best?.goBackTo(resumed.best ?? []);
      return resumed;
    }
    const message = `error opening file '${checkpointFile(model)}': No such file or directory`;
    throw new CntkError({
      code: "checkpoint-missing",
      message,
      logged: retryLines(message),
      hint: restoreHints[this.request.options.autoAdjust.rates],
    });
  }

  async revokeTo(epoch: number, undone: number, epochState: EpochState): Promise<void> {
    if (!(await this.isWriter())) return;
    const { files, log } = this.session;
    const { trainer } = this.parts;
    for (let past = epoch + undone - 1; past > epoch; past--) {
      log.stamped(removedEpochLine(past + 1, epoch + 1));
      files.remove(this.modelAfter(past));
      files.remove(checkpointFile(this.modelAfter(past)));
    }
    log.stamped(`SGD: revoke back to and update checkpoint file for epoch ${epoch + 1}\n`);
    const state = this.complete(epochState);
    saveCheckpoint(files, this.modelAfter(epoch), trainer.shaped, trainer, await trainer.save(), state);
  }

  async saveFinalModel(): Promise<void> {
    if (!(await this.isWriter())) return;
    const { files, elementType } = this.session;
    const { trainer } = this.parts;
    const state = await trainer.save();
    const { modelPath } = this.request.options;
    saveModelFile(files, modelPath, trainer.shaped, elementType, state.parameters, state.engines);
  }
}
