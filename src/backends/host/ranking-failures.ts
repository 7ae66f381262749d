import { CntkError } from "../../diagnostics/diagnostic.js";

/** More are asked for than there are. */
export function topTooLarge(top: number, height: number): CntkError {
  return new CntkError({
    code: "top-too-large",
    message: "VectorMax: TopK must be less or equal than the number of rows",
    hint: `topN = ${top}, but there are ${height} classes`,
  });
}
