/** How far a long piece of work has come; for progress bars, never for the log. */
export interface Progress {
  readonly phase: "train" | "test" | "write" | "mnist";
  /** 1-based, of a training. */
  readonly epoch?: number;
  readonly epochs?: number;
  /** Samples done in this epoch or pass. */
  readonly samples: number;
  /** Samples of the epoch or pass, where known. */
  readonly totalSamples?: number;
  /** Seconds since the epoch or pass began. */
  readonly seconds: number;
}

export type ProgressListener = (progress: Progress) => void;
