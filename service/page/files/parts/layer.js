// Very many lines on a canvas, drawn over several frames so that the page stays fluid.
import { canvasIn } from "./canvas.js";

// ms of a frame that drawing may take, and lines between two looks at the clock.
const SLICE = 4, BATCH = 60;

export class Layer {
  #groups = [];
  #frame = 0;
  #hasDrawn = false;

  // `trace(context, row)` adds the line of a row to the context's path.
  constructor(place, height, trace) {
    this.trace = trace;
    this.behind = document.createElement("canvas");
    this.shown = canvasIn(place, height, () => this.#begin(), { class: "layer", "aria-hidden": "true" });
  }

  // `groups`: [{ color, width, alpha, rows }], drawn in this order. What is shown stays until the new lines are
  // drawn; with `isEager` they are seen as they come.
  show(groups, isEager = false) {
    this.#groups = groups;
    this.isEager = isEager;
    this.#begin(true);
  }

  stop() {
    cancelAnimationFrame(this.#frame);
    this.shown.stop();
  }

  #begin(keeps = false) {
    cancelAnimationFrame(this.#frame);
    const { canvas } = this.shown;
    if (!canvas.width) return;
    if (this.behind.width !== canvas.width || this.behind.height !== canvas.height) Object.assign(this.behind, { width: canvas.width, height: canvas.height });
    const context = this.behind.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    const isSeen = this.isEager || !keeps || !this.#hasDrawn;
    let group = 0, next = 0;
    const work = () => {
      const until = performance.now() + SLICE;
      while (group < this.#groups.length && performance.now() < until) {
        next = this.#batch(context, this.#groups[group], next);
        if (next >= this.#groups[group].rows.length) [group, next] = [group + 1, 0];
      }
      const isDone = group >= this.#groups.length;
      if (isSeen || isDone) this.#put();
      this.#frame = isDone ? 0 : requestAnimationFrame(work);
      this.#hasDrawn ||= isDone && this.#groups.length > 0;
    };
    work();
  }

  #batch(context, { color, width, alpha, rows }, from) {
    const to = Math.min(rows.length, from + BATCH);
    context.strokeStyle = color;
    context.lineWidth = width;
    context.globalAlpha = alpha;
    context.beginPath();
    for (let place = from; place < to; place += 1) this.trace(context, rows[place]);
    context.stroke();
    return to;
  }

  #put() {
    const { canvas, context } = this.shown;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(this.behind, 0, 0);
  }
}
