import type { NetworkNode } from "../network/network.js";
import type { NotImplemented } from "../network/not-implemented.js";
import type { GraphBuilder } from "../network/op-definition.js";

/** The options that a training gives its parameters' changes: those of all rules, and the rule. */
export interface UpdateOptions {
  /** What `updateRuleFor` chose, its own options read. */
  readonly rule: UpdateRule;
  /** Weight of the L1 penalty per sample; 0 = none. */
  readonly l1Weight: number;
  readonly l2Weight: number;
  /** No penalty on scale and bias of batch normalizations. */
  readonly sparesNormalization?: boolean;
  /** Limit of a gradient (of each element, or of the norm) per sample; Infinity = none. */
  readonly clippingThresholdPerSample: number;
  /** Clip each element rather than scaling the whole gradient. */
  readonly clippingWithTruncation: boolean;
  /** Deviation of the random numbers that the trainer adds to the weights with each update; none = 0. */
  readonly noiseDeviation?: number;
}

/** Where a rule reads its own options: an SGD section. */
export interface OptionSource {
  number(key: string, fallback: number): number;
  size(key: string, fallback: number): number;
  boolean(key: string, fallback: boolean): boolean;
}

/** A way to change weights by their gradient, as an SGD section asks for it. One file each; rules.ts lists them. */
export interface UpdateRuleEntry {
  readonly name: string;
  /** The formula. */
  readonly doc: string;
  /** CNTK's function. */
  readonly source: string;
  /** Words of gradUpdateType that ask for it, lower case. */
  readonly words: readonly string[];
  /** Of entries that share a word, the first one that is meant is taken; absent: always meant. */
  readonly isMeant?: (options: OptionSource) => boolean;
  /** The rule with its options read. */
  readonly rule: (options: OptionSource) => UpdateRule;
}

/** A rule that knows its options: the numbers it needs, what it remembers, what it does to a gradient. */
export interface UpdateRule {
  readonly entry: UpdateRuleEntry;
  /** What the rule remembers for each weight; a checkpoint's matrix holds these parts behind each other. */
  readonly memory: readonly string[];
  /** Its own options, by the names of its file. */
  readonly options: Readonly<Record<string, number | boolean>>;
  /** The number that a checkpoint keeps beside the memory, after a minibatch; absent: it stays 0. */
  countAfter?(count: number, samples: number): number;
  /** Run-time numbers that only this rule uses. */
  scalars?(numbers: UpdateNumbers): Record<string, number>;
  update(context: UpdateContext): UpdateResult;
  /**
   * The same for a gradient of storage `touched`: it is not the same in CNTK, which leaves the other columns alone. Or what
   * CNTK says where it has no such code for the CPU.
   */
  readonly touched: ((context: UpdateContext) => UpdateResult) | NotImplemented;
}

/** What run-time numbers are made of. */
export interface UpdateNumbers {
  /** Samples of the minibatch, as momentum and penalties count them. */
  readonly samples: number;
  /** momentumPerSample ^ samples, and 1 − that, in the element type. */
  readonly momentum: number;
  readonly gain: number;
  /** Per learningRateMultiplier the rate times the multiplier, in double. */
  readonly rates: ReadonlyMap<number, number>;
  /** What `countAfter` gave for this minibatch. */
  readonly count: number;
  /** Rounds to the element type, where CNTK casts. */
  readonly round: (x: number) => number;
}

/** One use of a parameter, about to be updated. */
export interface UpdateContext {
  readonly build: GraphBuilder;
  /** Dense; beside a touched gradient it may be touched too: then it lists the same columns. */
  readonly weights: NetworkNode;
  /** The minibatch's gradient, already clipped and with the L2 penalty. */
  readonly gradient: NetworkNode;
  /** What the rule remembers: one dense state of the parameter's shape per part. */
  readonly memory: readonly NetworkNode[];
  /** The parameter's learningRateMultiplier: run-time numbers that depend on it are named with `perRate`. */
  readonly multiplier: number;
}

export interface UpdateResult {
  /** The new weights; of a touched gradient perhaps only the touched columns of them. */
  readonly weights: NetworkNode;
  /** The new values of the memory, part by part; a touched one replaces these columns. */
  readonly memory: readonly NetworkNode[];
  /** The gradient matrix as CNTK's rule leaves it behind: a second use of the same parameter starts from it. */
  readonly gradient: NetworkNode;
}

/** Name of a run-time number that depends on a parameter's learningRateMultiplier. */
export function perRate(name: string, multiplier: number): string {
  return multiplier === 1 ? name : `${name}*${multiplier}`;
}

/** One number for each learningRateMultiplier, from the rate times the multiplier. */
export function eachRate(
  name: string,
  { rates }: Pick<UpdateNumbers, "rates">,
  number: (rate: number) => number,
): Record<string, number> {
  return Object.fromEntries(
    Array.from(rates, ([multiplier, rate]) => [perRate(name, multiplier), number(rate)]),
  );
}
