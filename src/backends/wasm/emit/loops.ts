import { block, br, br_if, i32, if_, type Input, type Local, local, loop } from "wasmati";
import { variable } from "./function.js";

/** A whole number at run time: a local, a constant, or what is on top of the stack. */
export type Whole = Input<"i32">;

/** for (index = begin; index < end; index += step) body(index) */
export function forEach(
  begin: Whole,
  end: Local<"i32"> | number,
  step: number,
  body: (index: Local<"i32">) => void,
): void {
  const index = variable("i32", begin);
  whileBelow(index, end, () => {
    body(index);
    advance(index, step);
  });
}

/** while (index < end) body(); the body moves the index on. */
export function whileBelow(index: Local<"i32">, end: Local<"i32"> | number, body: () => void): void {
  block(null, (done) => {
    i32.ge_s(index, end);
    br_if(done);
    loop(null, (again) => {
      body();
      i32.lt_s(index, end);
      br_if(again);
    });
  });
}

/** while (index + room <= end) body(); the body moves the index on by `room`. */
export function whileFits(index: Local<"i32">, room: number, end: Local<"i32">, body: () => void): void {
  const last = variable("i32", i32.sub(end, room - 1));
  whileBelow(index, last, body);
}

/**
 * Covers `size` by stretches of `length`, or by one of them if it is shorter: `body` gets where each begins. The last one ends with
 * the size, however much of it the one before has covered.
 */
export function forStretches(size: number, length: number, body: (at: Local<"i32">) => void): void {
  const at = variable("i32", 0);
  const last = Math.max(0, size - length);
  block(null, (done) => {
    loop(null, (again) => {
      body(at);
      i32.eq(at, last);
      br_if(done);
      advance(at, length);
      local.set(at, smaller(at, last));
      br(again);
    });
  });
}

/** Runs `body` `count` times; the counter is the function's own. */
export function repeat(count: Local<"i32">, body: () => void): void {
  const left = variable("i32", count);
  block(null, (done) => {
    i32.le_s(left, 0);
    br_if(done);
    loop(null, (again) => {
      body();
      local.tee(left, i32.sub(left, 1));
      br_if(again);
    });
  });
}

/** The smaller one of two numbers. */
export function smaller(x: Local<"i32">, most: Local<"i32"> | number): Local<"i32"> {
  const result = variable("i32", most);
  when(i32.lt_s(x, most), () => local.set(result, x));
  return result;
}

/** index += step */
export function advance(index: Local<"i32">, step: Whole): void {
  if (step === 0) return;
  local.set(index, i32.add(local.get(index), step));
}

/** if (condition on the stack ≠ 0) whenTrue() else whenFalse() */
export function when(_condition: unknown, whenTrue: () => void, whenFalse?: () => void): void {
  if (whenFalse) if_(null, whenTrue, whenFalse);
  else if_(null, whenTrue);
}

/** Leaves the surrounding `scope`. */
export type Leave = (_condition?: unknown) => void;

/** A piece of code that may be left early: by `leave(condition)`, or `leave()` in any case. */
export function scope(body: (leave: Leave) => void): void {
  block(null, (label) => {
    body((condition) => {
      if (condition === undefined) br(label);
      else br_if(label);
    });
  });
}
