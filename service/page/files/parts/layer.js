// Very many lines on a canvas, drawn over several frames so that the page stays fluid.
import { canvasIn } from "./canvas.js";

// ms of a frame that drawing may take; lines that are drawn in one at least and at most, and that make one path.
const SLICE = 8, LEAST = 50, MOST = 2000, BATCH = 60;

// Some `most` of the rows, spread over all of them: of other groups a row is likely in again.
function sampled(groups, most) {
  const part = most / groups.reduce((sum, { rows }) => sum + rows.length, 0);
  const isIn = (row) => (row * 40503) % 65536 < part * 65536;
  return part >= 1 ? groups : groups.map((group) => ({ ...group, rows: group.rows.filter(isIn) }));
}

export class Layer {
  #groups = [];
  #frame = 0;
  #hasDrawn = false;
  #lines = 200; // that a slice suffices for, as the last ones have shown

  // `trace(context, row)` adds the line of a row to the context's path.
  constructor(place, height, trace) {
    this.trace = trace;
    this.behind = document.createElement("canvas");
    this.probe = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
    this.shown = canvasIn(place, height, () => this.#begin(), { class: "layer", "aria-hidden": "true" });
  }

  // `groups`: [{ color, width, alpha, rows }], drawn in this order. What is shown stays until the new lines are
  // drawn; with `isQuick` some of them are seen at once.
  show(groups, isQuick = false) {
    this.#groups = groups;
    this.#begin(!isQuick);
  }

  stop() {
    cancelAnimationFrame(this.#frame);
    this.shown.stop();
  }

  #begin(keeps = false) {
    cancelAnimationFrame(this.#frame);
    if (!this.shown.canvas.width) return;
    const isSeen = !keeps || !this.#hasDrawn;
    const some = isSeen ? sampled(this.#groups, this.#lines) : [];
    if (isSeen) this.#draw(some);
    // The page shows them first.
    if (some !== this.#groups) this.#frame = requestAnimationFrame(() => this.#drawOver(this.#groups));
  }

  #draw(groups) {
    this.#clear();
    this.#timed(() => {
      for (const group of groups) this.#stroke(group, 0, group.rows.length);
      this.#put();
      return groups.reduce((sum, { rows }) => sum + rows.length, 0);
    });
  }

  // Draws so many lines in each frame, and shows all of them in the end.
  #drawOver(groups) {
    this.#clear();
    let group = 0, next = 0;
    const some = () => {
      let left = this.#lines;
      while (left > 0 && group < groups.length) {
        const { length } = groups[group].rows, to = Math.min(length, next + left);
        this.#stroke(groups[group], next, to);
        left -= to - next;
        [group, next] = to < length ? [group, to] : [group + 1, 0];
      }
      // A browser draws only once a canvas is read.
      if (group < groups.length) this.probe.drawImage(this.behind, 0, 0, 1, 1, 0, 0, 1, 1);
      else this.#put();
      return this.#lines - left;
    };
    const work = () => {
      this.#timed(some);
      this.#frame = group < groups.length ? requestAnimationFrame(work) : 0;
      this.#hasDrawn ||= !this.#frame && groups.length > 0;
    };
    work();
  }

  // Learns from the time that `act` takes for the lines that it returns.
  #timed(act) {
    const began = performance.now(), lines = act();
    if (lines < this.#lines / 2) return;
    const more = SLICE / (performance.now() - began);
    this.#lines = Math.round(Math.min(MOST, Math.max(LEAST, lines * Math.min(2, Math.max(0.5, more)))));
  }

  #stroke({ color, width, alpha, rows }, from, to) {
    const context = this.behind.getContext("2d");
    Object.assign(context, { strokeStyle: color, lineWidth: width, globalAlpha: alpha });
    for (let start = from; start < to; start += BATCH) {
      context.beginPath();
      for (let place = start; place < Math.min(to, start + BATCH); place += 1) this.trace(context, rows[place]);
      context.stroke();
    }
  }

  #clear() {
    const { canvas: { width, height } } = this.shown, context = this.behind.getContext("2d");
    if (this.behind.width !== width || this.behind.height !== height) Object.assign(this.behind, { width, height });
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
  }

  #put() {
    const { canvas, context } = this.shown;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(this.behind, 0, 0);
  }
}
