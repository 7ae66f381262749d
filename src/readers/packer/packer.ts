import type { Minibatch } from "../../minibatch/index.js";
import type { ElementType } from "../../numerics/values.js";
import type { EpochRequest, StreamDescription } from "../reader.js";
import type { SequenceSupply } from "../randomizer/sequence-supply.js";

/** Makes minibatches of the sequences that a supply hands out. */
export interface Packer {
  /** The streams as they come out. */
  readonly streams: readonly StreamDescription[];
  /** An epoch begins; the supply is at its start. */
  start(request: EpochRequest): void;
  /** One sequence a minibatch from now on; packers of pieces have no say in it. */
  takeOneByOne?(): void;
  /** The next minibatch; undefined at the end of the epoch. */
  next(): Promise<Minibatch | undefined>;
}

/** What every packer needs. */
export interface PackerSurroundings {
  readonly supply: SequenceSupply;
  /** The streams as they come in. */
  readonly streams: readonly StreamDescription[];
  readonly elementType: ElementType;
  /** Minibatches tell the keys of their sequences. */
  readonly withKeys: boolean;
  /** Where warnings go. */
  warn(text: string): void;
}
