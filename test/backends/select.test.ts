import { describe, expect, it } from "vitest";
import { selectBackend } from "../../src/backends/select.js";
import { CntkError } from "../../src/diagnostics/diagnostic.js";

async function refusal(request: Parameters<typeof selectBackend>[0]): Promise<CntkError> {
  try {
    await selectBackend(request);
  } catch (error) {
    if (error instanceof CntkError) return error;
    throw error;
  }
  throw new Error("the request was expected to be refused");
}

describe("selectBackend", () => {
  it.each(["float", "double"] as const)(
    "takes wasm for %s by itself, without comment",
    async (elementType) => {
      const { backend, notes } = await selectBackend({ elementType, deviceId: -1 });
      expect(backend.name).toBe("wasm");
      expect(notes).toEqual([]);
    },
  );

  it("takes the backend asked for without comment", async () => {
    const { backend, notes } = await selectBackend({
      requested: "reference",
      elementType: "float",
      deviceId: -1,
    });
    expect(backend.name).toBe("reference");
    expect(notes).toEqual([]);
  });

  it("warns that no GPU is used", async () => {
    const { notes } = await selectBackend({ requested: "reference", elementType: "float", deviceId: 0 });
    expect(notes).toHaveLength(1);
    expect(notes[0]).toContain("deviceId=0");
  });

  it("refuses a backend that cannot do the precision, naming those that can", async () => {
    const { diagnostic } = await refusal({ requested: "tfjs-wasm", elementType: "double", deviceId: -1 });
    expect(diagnostic.code).toBe("backend-precision");
    expect(diagnostic.message).toContain("tfjs-wasm");
    expect(diagnostic.hint).toBe("leave out --backend, or choose one of: wasm, javascript, reference");
  });

  it("refuses an unknown backend, with a near name or all of them", async () => {
    const near = await refusal({ requested: "referense", elementType: "float", deviceId: -1 });
    expect(near.diagnostic).toMatchObject({ code: "unknown-backend", hint: "did you mean 'reference'?" });
    const far = await refusal({ requested: "quantum", elementType: "float", deviceId: -1 });
    expect(far.diagnostic.hint).toBe(
      "choose one of: wasm, javascript, tfjs, tfjs-node, tfjs-wasm, tfjs-cpu, reference",
    );
  });
});
