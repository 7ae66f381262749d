import { describe, expect, it } from "vitest";
import { assembleConfiguration, isConfigFileWord } from "../../src/config/index.js";
import { CntkError } from "../../src/diagnostics/index.js";
import { memoryFiles } from "../support/memory-files.js";

const contents = new Map<string, string | Uint8Array>([
  ["/w/a.cntk", "# head\n\n  x = 1 # one\ny = 2#two # three\n   \n"],
  ["/w/sub/b.cntk", "\uFEFFb = 1\r\nlast = 2"],
  ["/w/with.cntk", "include=sub/b.cntk\n include=indented\nc = 1\n"],
  ["/w/again.cntk", "include=a.cntk+again.cntk\n"],
  ["/w/variable.cntk", "include=$x$/b.cntk\n"],
  ["/w/mac.cntk", "a = 1\rb = 2\n"],
]);
const assemble = (...args: string[]) => assembleConfiguration(args, memoryFiles(contents, "/w"));

function thrown(run: () => unknown): CntkError {
  try {
    run();
  } catch (error) {
    if (error instanceof CntkError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("assembleConfiguration", () => {
  it("strips comments, blank lines, and the indent of lines with a comment", () => {
    const { text, name, includeDirectories } = assemble("configFile=a.cntk");
    expect(text.text).toBe("x = 1 \ny = 2#two # three\n");
    expect(name).toBe("a.cntk");
    expect(includeDirectories).toEqual(["/w"]);
  });
  it("puts words and files in their order, a file list at its place", () => {
    const { text, name } = assemble("first=1", "CONFIGFILE=a.cntk+sub/b.cntk", "z=3");
    expect(text.text).toBe("first=1\nx = 1 \ny = 2#two # three\nb = 1\nlast = 2\nz=3\n");
    expect(name).toBe("b.cntk");
  });
  it("is named global without files", () => expect(assemble("a=1").name).toBe("global"));
  it("takes CR LF and a byte order mark", () => {
    expect(assemble("configFile=sub/b.cntk").text.text).toBe("b = 1\nlast = 2\n");
  });
  it("knows the true place behind CR LF and a byte order mark", () => {
    const { text } = assemble("configFile=sub/b.cntk");
    const span = text.spanOf(text.text.indexOf("last"), text.text.indexOf("last") + 4);
    expect(span.source.text.slice(span.start, span.end)).toBe("last");
  });
  it("refuses a CR inside a line", () => {
    expect(thrown(() => assemble("configFile=mac.cntk")).message).toBe(
      "fgets: malformed text file, CR without LF",
    );
  });
  it("includes files in column 1 only", () => {
    const { text, name } = assemble("configFile=with.cntk");
    expect(text.text).toBe("b = 1\nlast = 2\n include=indented\nc = 1\n");
    expect(name).toBe("b.cntk");
  });
  it("includes from a command-line word, each file once", () => {
    const { text, log } = assemble("configFile=again.cntk", "include=a.cntk", "q=1");
    expect(text.text).toBe("x = 1 \ny = 2#two # three\nq=1\n");
    const warning = "Warning: Config file included multiple times.  Not including config file again: ";
    expect(log).toEqual([`${warning}again.cntk`, `${warning}a.cntk`]);
  });
  it("refuses variables in include", () => {
    const error = thrown(() => assemble("configFile=variable.cntk"));
    expect(error.code).toBe("include-variable");
    expect(error.diagnostic.span?.start).toBe("include=".length);
  });
  it("changes the directory at once, and keeps the word", () => {
    const assembled = assemble("currentDirectory=sub", "configFile=b.cntk");
    expect(assembled.text.text).toBe("currentDirectory=sub\nb = 1\nlast = 2\n");
    expect(assembled.log).toEqual(["Changed current directory to sub\n"]);
    expect(assembled.currentDirectory).toBe("sub");
    expect(assembled.files.directory).toBe("/w/sub");
    expect(assembled.includeDirectories).toEqual(["/w/sub"]);
  });
  it("names a directory that is not there", () => {
    expect(thrown(() => assemble("currentDirectory=no")).message).toBe(
      "Failed to set the current directory to 'no'",
    );
  });
  it("names a missing file and the word that asked for it", () => {
    const { code, message, span } = thrown(() => assemble("a=1", "configFile=a.cntk+no.cntk")).diagnostic;
    expect([code, message]).toEqual([
      "file-missing",
      "error opening file 'no.cntk': No such file or directory",
    ]);
    expect(span?.source.text.slice(span.start, span.end)).toBe("no.cntk");
  });
  it("refuses the same file twice", () => {
    const error = thrown(() => assemble("configFile=a.cntk", "configFile=a.cntk"));
    expect(error.message).toBe("Cannot specify same config file multiple times at the command line.");
  });
});

it("isConfigFileWord looks at the beginning, whatever the case", () => {
  expect(["configFile=a", "CONFIGfile=", "x=configFile=a", "configFile"].map(isConfigFileWord)).toEqual([
    true,
    true,
    false,
    false,
  ]);
});
