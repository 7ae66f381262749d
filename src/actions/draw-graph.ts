/** The formats in which a graph can be drawn. */
export type GraphFormat = "svg";

/** The format that a file's name asks for, if it is one of them. */
export function graphFormatOf(path: string): GraphFormat | undefined {
  return /\.svg$/i.test(path) ? "svg" : undefined;
}

/** Draws a graph in Graphviz's language. The library, a few hundred kilobytes of WebAssembly, is loaded with the first one. */
export async function drawGraph(dot: string, format: GraphFormat = "svg"): Promise<string> {
  const { Graphviz } = await import("@hpcc-js/wasm-graphviz");
  const graphviz = await Graphviz.load();
  return graphviz.layout(dot, format, "dot");
}
