import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

/**
 * Files that are not whole yet stand beside their target under a name of this kind: `TARGET.tmp-PID-NUMBER-HOST`. The
 * name tells who writes it, so that the next one to write the same target can clear away what a killed process left.
 */
const suffix = /^\.tmp-([1-9]\d*)-[1-9]\d*-([0-9a-f]{8})$/;

/** Temporary files that this process is writing. */
const ours = new Set<string>();
let count = 0;

/** Eight hexadecimal digits for this machine's name: process numbers mean something on one machine only. */
function hostMark(name: string): string {
  let hash = 0x811c9dc5;
  for (const character of name) hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}

/** A file of another machine is given up for lost when nobody has written to it for a day. */
const foreignAge = 24 * 60 * 60 * 1000;

/** A name beside the target that no other process uses; `releaseTemporary` gives it back. */
export function temporaryFor(target: string): string {
  const name = `${target}.tmp-${process.pid}-${++count}-${hostMark(os.hostname())}`;
  ours.add(name);
  return name;
}

/** Says that a temporary file has been renamed or removed. */
export function releaseTemporary(name: string): void {
  ours.delete(name);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Someone else's process may not be asked, which tells that it is there.
    return !(error instanceof Error && "code" in error && error.code === "ESRCH");
  }
}

/** Removes the temporary files of `target` whose writers are gone; never those of other targets or of a living process. */
export function clearAbandoned(target: string): void {
  const folder = path.dirname(target);
  const base = path.basename(target);
  for (const name of entries(folder)) {
    const match = name.startsWith(base) && suffix.exec(name.slice(base.length));
    if (!match) continue;
    const file = path.join(folder, name);
    if (isAbandoned(file, Number(match[1]), match[2] ?? "")) fs.rmSync(file, { force: true });
  }
}

function isAbandoned(file: string, pid: number, host: string): boolean {
  const status = fs.lstatSync(file, { throwIfNoEntry: false });
  if (!status?.isFile()) return false;
  if (host !== hostMark(os.hostname())) return Date.now() - status.mtimeMs > foreignAge;
  // In a container every run may have the same number: what bears ours and is not ours is a predecessor's.
  return pid === process.pid ? !ours.has(file) : !isAlive(pid);
}

/** Names in a folder; none where it cannot be listed, since tidying must not stop anybody from writing. */
function entries(folder: string): string[] {
  try {
    return fs.readdirSync(folder);
  } catch {
    return [];
  }
}
