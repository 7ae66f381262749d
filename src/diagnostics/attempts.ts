import { CntkError } from "./diagnostic.js";

/** So often CNTK tries to read what may lie behind a network before it gives up. */
const times = 5;

/**
 * The lines of CNTK's log of tries that fail for the same reason each, without the end of the last one. CNTK waits a second
 * before each try; here a file that cannot be read is read once. `first` is what the first try failed of, if of something else.
 * Source: Source/Common/Include/File.h, attempt.
 */
export function retryLines(sentence: string, first = sentence): string {
  return Array.from({ length: times - 1 }, (_, i) => retryLine(i === 0 ? first : sentence, i + 2)).join("\n");
}

const retryLine = (sentence: string, attempt: number): string =>
  `attempt: ${sentence}, retrying ${attempt}-th time out of ${times}...`;

/** Runs what CNTK tries several times: the error it throws tells of the tries in CNTK's log. */
export function attempted<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof CntkError) || error.diagnostic.logged !== undefined) throw error;
    throw new CntkError({ ...error.diagnostic, logged: retryLines(error.message) });
  }
}

/** CNTK's log of a second try that succeeds where the first one failed. */
export function secondTry(sentence: string): string {
  return `${retryLine(sentence, 2)}\nattempt: success after 2 retries\n`;
}

/** Runs again what fails, as often as CNTK does: for what has something to say each time it is run. */
export function retried<T>(
  run: () => T,
  log: { write(text: string): void },
  sentence: (error: CntkError) => string,
): T {
  for (let attempt = 2; ; attempt++) {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof CntkError) || attempt > times) throw error;
      log.write(`${retryLine(sentence(error), attempt)}\n`);
    }
  }
}

/** Runs what CNTK tries only once: the error it throws tells of no other tries. */
export function once<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof CntkError)) throw error;
    const { logged: _, ...diagnostic } = error.diagnostic;
    throw new CntkError(diagnostic);
  }
}
