import type { Communicator, PendingSum, ProcessGroup } from "../../src/communication/index.js";
import type { Values } from "../../src/numerics/values.js";

/** A call that all processes of a group make together. */
interface Meeting {
  readonly given: Map<number, readonly Values[]>;
  readonly all: Promise<void>;
  readonly complete: () => void;
}

/**
 * Processes that train together, all in this one: each runs as a promise of its own and meets the others in memory. Sums are
 * added in the order of the ranks.
 */
export function processGroup(count: number): readonly ProcessGroup[] {
  const meetings = new Map<number, Meeting>();
  const meetingAt = (number: number): Meeting => {
    const known = meetings.get(number);
    if (known) return known;
    let complete = (): void => undefined;
    const all = new Promise<void>((resolve) => (complete = resolve));
    const meeting = { given: new Map(), all, complete };
    meetings.set(number, meeting);
    return meeting;
  };
  return Array.from({ length: count }, (_, rank) => ({
    count,
    open: () => communicator(rank, count, meetingAt),
  }));
}

function communicator(rank: number, size: number, meetingAt: (number: number) => Meeting): Communicator {
  let calls = 0;
  const meet = async (values: readonly Values[]): Promise<readonly (readonly Values[])[]> => {
    const meeting = meetingAt(calls++);
    meeting.given.set(
      rank,
      values.map((array) => array.slice()),
    );
    if (meeting.given.size === size) meeting.complete();
    await meeting.all;
    return Array.from({ length: size }, (_, other) => meeting.given.get(other) ?? []);
  };
  const startSum = (values: readonly Values[]): PendingSum => {
    const met = meet(values);
    return {
      finish: async () => {
        const all = await met;
        values.forEach((array, at) => {
          array.fill(0);
          for (const other of all) other[at]?.forEach((value, i) => (array[i] = (array[i] ?? 0) + value));
        });
      },
    };
  };
  return {
    rank,
    size,
    singleHost: true,
    startSum,
    sumInPlace: (values) => startSum(values).finish(),
    gather: async (values) => (await meet([values])).map(([array]) => Float64Array.from(array ?? [])),
    barrier: async () => void (await meet([])),
    close: async () => undefined,
  };
}
