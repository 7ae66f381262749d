import type { NetworkNode } from "../network/network.js";
import type { GraphBuilder } from "../network/op-definition.js";

/** How a training changes its parameters: the part of the SGD options that update rules read. */
export interface UpdateOptions {
  readonly gradientUpdate: "none" | "adagrad" | "rmsprop" | "fsadagrad";
  readonly useNesterov: boolean;
  /** Weight of the L1 penalty per sample; 0 = none. */
  readonly l1Weight: number;
  readonly l2Weight: number;
  /** Limit of a gradient (of each element, or of the norm) per sample; Infinity = none. */
  readonly clippingThresholdPerSample: number;
  /** Clip each element rather than scaling the whole gradient. */
  readonly clippingWithTruncation: boolean;
  /** AdaGrad and RMSProp divide the rate by the average multiplier; absent = true, as in CNTK. */
  readonly normWithAveMultiplier?: boolean;
  readonly rmsProp?: RmsPropOptions;
  readonly fsAdaGrad?: FsAdaGradOptions;
}

export interface RmsPropOptions {
  readonly gamma: number;
  readonly increase: number;
  readonly decrease: number;
  readonly maximum: number;
  readonly minimum: number;
}

export interface FsAdaGradOptions {
  readonly targetAverageDenominator: number;
  /** Time constant of the variance, in samples; absent = 2·3600·100. */
  readonly varianceTimeConstant: number;
}

/** One use of a parameter, about to be updated. */
export interface UpdateContext {
  readonly build: GraphBuilder;
  readonly weights: NetworkNode;
  /** The minibatch's gradient, already clipped and with the L2 penalty. */
  readonly gradient: NetworkNode;
  /** What the rule remembers: one state of the parameter's shape per part. */
  readonly memory: readonly NetworkNode[];
  /** The parameter's learningRateMultiplier: run-time numbers that depend on it are named with `perRate`. */
  readonly multiplier: number;
  readonly options: UpdateOptions;
}

export interface UpdateResult {
  readonly weights: NetworkNode;
  /** The new values of the memory, part by part. */
  readonly memory: readonly NetworkNode[];
  /** The gradient matrix as CNTK's rule leaves it behind: a second use of the same parameter starts from it. */
  readonly gradient: NetworkNode;
}

/** How gradients change weights. One file each; `updateRuleFor` chooses. */
export interface UpdateRule {
  readonly name: string;
  /** The formula. */
  readonly doc: string;
  /** CNTK's function. */
  readonly source: string;
  /** What the rule remembers for each weight; the checkpoint's matrix holds these parts behind each other. */
  readonly memory: readonly string[];
  update(context: UpdateContext): UpdateResult;
}
