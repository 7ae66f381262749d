import { retryLines } from "../diagnostics/attempts.js";
import { CntkError } from "../diagnostics/diagnostic.js";

/** What was being done with a file when it went wrong. */
export type FileAction = "opening" | "reading" | "writing" | "creating";

/** The operating system's reasons, in the words of C's strerror (which CNTK prints). */
const reasons: Readonly<Record<string, string>> = {
  ENOENT: "No such file or directory",
  EACCES: "Permission denied",
  EPERM: "Operation not permitted",
  EISDIR: "Is a directory",
  ENOTDIR: "Not a directory",
  EEXIST: "File exists",
  ENOSPC: "No space left on device",
  EDQUOT: "Disk quota exceeded",
  EFBIG: "File too large",
  EROFS: "Read-only file system",
  EMFILE: "Too many open files",
  ENAMETOOLONG: "File name too long",
  ELOOP: "Too many levels of symbolic links",
  ENXIO: "No such device or address",
  ENODEV: "No such device",
  EPIPE: "Broken pipe",
  EIO: "Input/output error",
  EBADF: "Bad file descriptor",
};

/** Code and reason of an error that the operating system raised. */
export function reasonOf(error: unknown): { readonly code: string; readonly reason: string } {
  const given = error instanceof Error && "code" in error ? error.code : undefined;
  const code = typeof given === "string" ? given : "";
  return { code, reason: reasons[code] ?? (error instanceof Error ? error.message : String(error)) };
}

/** An error with a code of the operating system, for what we find out before it does. */
export function systemError(code: string): Error {
  return Object.assign(new Error(reasons[code] ?? code), { code });
}

/** The CntkError `file-missing`, `file-unreadable` or `file-unwritable` that names the file as the user wrote it. */
export function fileFailure(action: FileAction, shown: string, error: unknown): CntkError {
  if (error instanceof CntkError) return error;
  const { code, reason } = reasonOf(error);
  const writing = action === "writing" || action === "creating";
  const missing = code === "ENOENT" || code === "ENOTDIR";
  return new CntkError({
    code: writing ? "file-unwritable" : missing ? "file-missing" : "file-unreadable",
    message: `error ${action} file '${shown}': ${reason}`,
  });
}

/** Opens a file for writing, which CNTK tries several times: what goes wrong tells of the tries in its log. */
export function guardedOpening<T>(shown: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    const { diagnostic } = fileFailure("creating", shown, error);
    const logged = retryLines(`error opening file '${shown}': ${reasonOf(error).reason}`);
    throw new CntkError({ ...diagnostic, logged });
  }
}

/** Runs an action of the file system; what goes wrong becomes a CntkError that names the file. */
export function guarded<T>(action: FileAction, shown: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw fileFailure(action, shown, error);
  }
}
