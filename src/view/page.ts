import type { ViewData } from "./view-data.js";
import { base64 } from "./weight-picture.js";

/** What a page is made of, read from where the program is installed. */
export interface PageParts {
  readonly styles: readonly string[];
  /** Texts of the page's own modules, by file name; `main.js` begins. */
  readonly modules: ReadonlyMap<string, string>;
  /** Texts of the packages' modules that they import, by name. */
  readonly packages: ReadonlyMap<string, string>;
}

const ownName = (file: string): string => `page/${file}`;

/**
 * One page with everything in it: it needs no network, and opens from a file. The modules stand in the page's import map, each by
 * the name that others import it by.
 */
export function pageText(data: ViewData, { styles, modules, packages }: PageParts): string {
  const imports = new Map(packages);
  // A module that has no address of its own has no neighbours either: they are imported by name.
  for (const [file, text] of modules)
    imports.set(ownName(file), text.replace(/(from\s*")\.\//g, `$1${ownName("")}`));
  const addresses = Array.from(imports, ([name, text]) => [
    name,
    `data:text/javascript;base64,${base64(new TextEncoder().encode(text))}`,
  ]);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>cntkts</title>
<style>
${styles.join("\n")}
</style>
<script type="importmap">${inScript({ imports: Object.fromEntries(addresses) as unknown })}</script>
</head>
<body>
${frame}
<script type="application/json" id="data">${inScript(data)}</script>
<script type="module">import "${ownName("main.js")}";</script>
</body>
</html>
`;
}

/** JSON that ends no script element, whatever names say. */
function inScript(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}

const legend = [
  ["input", "input"],
  ["learning", "with parameters"],
  ["plain", "computed"],
  ["delay", "delay"],
  ["output", "output"],
  ["criterion", "criterion"],
  ["group", "closed group"],
]
  .map(([colour, text]) => `<span><i style="background: var(--${colour})"></i>${text}</span>`)
  .join("");

const frame = `<header>
<h1 id="title"></h1>
<div role="tablist">
<button role="tab" id="graph-tab" aria-controls="graph-panel">Graph</button>
<button role="tab" id="parameters-tab" aria-controls="parameters-panel">Parameters</button>
<button role="tab" id="training-tab" aria-controls="training-panel">Training</button>
</div>
<div class="finder">
<input id="search" type="search" placeholder="Search nodes and groups" aria-label="Search nodes and groups" autocomplete="off">
<div id="found" role="listbox" aria-label="what was found" hidden></div>
</div>
<button id="theme" title="light or dark" aria-label="light or dark">◐</button>
</header>
<main>
<div id="graph-panel" role="tabpanel" aria-labelledby="graph-tab">
<div class="stage">
<div id="graph"></div>
<div class="tools">
<button id="zoom-in" title="larger" aria-label="larger">+</button>
<button id="zoom-out" title="smaller" aria-label="smaller">−</button>
<button id="fit">Fit</button>
<button id="open-all">Open all</button>
<button id="close-all">Close all</button>
</div>
<div id="status" role="status"></div>
<div class="legend">${legend}</div>
</div>
<aside id="details" aria-label="details"></aside>
</div>
<div id="parameters-panel" role="tabpanel" aria-labelledby="parameters-tab" hidden></div>
<div id="training-panel" role="tabpanel" aria-labelledby="training-tab" hidden></div>
</main>`;
