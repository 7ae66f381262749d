import type { Reporter, TestModule, Vitest } from "vitest/node";

/** After so many milliseconds without a finished test, those that run are named, and again after as many … */
const patience = 120_000;
/** … so often; then the run ends. No test takes as long, on no machine. */
const mostOften = 12;

/**
 * Names the files whose tests run where none has ended for two minutes, and ends the run where it stays so. A test that waits by a
 * synchronous call is beyond any time limit; without its name a run that stops there would tell nothing, for ever.
 */
export class RunningTests implements Reporter {
  private readonly running = new Set<string>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly print: (text: string) => void = (text) => void process.stderr.write(text)) {}

  onInit(vitest: Vitest): void {
    vitest.onClose(() => clearTimeout(this.timer));
  }

  onTestModuleQueued(module: TestModule): void {
    this.running.add(module.relativeModuleId);
    this.wait();
  }

  onTestModuleEnd(module: TestModule): void {
    this.running.delete(module.relativeModuleId);
    this.wait();
  }

  onTestCaseResult(): void {
    this.wait();
  }

  onTestRunEnd(): void {
    clearTimeout(this.timer);
  }

  private wait(often = 1): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.print(`No test has ended for a while. Running: ${[...this.running].join(", ")}\n`);
      if (often === mostOften) process.exit(1);
      this.wait(often + 1);
    }, patience);
    this.timer.unref();
  }
}
