/** Places on the board, in whole numbers; what different threads write often lies on different lines of the cache. */
const places = {
  /** Upper half: which job; lower half: how many of its pieces nobody has taken. */
  ticket: 0,
  done: 16,
  crew: 32,
  phase: 33,
  total: 34,
  size: 35,
  /** How many messages have been sent to every helper. */
  messages: 36,
  failed: 37,
  lost: 38,
  sleepers: 48,
  isAwaited: 64,
  /** From here on, a line for each helper: is it at a piece? */
  helpers: 80,
} as const;
const line = 16;

/** How often a thread looks again before it sleeps: some twenty to fifty microseconds where it waits for pieces to be done. */
const turnsBeforeSleep = 4000;
/** A helper looks longer: between two minibatches another thread puts the next one together, some hundred microseconds. */
const turnsWithoutJob = 20_000;
/** The one who waits looks around so often, in milliseconds: a thread that has ended wakes nobody. */
const lookAround = 100;

/** Pieces of one phase of one executable. */
export interface Job {
  readonly crew: number;
  readonly phase: number;
  readonly total: number;
  readonly size: number;
}

/**
 * Where threads find work, in memory that they share. One thread puts jobs up, one after another, and takes pieces of them as the
 * helpers do; who comes late finds nothing left to do. A piece is taken by changing the ticket: whoever succeeded reads the job
 * afterwards, which stays until all its pieces are done.
 */
export class JobBoard {
  private readonly numbers: Int32Array;
  private jobs = 0;

  constructor(readonly memory: SharedArrayBuffer) {
    this.numbers = new Int32Array(memory);
  }

  static withHelpers(helpers: number): JobBoard {
    return new JobBoard(new SharedArrayBuffer((places.helpers + helpers * line) * 4));
  }

  /** Puts a job up; the pieces are less than 2^16. */
  publish({ crew, phase, total, size }: Job): void {
    const { numbers } = this;
    const pieces = Math.ceil(total / size);
    Atomics.store(numbers, places.done, 0);
    numbers[places.crew] = crew;
    numbers[places.phase] = phase;
    numbers[places.total] = total;
    numbers[places.size] = size;
    this.jobs = (this.jobs + 1) & 0x7fff;
    Atomics.store(numbers, places.ticket, (this.jobs << 16) | pieces);
    if (Atomics.load(numbers, places.sleepers) > 0) Atomics.notify(numbers, places.ticket, pieces - 1);
  }

  /** The job of which a piece has been taken. */
  get job(): Job {
    const { numbers } = this;
    const [crew, phase] = [numbers[places.crew] as number, numbers[places.phase] as number];
    return { crew, phase, total: numbers[places.total] as number, size: numbers[places.size] as number };
  }

  /** Takes a piece: how many were left, this one included; 0: there is none. */
  take(): number {
    const { numbers } = this;
    for (;;) {
      const ticket = Atomics.load(numbers, places.ticket);
      const left = ticket & 0xffff;
      if (left === 0) return 0;
      if (Atomics.compareExchange(numbers, places.ticket, ticket, ticket - 1) === ticket) return left;
    }
  }

  /** A piece is done. */
  finish(): void {
    const { numbers } = this;
    Atomics.add(numbers, places.done, 1);
    if (Atomics.load(numbers, places.isAwaited) > 0) Atomics.notify(numbers, places.done);
  }

  /** Waits until so many pieces are done; false: a helper ended before its piece was. */
  finished(pieces: number): boolean {
    const { numbers } = this;
    for (let turn = 0; turn < turnsBeforeSleep; turn++) {
      if (Atomics.load(numbers, places.done) === pieces) return true;
    }
    Atomics.store(numbers, places.isAwaited, 1);
    try {
      for (;;) {
        const isLost = Atomics.load(numbers, places.lost) > 0;
        const done = Atomics.load(numbers, places.done);
        if (done === pieces) return true;
        if (isLost) return false;
        Atomics.wait(numbers, places.done, done, lookAround);
      }
    } finally {
      Atomics.store(numbers, places.isAwaited, 0);
    }
  }

  /** A helper waits for a job with pieces left, or for a message. */
  awaitJob(messagesRead: number): void {
    const { numbers } = this;
    for (let turn = 0; turn < turnsWithoutJob; turn++) {
      if ((Atomics.load(numbers, places.ticket) & 0xffff) > 0) return;
    }
    Atomics.add(numbers, places.sleepers, 1);
    const ticket = Atomics.load(numbers, places.ticket);
    if ((ticket & 0xffff) === 0 && this.messages === messagesRead)
      Atomics.wait(numbers, places.ticket, ticket);
    Atomics.sub(numbers, places.sleepers, 1);
  }

  get messages(): number {
    return Atomics.load(this.numbers, places.messages);
  }

  /** Every helper has been sent a message; those that sleep read it with their next job. */
  sent(): void {
    Atomics.add(this.numbers, places.messages, 1);
    Atomics.notify(this.numbers, places.ticket);
  }

  /** A helper is at work, or is not. */
  setBusy(helper: number, isBusy: boolean): void {
    Atomics.store(this.numbers, places.helpers + helper * line, isBusy ? 1 : 0);
  }

  /** A piece could not be carried out. */
  fail(): void {
    Atomics.store(this.numbers, places.failed, 1);
  }

  get hasFailed(): boolean {
    return Atomics.load(this.numbers, places.failed) > 0;
  }

  /** A helper has ended; it matters if it had a piece. */
  lose(helper: number): void {
    const { numbers } = this;
    if (Atomics.load(numbers, places.helpers + helper * line) === 0) return;
    Atomics.store(numbers, places.lost, 1);
    Atomics.notify(numbers, places.done);
  }
}

/** Which piece is the one of which so many were left: its first column or unit, its size, its number. */
export function pieceOf({ total, size }: Job, left: number): { first: number; count: number; index: number } {
  const index = Math.ceil(total / size) - left;
  const first = index * size;
  return { first, count: Math.min(size, total - first), index };
}
