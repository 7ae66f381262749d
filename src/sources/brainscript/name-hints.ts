import type { NamedExpression, Program } from "../../../grammar/ast.js";
import { foreignNames } from "../../library/index.js";
import { initializationWords } from "./learnable-parameter.js";

/**
 * What may be meant by a name that a description of a network uses and that is not known where it stands: a name of older
 * descriptions or of other programs, a word without its quotes, a function that the library keeps in a namespace (`BS.Boolean.If`
 * for `If`), the layer or the reduction of a name.
 */
export function nameHint({ members }: Program, name: string): string | undefined {
  const foreign = foreignNames.get(name);
  if (foreign !== undefined) return foreign;
  if (initializationWords.includes(name)) return `a word has its quotes: "${name}"`;
  const namespaces = members.filter(({ name: space }) => space === "BS" || space === "CNTK2");
  const meant = namespaces.map((space) => fullName(space, name)).find((found) => found !== undefined);
  if (meant !== undefined) return `did you mean '${meant}'?`;
  const longer = [`${name}Layer`, `Reduce${name}`].find((one) =>
    members.some((member) => member.name === one),
  );
  return longer === undefined ? undefined : `did you mean '${longer}'?`;
}

/** The name of a member somewhere inside of a namespace, in full. */
function fullName({ name: space, value }: NamedExpression, name: string): string | undefined {
  if (value.kind !== "record") return undefined;
  for (const member of value.members) {
    const found = member.name === name ? name : fullName(member, name);
    if (found !== undefined) return `${space}.${found}`;
  }
  return undefined;
}
