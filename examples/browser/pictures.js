/*
 * Numbers as pictures. A sample's numbers lie with the first axis contiguous: row by row, map by map.
 */

/** Colours of feature maps by value, from the least to zero and from zero to the most. */
const stops = [
  [86, 170, 255],
  [14, 18, 26],
  [240, 120, 50],
  [255, 236, 190],
];
const places = [-1, 0, 0.6, 1];

/** The colour of a number between −1 and 1. */
function colour(value) {
  const after = Math.max(
    1,
    places.findIndex((place) => place >= value),
  );
  const share = (value - places[after - 1]) / (places[after] - places[after - 1]);
  return stops[after].map((level, i) => stops[after - 1][i] + share * (level - stops[after - 1][i]));
}

/** The colours from `lowest` to `highest` for CSS; the largest of all sizes is 1. */
export function gradient(lowest, highest) {
  const most = Math.max(-lowest, highest) || 1;
  const steps = Array.from({ length: 11 }, (_, i) => (lowest + ((highest - lowest) * i) / 10) / most);
  return `linear-gradient(to right, ${steps.map((value) => `rgb(${colour(value).map(Math.round)})`)})`;
}

function paint(canvas, width, height, colourAt) {
  // A change of size would clear the canvas.
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let place = 0; place < width * height; place++) image.data.set([...colourAt(place), 255], 4 * place);
  context.putImageData(image, 0, 0);
}

/** Draws numbers from 0 (black) to 1 (white). */
export function paintGrey(canvas, values, width, height) {
  paint(canvas, width, height, (place) => {
    const level = 255 * Math.min(1, Math.max(0, values[place]));
    return [level, level, level];
  });
}

/** Draws each map of a layer as a tile of `parent`; `most` is the size of what gets the strongest colour. */
export function paintMaps(parent, values, [width, height, count], most) {
  while (parent.childElementCount > count) parent.lastElementChild.remove();
  while (parent.childElementCount < count) parent.append(document.createElement("canvas"));
  parent.style.setProperty("--columns", Math.ceil(Math.sqrt(count)));
  [...parent.children].forEach((canvas, map) => {
    paint(canvas, width, height, (place) => colour(values[map * width * height + place] / most));
  });
}
