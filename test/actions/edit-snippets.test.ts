import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { loadModel, runConfig } from "../../src/index.js";
import { temporaryFolder } from "../support/temporary-folder.js";

/* Edit scripts that describe networks in NDL: whole files, sections of files, lines of their own, with macros. */

const folder = temporaryFolder();

const layer = `Layer(x, in, out) = [ W=Parameter(out, in) ; b=Parameter(out, 1) ; t=Times(W, x) ; z=Plus(t, b) ]`;

beforeAll(() => {
  writeFileSync(join(folder, "macros.ndl"), `${layer}\n`);
  writeFileSync(
    join(folder, "net.ndl"),
    `load=macros\nrun=net\nmacros=[\n ${layer}\n]\nnet=[\n features=Input(3, tag="feature")\n h=Layer(features, 3, 4)\n o=Layer(h, 4, 2)\n]\n`,
  );
});

/** Runs an edit script; the shapes of the parameters in the model it saves as `new.dnn`. */
async function edited(lines: readonly string[], more = ""): Promise<Record<string, unknown>> {
  writeFileSync(join(folder, "script.mel"), `${lines.join("\n")}\n`);
  const config = `command=go\ngo=[ action=edit ; editPath="script.mel" ${more} ]\n`;
  writeFileSync(join(folder, "edit.cntk"), config);
  const quiet = { write: () => undefined };
  await runConfig(["configFile=edit.cntk"], { directory: folder, log: quiet, output: quiet });
  const { nodes } = loadModel(join(folder, "new.dnn")).model;
  return Object.fromEntries(
    nodes.filter(({ values }) => values).map(({ name, fields }) => [name, fields["shape"]]),
  );
}

const two = { "h.W": [4, 3], "h.b": [4, 1], "o.W": [2, 4], "o.b": [2, 1] };

describe("networks in NDL inside edit scripts", () => {
  it("a file as a whole, with the macros that it loads itself", async () => {
    const script = [
      'LoadNDLSnippet (m, "net.ndl")',
      "SetProperty (m.o.z, output, true)",
      'SaveModel (m, "new.dnn")',
    ];
    expect(await edited(script)).toEqual(two);
  });

  it("a section, with macros of ndlMacros, and a line that goes on from it", async () => {
    const script = [
      'LoadNDLSnippet (m, "net.ndl", section=net)',
      "p = Layer (o.z, 2, 5)",
      "SetProperty (m.p.z, output, true)",
      'SaveModel (m, "new.dnn")',
    ];
    expect(await edited(script, '; ndlMacros="macros.ndl"')).toEqual({
      ...two,
      "p.W": [5, 2],
      "p.b": [5, 1],
    });
  });

  it("a section that is not there is named", async () => {
    await expect(edited(['LoadNDLSnippet (m, "net.ndl", section=nte)'])).rejects.toMatchObject({
      message: "Section nte specified in optional parameter was not found in the net.ndl file",
    });
  });
});
