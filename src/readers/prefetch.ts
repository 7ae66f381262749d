/**
 * Prepares one result ahead: once a result is handed out, the next one is begun as soon as its user waits for something
 * (another thread, a timer), or when it is asked for, whichever comes first. A failure stays until its result is asked for.
 */
export class Prefetch<T> {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running: Promise<T | undefined> | undefined;

  constructor(
    private readonly produce: () => Promise<T | undefined>,
    /** The next one is begun at once: as far as it gets without waiting, then others work for it. */
    private readonly atOnce = false,
  ) {}

  /** The next result; undefined at the end, after which nothing more is prepared. */
  async next(): Promise<T | undefined> {
    const current = this.running ?? this.begin();
    const result = await current;
    this.running = undefined;
    if (result !== undefined && this.atOnce) void this.begin();
    else if (result !== undefined) this.timer = setTimeout(() => void this.begin(), 0);
    return result;
  }

  /** Forgets what was prepared; resolves once nothing runs any more. */
  async drop(): Promise<void> {
    clearTimeout(this.timer);
    await this.running?.catch(() => undefined);
    this.running = undefined;
  }

  private begin(): Promise<T | undefined> {
    clearTimeout(this.timer);
    this.running = this.produce();
    // Whoever asks for the result sees the failure; until then it is nobody's.
    this.running.catch(() => undefined);
    return this.running;
  }
}
