import { cpSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import protobuf from "protobufjs";
import { describe, expect, it } from "vitest";
import { record } from "../../src/exporters/tensorboard/event-file.js";
import { eventSchema } from "../../src/exporters/tensorboard/schema.js";
import { captureRun } from "../support/recorded-run.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const recorded = fileURLToPath(new URL("../fixtures/tensorboard", import.meta.url));
const types = protobuf.Root.fromJSON(eventSchema);

interface Event {
  readonly wallTime: number;
  readonly fileVersion?: string;
  readonly graphDef?: string;
}
interface Graph {
  readonly node: { name: string; op: string; input: string[]; attr: unknown }[];
}

function decoded<T>(type: string, bytes: Uint8Array): T {
  const message = types.lookupType(type);
  return message.toObject(message.decode(bytes), { longs: Number, bytes: String }) as T;
}

/** The data of the records of an event file. */
function records(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const result = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 12 + Number(view.getBigUint64(at, true));
    result.push(bytes.subarray(at + 12, end));
    at = end + 4;
  }
  return result;
}

/** What the records say, but for the time, and the nodes of the graph; CNTK numbers the node above all others. */
function contents(bytes: Uint8Array): { readonly events: object[]; readonly graph: Graph["node"] } {
  let graph: Graph["node"] = [];
  const events = records(bytes).map((data) => {
    const { wallTime, graphDef, ...event } = decoded<Event>("Event", data);
    expect(Number.isInteger(wallTime)).toBe(true);
    if (graphDef !== undefined) {
      const { node } = decoded<Graph>("GraphDef", Buffer.from(graphDef, "base64"));
      graph = node.map((each) => ({ ...each, name: each.name.replace(/^Combine\d+$/, "Combine") }));
    }
    return event;
  });
  return { events, graph };
}

describe("event files for TensorBoard", () => {
  it("say what CNTK's say", async () => {
    const directory = join(temporaryFolder(), "board");
    cpSync(recorded, directory, { recursive: true });
    const { error } = await captureRun(["configFile=net.cntk"], { directory });
    expect(error).toBeUndefined();
    const names = readdirSync(join(directory, "curves"));
    expect(names).toHaveLength(1);
    expect(names[0]).toMatch(/^events\.out\.tfevents\.\d{10}\../);
    const ours = readFileSync(join(directory, "curves", names[0] ?? ""));
    const theirs = readFileSync(join(recorded, "events.bin"));
    expect(contents(ours)).toEqual(contents(theirs));
  });

  it("consist of records with CNTK's check sums", () => {
    const theirs = readFileSync(join(recorded, "events.bin"));
    expect(Buffer.concat(records(theirs).map(record)).equals(theirs)).toBe(true);
  });

  it("are not written where nobody asks for them", async () => {
    const directory = join(temporaryFolder(), "none");
    cpSync(recorded, directory, { recursive: true });
    await captureRun(["configFile=net.cntk", "train=[SGD=[tensorBoardLogDir=]]"], { directory });
    expect(readdirSync(directory)).not.toContain("curves");
  });
});
