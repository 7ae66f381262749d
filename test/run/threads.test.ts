import { describe, expect, it } from "vitest";
import { ConfigSection, MappedText } from "../../src/config/index.js";
import { threadsOf } from "../../src/run/threads.js";

const root = (text: string) => ConfigSection.read(MappedText.of({ name: "f", text }), "f").result;
const machine = { version: "", host: "", nodeVersion: "" };

// As CPUMatrix::SetNumThreads has it, which CNTK hands numCPUThreads to.
describe("the number of threads", () => {
  it.each([
    ["numCPUThreads=3", 3],
    ["numCPUThreads=100", 8],
    ["numCPUThreads=-2", 6],
    ["numCPUThreads=-20", 1],
    ["numCPUThreads=3 ; forceDeterministicAlgorithms=true", 1],
    ["x=1", 8],
  ])("of eight cores: %s", (text, threads) => {
    expect(threadsOf(root(text), { ...machine, cores: 8 })).toBe(threads);
  });

  it("without a word is what the processes on the machine leave each other", () => {
    expect(threadsOf(root("x=1"), { ...machine, cores: 8, processesHere: 3 })).toBe(2);
    expect(threadsOf(root("x=1"), { ...machine, cores: 2, processesHere: 4 })).toBe(1);
    expect(threadsOf(root("numCPUThreads=2"), { ...machine, cores: 2, processesHere: 4 })).toBe(2);
  });
});
