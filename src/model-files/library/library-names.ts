import type { LibraryFunction, LibraryGraph } from "./library-graph.js";

/**
 * Node names for everything in a function graph, by uid: the name that the user gave, or else the uid; inside a block behind
 * the block's name (`conv1.W`), the function that gives a block its value under the block's own. Names are unique without
 * regard to case: further ones of a kind get a number.
 */
export function libraryNames(graph: LibraryGraph): Map<string, string> {
  const blocks = blocksOfFunctions(graph);
  const names = new Map<string, string>();
  const taken = new Set<string>();
  const take = (uid: string, wanted: string): void => {
    let name = wanted;
    for (let number = 1; taken.has(name.toLowerCase()); number++) name = `${wanted}${number}`;
    taken.add(name.toLowerCase());
    names.set(uid, name);
  };
  const pathOf = (uid: string): string => {
    const names: string[] = [];
    const passed = new Set<string>();
    for (let block = blocks.get(uid); block && !passed.has(block.uid); block = blocks.get(block.uid)) {
      passed.add(block.uid);
      if (block.name !== "") names.unshift(block.name);
    }
    return names.join(".");
  };
  const inside = (uid: string, name: string): string => {
    const path = pathOf(uid);
    return path === "" ? name : `${path}.${name}`;
  };
  // What users named comes first: a name that the program makes must not take theirs away.
  for (const variable of graph.variables.values()) {
    if (variable.kind === "input") take(variable.uid, variable.name === "" ? variable.uid : variable.name);
  }
  for (const block of graph.functions.values()) {
    const root =
      block.block && !names.has(block.block.root) ? graph.functions.get(block.block.root) : undefined;
    if (root && block.name !== "") take(root.uid, inside(block.uid, block.name));
  }
  for (const one of graph.functions.values()) {
    if (!names.has(one.uid) && !one.block)
      take(one.uid, inside(one.uid, one.name === "" ? one.uid : one.name));
  }
  const users = usersOfVariables(graph);
  for (const { uid, name, kind } of graph.variables.values()) {
    if (kind === "input" || kind === "placeholder") continue;
    const user = users.get(uid);
    const own = name === "" ? uid : name;
    take(uid, user === undefined ? own : inside(user, own));
  }
  return names;
}

/** The innermost block that each function belongs to. */
function blocksOfFunctions({ functions }: LibraryGraph): Map<string, LibraryFunction> {
  const blocks = new Map<string, LibraryFunction>();
  // A block comes behind the functions inside it, so an outer one never claims what an inner one has.
  for (const block of functions.values()) {
    if (!block.block) continue;
    const stack = [block.block.root];
    const passed = new Set<string>();
    for (let uid = stack.pop(); uid !== undefined; uid = stack.pop()) {
      const one = functions.get(uid);
      if (!one || passed.has(uid) || uid === block.uid) continue;
      passed.add(uid);
      if (!blocks.has(uid)) blocks.set(uid, block);
      stack.push(...one.inputs.map(functionOfOutput));
    }
  }
  return blocks;
}

function usersOfVariables({ functions }: LibraryGraph): Map<string, string> {
  const users = new Map<string, string>();
  for (const { uid, inputs, block } of functions.values()) {
    if (block) continue;
    for (const input of inputs) if (!users.has(input)) users.set(input, uid);
  }
  return users;
}

/** The function that an output belongs to: `Plus9_Output_0` is of Plus9. */
export function functionOfOutput(uid: string): string {
  return uid.replace(/_Output_\d+$/, "");
}
