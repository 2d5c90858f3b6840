// Parallel coordinates: a line for each trial through its parameters and metrics. A range that is drawn on an axis
// marks the trials within it, in all views; ranges on several axes must all hold.
import { canvasIn, color, onColors, placeOf } from "../parts/canvas.js";
import { make } from "../parts/elements.js";
import { Layer } from "../parts/layer.js";
import { shortened } from "../parts/format.js";
import { paced } from "../parts/paced.js";
import { axesOf, NOT_SET } from "./axes.js";
import { drawTitle, FONT, titleLayout, widthOf } from "./axis_titles.js";
import { modeOf } from "./reading.js";
import { ranges } from "./ranges.js";

const HEIGHT = 320;
const EDGES = { left: 70, right: 70, bottom: 34 };
const NEAR = 16; // px from an axis at which a range begins
const COLORS = 8;
const PAUSE = 2000; // ms between two drawings of all lines while a job runs

export function parallelView(store, selection, reading, metrics, known) {
  return new Parallel(store, selection, reading, metrics, known);
}

class Parallel {
  #axes = [];
  #trials = [];
  #brushes = new Map(); // axis name -> [low, high], places from 0 to 1
  #drag = null;

  constructor(store, selection, reading, metrics, known) {
    Object.assign(this, { store, selection, reading, metrics, known });
    this.place = make("div", { class: "place parallel" });
    const trace = (context, row) => this.#trace(context, row);
    this.all = new Layer(this.place, HEIGHT, trace);
    this.chosen = new Layer(this.place, HEIGHT, trace);
    this.labels = canvasIn(this.place, HEIGHT, (context) => this.#drawAxes(context), { class: "layer", "aria-hidden": "true" });
    this.front = canvasIn(this.place, HEIGHT, (context) => this.#drawFront(context), { class: "layer front", role: "img" });
    this.ranges = ranges(() => this.#axes, this.#brushes, () => this.#brushed());
    this.none = make("p", { class: "muted" }, "Lines appear when two trials with different parameters have reported.");
    this.element = make("section", { "aria-label": "Parallel coordinates" }, make("h3", {}, "Parallel coordinates"),
      make("p", { class: "muted" }, "Drag along an axis to mark the trials in that range; the lighter or brighter, the better."), this.none, this.place, this.ranges.element);
    this.paced = paced(() => this.#read(), () => PAUSE);
    this.off = [reading.onValues(this.paced.soon), reading.on(this.paced.now), selection.on((what) => this.#marked(what)), onColors(this.paced.now)];
    this.resized = new ResizeObserver(() => this.#paintMarked());
    this.resized.observe(this.place);
    this.#listen();
    this.paced.now();
  }

  stop() {
    this.off.forEach((end) => end());
    this.paced.stop();
    this.resized.disconnect();
    [this.all, this.chosen, this.labels, this.front].forEach((layer) => layer.stop());
  }

  // Reads the trials anew and draws everything.
  #read() {
    this.#trials = [...this.store.trials.values()].filter(({ purpose, epochs }) => purpose !== "confirm" && epochs > 0);
    this.#axes = axesOf(this.store.job, this.#trials, this.metrics(), this.reading);
    const isEmpty = this.#trials.length < 2 || this.#axes.length < 2;
    this.none.hidden = !isEmpty;
    this.place.hidden = this.ranges.element.hidden = isEmpty;
    for (const name of this.#brushes.keys()) if (!this.#axes.some((axis) => axis.name === name)) this.#brushes.delete(name);
    this.rowOf = new Map(this.#trials.map(({ number }, row) => [number, row]));
    this.#color();
    this.all.show(this.#groups(this.#trials.map((_, row) => row), { width: 1, alpha: this.#trials.length > 300 ? 0.35 : 0.6 }));
    if (this.#brushes.size) this.#brushed(); else this.#paintMarked();
    this.front.canvas.setAttribute("aria-label", `Parallel coordinates of the trials by ${this.#axes.map(({ title }) => title).join(", ")}; the fields below mark ranges.`);
    this.ranges.show();
    this.labels.soon();
    this.front.soon();
  }

  // The color of each trial, by the place of its objective among all: 0 is the worst.
  #color() {
    const [metric] = this.metrics(), sign = metric && modeOf(this.store.job, metric, this.known) === "min" ? -1 : 1;
    const value = this.#trials.map((trial) => (metric ? this.reading.of(trial, metric) : undefined));
    const rows = value.map((_, row) => row).filter((row) => typeof value[row] === "number").sort((a, b) => sign * (value[a] - value[b]));
    this.colorOf = new Uint8Array(this.#trials.length);
    rows.forEach((row, place) => { this.colorOf[row] = Math.floor((place * COLORS) / rows.length); });
  }

  // Rows by color, the worst first, so that the best lie above.
  #groups(rows, style) {
    const groups = Array.from({ length: COLORS }, (_, index) => ({ ...style, color: color(`ramp-${index + 1}`), rows: [] }));
    for (const row of rows) groups[this.colorOf[row]].rows.push(row);
    return groups.filter((group) => group.rows.length);
  }

  #left(index) { return this.#axes.length < 2 ? EDGES.left : EDGES.left + (index * (this.front.width - EDGES.left - EDGES.right)) / (this.#axes.length - 1); }
  #top(at) { return HEIGHT - EDGES.bottom - at * (HEIGHT - this.#titles.top - EDGES.bottom); }
  #at(top) { return (HEIGHT - EDGES.bottom - top) / (HEIGHT - this.#titles.top - EDGES.bottom); }

  get #apart() { return this.#left(1) - this.#left(0); }

  // How the titles lie, which follows from the width and the axes.
  get #titles() {
    const known = this.layout;
    if (known?.width === this.front.width && known.axes === this.#axes) return known.titles;
    const titles = titleLayout(this.#axes.map(({ title }) => title), this.#apart);
    this.layout = { width: this.front.width, axes: this.#axes, titles };
    return titles;
  }

  #trace(context, row) {
    let isOpen = false;
    for (let index = 0; index < this.#axes.length; index += 1) {
      const at = this.#axes[index].at[row];
      if (Number.isNaN(at)) isOpen = false;
      else if (isOpen) context.lineTo(this.#left(index), this.#top(at));
      else {
        context.moveTo(this.#left(index), this.#top(at));
        isOpen = true;
      }
    }
  }

  // --- marks
  #brushed() {
    const tests = this.#axes.filter(({ name }) => this.#brushes.has(name)).map(({ name, at }) => [at, ...this.#brushes.get(name)]);
    const kept = [];
    for (let row = 0; row < this.#trials.length; row += 1) if (tests.every(([at, low, high]) => at[row] >= low && at[row] <= high)) kept.push(this.#trials[row].number);
    // Ranges without a trial mark none, which is not the same as no ranges.
    this.selection.mark(tests.length ? kept : null, "parallel");
    this.front.soon();
  }

  #marked(what) {
    if (what === "marked") {
      if (this.selection.by !== "parallel" && this.#brushes.size) {
        this.#brushes.clear();
        this.ranges.show();
      }
      this.#paintMarked();
    }
    this.front.soon();
  }

  #paintMarked() {
    const { marked } = this.selection;
    this.place.classList.toggle("dim", Boolean(marked));
    const rows = marked ? [...marked].map((number) => this.rowOf.get(number)).filter((row) => row !== undefined) : [];
    // Without a GPU a line that is wider than a pixel takes 30 times as long.
    this.chosen.show(this.#groups(rows, { width: rows.length > 30 ? 1 : 1.5, alpha: rows.length > 300 ? 0.6 : 0.95 }), true);
  }

  // --- axes, ranges and the line under the pointer
  #drawFront(context) {
    this.#axes.forEach(({ name }, index) => this.#brushes.has(name) && this.#drawRange(context, this.#brushes.get(name), this.#left(index)));
    const row = this.rowOf.get(this.selection.hovered);
    if (row === undefined) return;
    context.strokeStyle = color("text");
    context.lineWidth = 2.5;
    context.beginPath();
    this.#trace(context, row);
    context.stroke();
  }

  #drawRange(context, [low, high], left) {
    context.fillStyle = color("band");
    context.strokeStyle = color("series-2");
    context.lineWidth = 2;
    const box = [left - 7, this.#top(high), 14, Math.max(2, this.#top(low) - this.#top(high))];
    context.fillRect(...box);
    context.strokeRect(...box);
  }

  #drawAxes(context) {
    context.font = FONT;
    context.lineWidth = 1;
    this.#axes.forEach((axis, index) => this.#drawAxis(context, axis, this.#left(index), index === this.#axes.length - 1));
  }

  #drawAxis(context, axis, left, isLast) {
    context.strokeStyle = color("muted");
    context.beginPath();
    context.moveTo(left, this.#top(1));
    context.lineTo(left, this.#top(0));
    context.stroke();
    drawTitle(context, axis.title, left, this.#titles, (...text) => this.#text(context, ...text, "text"));
    context.textAlign = isLast ? "left" : "right";
    context.textBaseline = "middle";
    const side = isLast ? 6 : -6;
    const room = isLast || axis === this.#axes[0] ? Infinity : this.#apart;
    const ticks = axis.ticks().map(([at, text]) => [at, shortened(text, 10)]);
    // Between narrow axes there are none, rather than some over each other.
    if (ticks.every(([, text]) => widthOf(text) + 8 <= room)) for (const [at, text] of ticks) this.#text(context, text, left + side, this.#top(at), "muted");
    if (axis.at.includes(Math.fround(NOT_SET))) this.#text(context, "not set", left + side, this.#top(NOT_SET), "muted");
  }

  // With an edge in the color of the page, so that it is read over lines.
  #text(context, text, left, top, name) {
    context.strokeStyle = color("page");
    context.lineWidth = 3;
    context.strokeText(text, left, top);
    context.lineWidth = 1;
    context.fillStyle = color(name);
    context.fillText(text, left, top);
    context.strokeStyle = color("muted");
  }

  #listen() {
    const { canvas } = this.front;
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(placeOf(event, canvas)));
    canvas.addEventListener("pointerup", () => this.#up());
    canvas.addEventListener("pointercancel", () => this.#up(false)); // the browser scrolls instead
    canvas.addEventListener("pointerleave", () => this.#drag || this.selection.hover(null));
  }

  #nearAxis(left) {
    return this.#axes.find((_, index) => Math.abs(this.#left(index) - left) <= NEAR);
  }

  #down(event) {
    const [left, top] = placeOf(event, this.front.canvas), axis = this.#nearAxis(left);
    if (!axis || event.button !== 0) return;
    this.front.canvas.setPointerCapture(event.pointerId);
    const at = this.#at(top), range = this.#brushes.get(axis.name);
    // A range is moved as a whole; outside of it another one begins.
    const isMoved = range && at >= range[0] && at <= range[1];
    this.#drag = { axis, from: at, range: isMoved ? [...range] : null, hasMoved: false };
  }

  #move([left, top]) {
    if (!this.#drag) {
      const axis = this.#nearAxis(left);
      this.front.canvas.style.cursor = axis ? "crosshair" : "default";
      this.front.canvas.title = axis?.title ?? "";
      return this.selection.hover(this.#nearestTrial(left, top));
    }
    const { axis, from, range } = this.#drag, at = Math.min(1.02, Math.max(-0.1, this.#at(top)));
    this.#drag.hasMoved ||= Math.abs(at - from) > 0.01;
    if (!this.#drag.hasMoved) return undefined;
    this.#brushes.set(axis.name, range ? range.map((edge) => edge + at - from) : [Math.min(from, at), Math.max(from, at)]);
    this.#brushFrame ||= requestAnimationFrame(() => {
      this.#brushFrame = 0;
      this.#brushed();
    });
    return undefined;
  }
  #brushFrame = 0;

  // A click on an axis takes its range away.
  #up(isMeant = true) {
    const drag = this.#drag;
    this.#drag = null;
    if (!drag) return;
    if (isMeant && !drag.hasMoved && this.#brushes.delete(drag.axis.name)) this.#brushed();
    this.ranges.show();
  }

  #nearestTrial(left, top) {
    const index = this.#axes.findIndex((_, each) => this.#left(each + 1) >= left);
    if (index < 0 || left < EDGES.left || index + 1 >= this.#axes.length) return null;
    const part = (left - this.#left(index)) / (this.#left(index + 1) - this.#left(index));
    const [a, b] = [this.#axes[index].at, this.#axes[index + 1].at], { marked } = this.selection;
    let found = null, least = 8;
    for (let row = 0; row < this.#trials.length; row += 1) {
      const away = Math.abs(this.#top(a[row] + part * (b[row] - a[row])) - top);
      if (away < least && (!marked || marked.has(this.#trials[row].number))) [found, least] = [this.#trials[row].number, away];
    }
    return found;
  }
}
