/**
 * Turns generated JavaScript into a function. Kernels of elementwise expressions, reductions and small convolutions are
 * generated, because loops written out for one shape and one formula run many times faster than loops that look
 * both up. The text consists of numbers, operators and names made here: nothing a user wrote gets into it but the
 * names of scalars, as JSON strings. The same text is compiled once.
 */
export function compileCode<F>(parameters: readonly string[], body: string): F {
  const key = `${parameters.join()}|${body}`;
  let compiled = cache.get(key);
  if (!compiled) {
    compiled = new Function(...parameters, `"use strict";\n${body}`);
    cache.set(key, compiled);
  }
  return compiled as F;
}

const cache = new Map<string, unknown>();
