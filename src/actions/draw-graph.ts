/** Where the drawing goes that a file name asks for: graphs are drawn as SVG, whatever the name's ending. */
export function drawingPath(path: string): string {
  return /\.svg$/i.test(path) ? path : `${path.replace(/\.[a-z]{2,4}$/i, "")}.svg`;
}

/** Draws a graph in Graphviz's language. The library, a few hundred kilobytes of WebAssembly, is loaded with the first one. */
export async function drawGraph(dot: string): Promise<string> {
  const { Graphviz } = await import("@hpcc-js/wasm-graphviz");
  const graphviz = await Graphviz.load();
  return graphviz.layout(dot, "svg", "dot");
}
