import type { CallExpression } from "../../grammar/ast.js";
import { nestedTooDeeply } from "./failures.js";

/** A call that is inside of itself so many times is taken for an endless recursion; networks are thousands of layers deep. */
const mostOpen = 40_000;

/** How many times each call of a program is being computed at the moment. */
export class OpenCalls {
  private readonly open = new Map<CallExpression, number>();

  /** Throws CntkError `nested-too-deeply`. */
  begin(call: CallExpression): void {
    const count = (this.open.get(call) ?? 0) + 1;
    this.open.set(call, count);
    if (count > mostOpen) throw nestedTooDeeply(call.callee.span);
  }

  end(call: CallExpression): void {
    this.open.set(call, (this.open.get(call) ?? 1) - 1);
  }
}
