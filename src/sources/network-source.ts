import type { ConfigSection } from "../config/config-section.js";
import type { LibrarySource } from "../library/index.js";
import type { FileAccess } from "../files/file-access.js";
import type { LogSink } from "../log/log.js";
import type { Network } from "../network/network.js";
import type { SeedCounter } from "../network/seed-counter.js";
import type { ElementType } from "../numerics/values.js";
import type { ModelSource, NetworkCompiler } from "./loaded-models.js";

/** What every way to describe a network may need of the run. */
export interface SourceEnvironment {
  readonly files: FileAccess;
  /** The texts of the BrainScript library. */
  readonly library: readonly LibrarySource[];
  readonly includeDirectories: readonly string[];
  readonly elementType: ElementType;
  readonly deviceId: number;
  readonly traceLevel: number;
  /** Networks built one after the other in a run go on counting. */
  readonly seeds: SeedCounter;
  /** Model files that the description builds on. */
  readonly models: ModelSource;
  /** For networks that are made on the way to the one described. */
  readonly compiler: NetworkCompiler;
  /** Takes the lines that CNTK prints meanwhile, as they come about. */
  readonly log: LogSink;
}

/** A way to describe a network: BrainScript, an older network language, a model file. */
export interface NetworkSource {
  /** The key of a command's section that holds the description. */
  readonly key: string;
  /** CNTK validates these networks without a word, whatever the trace level. */
  readonly validatesSilently?: boolean;
  /** Builds the network that `section` describes under `key`. Throws CntkError for every mistake of the description. */
  build(section: ConfigSection, environment: SourceEnvironment): Promise<Network>;
  /**
   * Reads the description and builds nothing: where a training goes on from a checkpoint, CNTK still makes its builder
   * (ActionsLib/NetworkFactory.cpp). Throws CntkError for mistakes that reading finds.
   */
  read(section: ConfigSection, environment: SourceEnvironment): Promise<void>;
}
