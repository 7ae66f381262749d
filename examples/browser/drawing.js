/** A picture to draw on, as wide and high as the model's input: white ink on black, as in MNIST. */
export class Drawing {
  /** `onChange` is called whenever a pixel may have changed. */
  constructor(canvas, onChange) {
    this.canvas = canvas;
    this.onChange = onChange;
    this.context = canvas.getContext("2d", { willReadFrequently: true });
    let last;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      last = this.place(event);
      this.line([last, last]);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!last) return;
      // The browser gathers movements between two frames; all of them are parts of the line.
      const events = event.getCoalescedEvents?.() ?? [];
      const points = (events.length > 0 ? events : [event]).map((each) => this.place(each));
      this.line([last, ...points]);
      last = points.at(-1);
    });
    for (const name of ["pointerup", "pointercancel"])
      canvas.addEventListener(name, () => (last = undefined));
  }

  resize(width, height) {
    Object.assign(this.canvas, { width, height });
    this.clear();
  }

  clear() {
    const { context, canvas } = this;
    context.fillStyle = "black";
    context.fillRect(0, 0, canvas.width, canvas.height);
    this.onChange();
  }

  /** Draws strokes of points in a square of side 1 on a clear ground. */
  show(strokes) {
    const { width, height } = this.canvas;
    this.clear();
    for (const stroke of strokes) this.line(stroke.map(([x, y]) => [x * width, y * height]));
  }

  /** How bright each pixel is, from 0 to 255, row by row. */
  get pixels() {
    const { width, height } = this.canvas;
    const { data } = this.context.getImageData(0, 0, width, height);
    return Float32Array.from({ length: width * height }, (_, i) => data[4 * i]);
  }

  line(points) {
    const { context, canvas } = this;
    Object.assign(context, {
      strokeStyle: "white",
      lineWidth: canvas.width / 12,
      lineCap: "round",
      lineJoin: "round",
    });
    context.beginPath();
    points.forEach(([x, y], i) => (i === 0 ? context.moveTo(x, y) : context.lineTo(x, y)));
    context.stroke();
    this.onChange();
  }

  /** Where an event is, in pixels of the picture. */
  place({ clientX, clientY }) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    return [((clientX - left) * this.canvas.width) / width, ((clientY - top) * this.canvas.height) / height];
  }
}
