import { CntkError } from "../diagnostics/diagnostic.js";

/** Milliseconds between looks at the outside world. */
const interval = 50;

/** When this process last looked, whoever did: loops may be shorter than the interval and follow each other at once. */
let lastLook = performance.now();

/** Thrown when the user stops a run; the last epoch's checkpoint stands. */
export function interrupted(): CntkError {
  return new CntkError({ code: "interrupted", message: "Interrupted. The last saved checkpoint stands." });
}

/**
 * Lets a loop of awaited work be stopped from outside. Backends answer in microtasks, which never let timers or signals
 * in; `check` does so now and then, and throws `interrupted` once the signal is aborted.
 */
export class Interruption {
  constructor(private readonly signal: AbortSignal | undefined) {}

  async check(): Promise<void> {
    if (!this.signal) return;
    const now = performance.now();
    if (now - lastLook >= interval) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      lastLook = performance.now();
    }
    if (this.signal.aborted) throw interrupted();
  }
}
