import { CntkError } from "../../src/diagnostics/diagnostic.js";
import type { FileAccess, LogFile, PendingFile, RandomAccessFile } from "../../src/files/file-access.js";

/** Files in memory with POSIX paths; `contents` maps absolute paths to text or bytes and sees what is written. */
export function memoryFiles(contents: Map<string, string | Uint8Array>, directory = "/"): FileAccess {
  const resolve = (path: string) => {
    const parts: string[] = [];
    for (const part of (path.startsWith("/") ? path : `${directory}/${path}`).split("/")) {
      if (part === "..") parts.pop();
      else if (part !== "" && part !== ".") parts.push(part);
    }
    return "/" + parts.join("/");
  };
  const content = (path: string) => {
    const found = contents.get(resolve(path));
    if (found === undefined) {
      const message = `error opening file '${path}': No such file or directory`;
      throw new CntkError({ code: "file-missing", message });
    }
    return found;
  };
  const bytes = (path: string) => {
    const found = content(path);
    return typeof found === "string" ? new TextEncoder().encode(found) : found;
  };
  const text = (path: string) => {
    const found = content(path);
    return typeof found === "string" ? found : new TextDecoder("utf-8", { ignoreBOM: true }).decode(found);
  };
  return {
    directory,
    withDirectory: (other) => memoryFiles(contents, resolve(other)),
    resolve,
    exists: (path) =>
      contents.has(resolve(path)) || [...contents.keys()].some((k) => k.startsWith(resolve(path) + "/")),
    isDirectory: (path) => {
      const absolute = resolve(path);
      return absolute === "/" || [...contents.keys()].some((key) => key.startsWith(absolute + "/"));
    },
    modified: (path) => (contents.has(resolve(path)) ? 0 : undefined),
    readBytes: bytes,
    readText: text,
    open: (path): RandomAccessFile => {
      const data = bytes(path);
      return {
        size: data.length,
        read: (offset, length) => data.slice(offset, offset + length),
        close: () => {},
      };
    },
    create: (path): PendingFile => {
      const parts: Uint8Array[] = [];
      return {
        write: (data) =>
          void parts.push(typeof data === "string" ? new TextEncoder().encode(data) : data.slice()),
        commit: () => {
          const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
          let at = 0;
          for (const part of parts) {
            whole.set(part, at);
            at += part.length;
          }
          contents.set(resolve(path), whole);
        },
        abort: () => {},
      };
    },
    log: (path): LogFile => {
      contents.set(resolve(path), "");
      const write = (added: string | Uint8Array): void => {
        if (typeof added !== "string") throw new Error("logs in memory are text");
        contents.set(resolve(path), text(path) + added);
      };
      return { write, close: () => {} };
    },
    makeDirectory: () => {},
    list: (path) => {
      const inside = [...contents.keys()].filter((key) => key.startsWith(resolve(path) + "/"));
      return [...new Set(inside.map((key) => key.slice(resolve(path).length + 1).split("/")[0] ?? ""))];
    },
    remove: (path) => void contents.delete(resolve(path)),
  };
}
