import { type Func, func, type Input, type Local, local, type ValueType, type Type } from "wasmati";

/*
 * Functions whose locals are declared where they are needed. The emitter wants all of them beforehand, sorted by type; it
 * looks a local's number up only when the module is put together, so the numbers are given when the body is known.
 */

/** A function of the module; `call` takes it. */
export type Routine = Func<ValueType[], ValueType[]>;

/** The types that kernels use. */
export type Name = "i32" | "f32" | "f64" | "v128";

interface Body {
  /** Types of parameters and locals so far, by number. */
  readonly types: ValueType[];
  readonly locals: Local[];
}

let open: Body | undefined;

/** Defines a function; `body` gets its parameters and leaves the results on the stack. */
export function define<const P extends readonly Name[]>(
  parameters: P,
  results: readonly Name[],
  body: (parameters: { [K in keyof P]: Local<P[K]> }) => void,
): Routine {
  const outer = open;
  const locals: Local[] = [];
  const routine = func({ in: typesOf(parameters), out: typesOf(results) }, (args, _, context) => {
    open = { types: context.locals, locals };
    body(args as unknown as { [K in keyof P]: Local<P[K]> });
  });
  open = outer;
  numberByType(locals, parameters.length);
  routine.locals.push(...[...locals].sort((a, b) => a.index - b.index).map(({ type }) => type));
  return routine;
}

/** Locals of one type get neighbouring numbers, behind the parameters. */
function numberByType(locals: readonly Local[], parameters: number): void {
  let next = parameters;
  for (const type of new Set(locals.map((known) => known.type))) {
    for (const known of locals) if (known.type === type) known.index = next++;
  }
}

/** How many instructions a function has, those of its blocks included. */
export function lengthOf({ body }: Pick<Routine, "body">): number {
  return body.reduce((length, { resolveArgs }) => {
    const blocks = (resolveArgs as unknown[]).filter(
      (part): part is Routine["body"] => Array.isArray(part) && isBody(part),
    );
    return length + 1 + blocks.reduce((sum, block) => sum + lengthOf({ body: block }), 0);
  }, 0);
}

/** Is it a list of instructions rather than bytes of a constant? */
function isBody(part: readonly unknown[]): boolean {
  return typeof part[0] === "object" && part[0] !== null && "resolveArgs" in part[0];
}

type Types = [Type<ValueType>, ...Type<ValueType>[]];

function typesOf(names: readonly Name[]): Types {
  return names.map((kind): Type<ValueType> => ({ kind })) as Types;
}

/** A new local of the function that is being defined, set to `value`. */
export function variable<T extends Name>(type: T, value?: Input<T>): Local<T> {
  if (!open) throw new Error("a local belongs to a function");
  const made: Local<T> = { kind: "local", type, index: open.types.length };
  open.types.push(type);
  open.locals.push(made);
  if (value !== undefined) local.set(made, value);
  return made;
}
