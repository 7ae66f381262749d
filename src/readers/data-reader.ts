import { CntkError } from "../diagnostics/diagnostic.js";
import type { Minibatch } from "../minibatch/index.js";
import type { Deserializer } from "./deserializer.js";
import type { Packer, PackerSurroundings } from "./packer/packer.js";
import { type OlderUtterances, OlderUtterancePacker } from "./packer/older-utterance-packer.js";
import { SequencePacker } from "./packer/sequence-packer.js";
import { TruncatedPacker, type Truncation } from "./packer/truncated-packer.js";
import { Prefetch } from "./prefetch.js";
import { RandomizationReport } from "./randomizer/randomization-report.js";
import type { Randomization } from "./randomizer/sequence-order.js";
import { SequenceSupply } from "./randomizer/sequence-supply.js";
import type { EpochRequest, Reader, StreamDescription } from "./reader.js";

/** How a reader orders and packs what its deserializer offers. */
export interface ReaderOptions {
  /** Without it sequences come in the order of the data. */
  readonly randomization?: Randomization;
  /** Keep every chunk that was read; changes memory and time only. */
  readonly keepDataInMemory: boolean;
  readonly packing: "sequence" | "frame" | Truncation | OlderUtterances;
  /** Each worker counts its own samples. */
  readonly localTimeline: boolean;
  /** Minibatches tell the keys of their sequences. */
  readonly withKeys: boolean;
  /** Prepare the next minibatch while one is in use. Default true. */
  readonly prefetch?: boolean;
  /** Begin with the next minibatch before one is used: its pictures are decoded on other threads meanwhile. */
  readonly preparesAtOnce?: boolean;
  /** One sequence a minibatch, whatever its size. */
  readonly oneByOne?: boolean;
  /** See Reader. */
  readonly isOlder?: boolean;
  readonly firstParallelSequences?: number;
  /** Sequences that may be unreadable and left out (`maxErrors`). */
  readonly maxInvalid?: number;
  /** How much the randomization tells of its work, from 0 (the default) to 3. */
  readonly verbosity?: number;
}

/** A deserializer, a randomizer and a packer, put together; the next minibatch is prepared while one is in use. */
export class DataReader implements Reader {
  readonly streams: readonly StreamDescription[];
  readonly readsParts = true;
  readonly isOlder: boolean;
  readonly firstParallelSequences: number;
  private readonly supply: SequenceSupply;
  private readonly packer: Packer;
  private readonly minibatches: Prefetch<Minibatch>;

  /** @throws CntkError `data-format` when the data holds no samples, `reader-streams` for two streams of one name. */
  constructor(
    deserializer: Deserializer,
    private readonly options: ReaderOptions,
    warn: (text: string) => void,
  ) {
    const { streams } = deserializer;
    this.isOlder = options.isOlder ?? false;
    this.firstParallelSequences = options.firstParallelSequences ?? 1;
    checkNames(streams);
    this.supply = new SequenceSupply(
      deserializer,
      options.randomization,
      options.keepDataInMemory,
      options.maxInvalid,
      new RandomizationReport(options.verbosity ?? 0, warn),
    );
    const surroundings: PackerSurroundings = {
      supply: this.supply,
      streams: streams.map(({ name, dimension, storage }) => ({ name, dimension, storage })),
      elementType: streams[0]?.elementType ?? "float",
      withKeys: options.withKeys,
      warn,
    };
    const { packing, localTimeline } = options;
    this.packer =
      typeof packing !== "object"
        ? new SequencePacker(surroundings, { frameMode: packing === "frame", localTimeline })
        : "parallelUtterances" in packing
          ? new OlderUtterancePacker(surroundings, packing)
          : new TruncatedPacker(surroundings, packing);
    this.streams = this.packer.streams;
    this.minibatches = new Prefetch(() => this.packer.next(), options.preparesAtOnce);
  }

  get sweepSamples(): number {
    return this.supply.sweepSize;
  }

  /** Where the next sequence starts, counted in samples since the start of the training. */
  get position(): number {
    return this.supply.position;
  }

  async start(request: EpochRequest): Promise<void> {
    await this.minibatches.drop();
    if (request.minibatchSize < 1) {
      throw new CntkError({ code: "minibatch-size", message: "Minibatch size cannot be zero." });
    }
    // Without randomization CNTK would go on for ever; here it goes through the data once.
    if (request.epochSize >= 2 ** 63 && this.options.randomization) {
      throw new CntkError({
        code: "epoch-size",
        message: "Too big epoch size can cause bit overflow",
        hint: "epochSize is a number of samples; 0 stands for all data",
      });
    }
    this.supply.start(request);
    this.packer.start(request);
    if (this.options.oneByOne) this.packer.takeOneByOne?.();
  }

  next(): Promise<Minibatch | undefined> {
    return this.options.prefetch === false ? this.packer.next() : this.minibatches.next();
  }

  async close(): Promise<void> {
    await this.minibatches.drop();
    await this.supply.close();
  }
}

/** Source: Source/Readers/ReaderLib/PackerBase.cpp, CheckNameUniqueness. */
function checkNames(streams: readonly StreamDescription[]): void {
  const names = new Set<string>();
  for (const { name } of streams) {
    if (names.has(name)) {
      throw new CntkError({
        code: "reader-streams",
        message: `Two streams with the same name '${name}' have been found. Please rename the duplicate.`,
      });
    }
    names.add(name);
  }
}
