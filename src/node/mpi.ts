import { hostname } from "node:os";
import type { Communicator, PendingSum, ProcessGroup } from "../communication/index.js";
import type { Values } from "../numerics/values.js";
import { type Handle, loadMpi, type MpiLibrary } from "./mpi-library.js";

/** MPI_THREAD_SERIALIZED: one call at a time, as CNTK asks for. */
const serialized = 2;

/** Arrays longer than this (MPI counts in int) travel in pieces. */
const longestMessage = 2 ** 30;

/** The processes that mpiexec has started, by what it leaves in the environment: Open MPI's, MPICH's and Intel's names. */
export function mpiProcesses(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): ProcessGroup {
  const count = Number(environment["OMPI_COMM_WORLD_SIZE"] ?? environment["PMI_SIZE"] ?? 0);
  return {
    count: Number.isInteger(count) ? count : 0,
    open: () => new MpiCommunicator(loadMpi(environment)),
  };
}

/**
 * The processes of MPI's world. Sums are MPI's own, called as CNTK calls them, so that they add in the same order.
 * Calls block this process's thread until the others have come; where one of them ends with an error, mpiexec ends all.
 */
class MpiCommunicator implements Communicator {
  readonly rank: number;
  readonly size: number;
  readonly singleHost: boolean;

  constructor(private readonly mpi: MpiLibrary) {
    // Open MPI would take the signals by which Node's WebAssembly finds accesses beyond its memory.
    process.env["OMPI_MCA_opal_signal"] ??= "6";
    check(mpi.initThread(serialized, [0]), "MPI_Init_thread");
    const rank: [number] = [0];
    const size: [number] = [1];
    check(mpi.rank(mpi.world, rank), "MPI_Comm_rank");
    check(mpi.size(mpi.world, size), "MPI_Comm_size");
    [this.rank] = rank;
    [this.size] = size;
    this.singleHost = this.gatherNow(hostNumber()).every((own, _, all) => own[0] === all[0]?.[0]);
  }

  async sumInPlace(values: readonly Values[]): Promise<void> {
    for (const array of values) {
      for (const part of partsOf(array)) {
        check(this.mpi.sum(bytesOf(part), part.length, this.typeOf(part)), "MPI_Allreduce");
      }
    }
  }

  startSum(values: readonly Values[], packUpTo: number): PendingSum {
    const small = values.filter(({ byteLength }) => byteLength <= packUpTo);
    const packed = small.length > 1 ? joined(small) : undefined;
    const alone = packed ? values.filter((array) => !small.includes(array)) : values;
    // The parts are kept with their requests: memory that MPI works on must not be given back.
    const pending = (packed ? [packed, ...alone] : alone).flatMap((array) =>
      partsOf(array).map((part) => ({ part, request: this.start(part) })),
    );
    return {
      finish: async () => {
        for (const { request } of pending) check(this.mpi.wait(request), "MPI_Wait");
        if (packed) spread(packed, small);
      },
    };
  }

  async gather(values: Float64Array): Promise<readonly Float64Array[]> {
    return this.gatherNow(values);
  }

  async barrier(): Promise<void> {
    check(this.mpi.barrier(), "MPI_Barrier");
  }

  async close(): Promise<void> {
    check(this.mpi.finalize(), "MPI_Finalize");
  }

  private start(part: Values): Buffer {
    // Room for a request of either library: an address or an int.
    const request = Buffer.alloc(8);
    const status = this.mpi.startSum(bytesOf(part), part.length, this.typeOf(part), request);
    check(status, "MPI_Iallreduce");
    return request;
  }

  private gatherNow(values: Float64Array): Float64Array[] {
    const { length } = values;
    const received = new Float64Array(length * this.size);
    const status = this.mpi.gather(bytesOf(values), length, bytesOf(received), this.mpi.types.double);
    check(status, "MPI_Allgather");
    return Array.from({ length: this.size }, (_, rank) =>
      received.subarray(rank * length, (rank + 1) * length),
    );
  }

  private typeOf(values: Values): Handle {
    return values instanceof Float32Array ? this.mpi.types.float : this.mpi.types.double;
  }
}

/** MPI ends the processes itself when a call fails; a status can only come from a library that was told not to. */
function check(status: number, what: string): void {
  if (status !== 0) throw new Error(`${what}, MPI error ${status}`);
}

/** The same memory as bytes. */
function bytesOf(values: Values): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}

function partsOf(values: Values): readonly Values[] {
  if (values.length <= longestMessage) return values.length > 0 ? [values] : [];
  return Array.from({ length: Math.ceil(values.length / longestMessage) }, (_, i) =>
    values.subarray(i * longestMessage, (i + 1) * longestMessage),
  );
}

function joined(arrays: readonly Values[]): Values {
  const length = arrays.reduce((sum, array) => sum + array.length, 0);
  const all = arrays[0] instanceof Float32Array ? new Float32Array(length) : new Float64Array(length);
  let at = 0;
  for (const array of arrays) {
    all.set(array, at);
    at += array.length;
  }
  return all;
}

function spread(all: Values, arrays: readonly Values[]): void {
  let at = 0;
  for (const array of arrays) {
    array.set(all.subarray(at, at + array.length));
    at += array.length;
  }
}

/** A number for the machine's name, to compare machines by. */
function hostNumber(): Float64Array {
  let hash = 5381;
  for (const character of hostname()) hash = (hash * 33 + (character.codePointAt(0) ?? 0)) % 2 ** 40;
  return Float64Array.of(hash);
}
