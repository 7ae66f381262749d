import { createRequire } from "node:module";
import { CntkError } from "../diagnostics/diagnostic.js";

/** Handle of the MPI library: an address in Open MPI, an int in MPICH. */
export type Handle = bigint | number;

/** The functions and handles of MPI that are used here, whichever library they come from. Statuses are MPI's; 0 is success. */
export interface MpiLibrary {
  readonly initThread: (required: number, provided: [number]) => number;
  readonly rank: (communicator: Handle, rank: [number]) => number;
  readonly size: (communicator: Handle, size: [number]) => number;
  readonly sum: (values: Buffer, count: number, type: Handle) => number;
  readonly startSum: (values: Buffer, count: number, type: Handle, request: Buffer) => number;
  readonly wait: (request: Buffer) => number;
  readonly gather: (sent: Buffer, count: number, received: Buffer, type: Handle) => number;
  readonly barrier: () => number;
  readonly finalize: () => number;
  readonly world: Handle;
  readonly types: { readonly float: Handle; readonly double: Handle };
}

/** What is used of koffi. */
interface Koffi {
  load(path: string): LoadedLibrary;
}

type NativeFunction = (...words: unknown[]) => number;

interface LoadedLibrary {
  func(declaration: string): NativeFunction;
  symbol(name: string, type: string): bigint;
}

/** How a library names what MPI leaves to it. */
interface Dialect {
  /** C type of a handle, as koffi knows it. */
  readonly handle: string;
  readonly inPlace: bigint;
  readonly world: Handle;
  readonly float: Handle;
  readonly double: Handle;
  readonly sum: Handle;
}

/** Names under which the library is looked for: Open MPI's, then MPICH's (and of those that share its binary interface). */
const openMpiNames = ["libmpi.so.40", "libmpi.so", "libmpi.40.dylib", "libmpi.dylib"];
const mpichNames = ["libmpi.so.12", "libmpich.so.12", "libmpi.12.dylib", "libmpich.dylib"];

/** Open MPI's handles are addresses of objects in the library, MPICH's are numbers that its binary interface fixes. */
const mpich: Dialect = {
  handle: "int",
  inPlace: 0xffff_ffff_ffff_ffffn,
  world: 0x44000000,
  float: 0x4c00040a,
  double: 0x4c00080b,
  sum: 0x58000003,
};

function openMpi(library: LoadedLibrary): Dialect {
  const address = (name: string): bigint => library.symbol(name, "int");
  return {
    handle: "void *",
    inPlace: 1n,
    world: address("ompi_mpi_comm_world"),
    float: address("ompi_mpi_float"),
    double: address("ompi_mpi_double"),
    sum: address("ompi_mpi_op_sum"),
  };
}

/**
 * Loads the MPI library of the machine: CNTKTS_MPI_LIBRARY, or what Open MPI and MPICH install, the launcher's own first.
 * @throws CntkError `mpi-missing` where koffi or the library is not installed.
 */
export function loadMpi(environment: Readonly<Record<string, string | undefined>>): MpiLibrary {
  const koffi = loadKoffi();
  const given = environment["CNTKTS_MPI_LIBRARY"];
  const byLauncher =
    environment["OMPI_COMM_WORLD_SIZE"] === undefined
      ? [...mpichNames, ...openMpiNames]
      : [...openMpiNames, ...mpichNames];
  for (const name of given === undefined ? byLauncher : [given]) {
    const library = loadOrUndefined(koffi, name);
    if (library) return bind(library, dialectOf(library));
  }
  throw new CntkError({
    code: "mpi-missing",
    message: `Several processes train together by MPI, whose library ${given === undefined ? "is not installed" : `cannot be loaded from '${given}'`}.`,
    hint: "on Debian and Ubuntu: apt-get install libopenmpi3 openmpi-bin; or CNTKTS_MPI_LIBRARY=/path/to/libmpi.so",
  });
}

function loadKoffi(): Koffi {
  try {
    return createRequire(import.meta.url)("koffi") as Koffi;
  } catch {
    throw new CntkError({
      code: "mpi-missing",
      message: "Several processes train together by MPI, for which the npm package koffi is not installed.",
      hint: "npm install koffi",
    });
  }
}

function loadOrUndefined(koffi: Koffi, name: string): LoadedLibrary | undefined {
  try {
    return koffi.load(name);
  } catch {
    return undefined;
  }
}

function dialectOf(library: LoadedLibrary): Dialect {
  try {
    return openMpi(library);
  } catch {
    return mpich;
  }
}

function bind(library: LoadedLibrary, dialect: Dialect): MpiLibrary {
  const { handle, inPlace, world, sum } = dialect;
  const all = `void *, void *, int, ${handle}, ${handle}, ${handle}`;
  const initThread = library.func("int MPI_Init_thread(void *, void *, int, _Out_ int *)");
  const rank = library.func(`int MPI_Comm_rank(${handle}, _Out_ int *)`);
  const size = library.func(`int MPI_Comm_size(${handle}, _Out_ int *)`);
  const allReduce = library.func(`int MPI_Allreduce(${all})`);
  const startAllReduce = library.func(`int MPI_Iallreduce(${all}, void *)`);
  const wait = library.func("int MPI_Wait(void *, void *)");
  const gather = library.func(`int MPI_Allgather(void *, int, ${handle}, void *, int, ${handle}, ${handle})`);
  const barrier = library.func(`int MPI_Barrier(${handle})`);
  const finalize = library.func("int MPI_Finalize()");
  return {
    initThread: (required, provided) => initThread(null, null, required, provided),
    rank,
    size,
    sum: (values, count, type) => allReduce(inPlace, values, count, type, sum, world),
    startSum: (values, count, type, request) =>
      startAllReduce(inPlace, values, count, type, sum, world, request),
    // MPI_STATUS_IGNORE: 0 in Open MPI, 1 in MPICH.
    wait: (request) => wait(request, dialect === mpich ? 1n : 0n),
    gather: (sent, count, received, type) => gather(sent, count, type, received, count, type, world),
    barrier: () => barrier(world),
    finalize: () => finalize(),
    world,
    types: { float: dialect.float, double: dialect.double },
  };
}
