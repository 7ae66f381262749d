const cache = new Map<string, unknown>();

/**
 * Turns generated JavaScript into a function, once per text. Loops written out for one shape run many times faster
 * than loops that look everything up. The text holds numbers, operators and names made here; of what users wrote only
 * the names of scalars, as JSON strings.
 */
export function generate<F>(parameters: readonly string[], body: readonly string[], helpers: object = {}): F {
  const text = [parameters.join(), ...body].join("\n");
  let compiled = cache.get(text) as F | undefined;
  if (!compiled) {
    const source = `"use strict"; return function kernel(${parameters.join(", ")}) {\n${body.join("\n")}\n};`;
    const make = new Function(...Object.keys(helpers), source) as (...values: unknown[]) => F;
    compiled = make(...(Object.values(helpers) as unknown[]));
    cache.set(text, compiled);
  }
  return compiled;
}
