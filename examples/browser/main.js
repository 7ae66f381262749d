/*
 * The page: what is drawn goes through the model, at most once a frame, and what comes of it is shown. Whoever wants the numbers
 * listens for the document's event `evaluated`.
 */
import { digits } from "./digits.js";
import { Drawing } from "./drawing.js";
import { AutoEncoder, explanation } from "./encoder.js";
import { gradient, paintGrey, paintMaps } from "./pictures.js";

const element = (id) => document.getElementById(id);
const rounded = (value) => value.toFixed(3).replace("-0.000", "0.000");
const drawing = new Drawing(element("drawing"), evaluateSoon);

/** The model at work, and what it said last. */
let encoder;
let shown;
let isWaiting = false;
/** How long the last evaluations took. */
let times = [];

function evaluateSoon() {
  if (isWaiting) return;
  isWaiting = true;
  requestAnimationFrame(() => {
    isWaiting = false;
    evaluate().catch(report);
  });
}

async function evaluate() {
  if (!encoder) return;
  const layer = encoder.layers[element("layer").selectedIndex];
  const asked = encoder;
  const result = await asked.evaluate(drawing.pixels, layer);
  if (asked !== encoder) return;
  show(layer, result);
  document.dispatchEvent(new CustomEvent("evaluated", { detail: result }));
}

function show(layer, result) {
  const { encoding, reconstruction, error, milliseconds } = result;
  shown = { layer, encoding };
  const [lowest, highest] = [Math.min(0, ...encoding), Math.max(0, ...encoding)];
  paintMaps(element("tiles"), encoding, layer.shape, Math.max(-lowest, highest) || 1);
  element("lowest").textContent = rounded(lowest);
  element("highest").textContent = rounded(highest);
  document.body.style.setProperty("--colours", gradient(lowest, highest));
  paintGrey(element("reconstruction"), reconstruction, encoder.width, encoder.height);
  times = [...times, milliseconds].slice(-30);
  const middle = times.toSorted((a, b) => a - b)[times.length >> 1];
  element("milliseconds").textContent = `${middle.toFixed(1)} ms`;
  element("error").textContent = error === undefined ? "–" : rounded(error);
}

/** Takes a model; the former one stays where the bytes are none. */
async function use(bytes, name) {
  const taken = new AutoEncoder(bytes, name);
  const former = encoder;
  encoder = taken;
  void former?.dispose();
  const { layers, narrowest, input, output } = encoder;
  element("layer").replaceChildren(
    ...layers.map((layer) => {
      const text = `${layer.name} [${layer.shape.join(" x ")}]`;
      return new Option(text, layer.name, false, layer === narrowest);
    }),
  );
  element("input-shape").textContent = input.shape.join(" x ");
  element("output-shape").textContent = output.shape.join(" x ");
  element("model").textContent = name;
  element("problem").hidden = true;
  times = [];
  if (drawing.canvas.width !== encoder.width || drawing.canvas.height !== encoder.height)
    drawing.resize(encoder.width, encoder.height);
  // The first evaluation compiles; its time says nothing about the next ones.
  await encoder.evaluate(drawing.pixels, narrowest);
  evaluateSoon();
}

function report(problem, name) {
  element("problem").textContent = `${name ? `'${name}' cannot be used. ` : ""}${explanation(problem)}`;
  element("problem").hidden = false;
}

async function useBytes(read, name) {
  try {
    await use(await read(), name);
  } catch (problem) {
    report(problem, name);
  }
}

async function useFile(file) {
  if (file) await useBytes(() => file.arrayBuffer(), file.name);
}

/** What `npm start` has trained, where the server has it. */
async function useDefault() {
  const response = await fetch("default.model");
  if (!response.ok) {
    report(new Error("There is no model yet. `npm start` trains one; or choose a file below."));
    return;
  }
  const [, name = "default.model"] =
    /filename="([^"]*)"/.exec(response.headers.get("content-disposition")) ?? [];
  await useBytes(() => response.arrayBuffer(), decodeURIComponent(name));
}

for (const [digit, strokes] of digits.entries()) {
  const button = document.createElement("button");
  button.textContent = String(digit);
  button.title = `key ${digit}`;
  button.onclick = () => drawing.show(strokes);
  element("samples").append(button);
}
element("clear").onclick = () => drawing.clear();
element("layer").onchange = evaluateSoon;
element("file").onchange = ({ target }) => useFile(target.files[0]).finally(() => (target.value = ""));
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  void useFile(event.dataTransfer.files[0]);
});
document.addEventListener("keydown", ({ key, target, ctrlKey, metaKey, altKey }) => {
  if (ctrlKey || metaKey || altKey || target.matches("select, input")) return;
  if (digits[key]) drawing.show(digits[key]);
  if (key.toLowerCase() === "c") drawing.clear();
});

/** Which number the mouse is on. */
element("tiles").addEventListener("pointermove", ({ target, offsetX, offsetY }) => {
  const map = [...element("tiles").children].indexOf(target);
  if (map < 0 || !shown) return;
  const [width, height] = shown.layer.shape;
  const column = Math.min(width - 1, Math.floor((offsetX * width) / target.clientWidth));
  const row = Math.min(height - 1, Math.floor((offsetY * height) / target.clientHeight));
  const value = shown.encoding[(map * height + row) * width + column];
  element("pointed").textContent = `map ${map + 1}, column ${column + 1}, row ${row + 1}: ${rounded(value)}`;
});
element("tiles").addEventListener("pointerleave", () => (element("pointed").textContent = "\u00a0"));

drawing.clear();
useDefault().catch((problem) => report(problem));
