import { CntkError } from "../diagnostics/diagnostic.js";
import type { Span } from "../diagnostics/source.js";
import type { Minibatch } from "../minibatch/minibatch.js";
import type { ElementType } from "../numerics/values.js";
import type { EpochRequest, Reader, StreamDescription } from "./reader.js";

/**
 * A reader whose section asks for another precision than the network has. As in CNTK that is found when the first minibatch
 * is there, and everything before goes its way (Source: Common/Include/DataReader.h, GetMatrix).
 */
export class OtherPrecision implements Reader {
  readonly streams: readonly StreamDescription[];
  readonly readsParts: boolean;
  readonly isOlder: boolean;
  readonly firstParallelSequences: number;

  constructor(
    private readonly reader: Reader,
    private readonly precision: ElementType,
    private readonly place: Span,
  ) {
    this.streams = reader.streams;
    this.readsParts = reader.readsParts;
    this.isOlder = reader.isOlder ?? false;
    this.firstParallelSequences = reader.firstParallelSequences ?? 1;
  }

  start(request: EpochRequest): Promise<void> {
    return this.reader.start(request);
  }

  async next(): Promise<Minibatch | undefined> {
    if (!(await this.reader.next())) return undefined;
    const [data, network] = this.precision === "float" ? ["float", "double"] : ["double", "float"];
    throw new CntkError({
      code: "reader-precision",
      message: `The reader delivers numbers in ${data}, and the network takes them in ${network}.`,
      span: this.place,
      hint: "precision stands at the top of the configuration, where readers and commands find it",
    });
  }

  close(): Promise<void> {
    return this.reader.close();
  }
}
