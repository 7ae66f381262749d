import type { EventFile } from "../exporters/tensorboard/index.js";
import { average, type CriterionSum } from "../log/training-lines.js";
import type { ShapedNetwork } from "../network/network.js";
import type { Session } from "../session.js";
import type { CriterionAccumulator } from "./criteria.js";
import type { SgdOptions } from "./sgd-options.js";

/** What writes down how a training goes, for TensorBoard (option tensorBoardLogDir; SGDLib/SGD.cpp). */
export class TrainingCurves {
  /** Minibatches of all epochs of this run. */
  private minibatches = 0;

  private constructor(
    private readonly file: EventFile,
    /** A point is written behind so many minibatches; 0 = behind none. */
    private readonly interval: number,
  ) {}

  /** The curves of a training, where it asks for them; of several processes the first one writes them. */
  static async open(
    session: Pick<Session, "files" | "platform" | "elementType" | "communicator">,
    shaped: ShapedNetwork,
    { tensorBoard }: SgdOptions,
  ): Promise<TrainingCurves | undefined> {
    if (tensorBoard === undefined || session.communicator.rank > 0) return undefined;
    // Loaded where it is asked for: most trainings do without.
    const { EventFile, graphDefinition } = await import("../exporters/tensorboard/index.js");
    const graph = graphDefinition(shaped, session.elementType);
    const file = new EventFile(session.files, tensorBoard.folder, session.platform.host, graph);
    return new TrainingCurves(file, tensorBoard.minibatches);
  }

  /** An epoch begins: to be called behind each of its minibatches. */
  beginEpoch(accumulator: CriterionAccumulator): () => void {
    let shown: readonly CriterionSum[] = [];
    return () => {
      this.minibatches++;
      if (this.interval === 0 || this.minibatches % this.interval !== 0) return;
      for (const sum of accumulator.read(shown)) {
        this.file.value(`minibatch/${sum.name}`, average(sum), this.minibatches);
      }
      shown = accumulator.read();
    };
  }

  /** The criteria of epoch number `epoch`, from 1; CNTK gives all evaluation nodes the name of the first. */
  epoch(epoch: number, [criterion, ...evaluations]: readonly CriterionSum[]): void {
    if (criterion) this.file.value(`summary/${criterion.name}`, average(criterion), epoch);
    for (const sum of evaluations) {
      this.file.value(`summary/${evaluations[0]?.name ?? ""}`, average(sum), epoch);
    }
  }

  /** The criteria on the validation data after epoch number `epoch`, from 1. */
  validated(epoch: number, criteria: readonly CriterionSum[]): void {
    for (const sum of criteria) this.file.value(`summary/test_${sum.name}`, average(sum), epoch);
  }

  close(): void {
    this.file.close();
  }
}
