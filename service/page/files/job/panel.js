// The curves of one metric on a canvas: what is drawn of them, and the zoom.
import { canvasIn, onColors } from "../parts/canvas.js";
import { make } from "../parts/elements.js";
import { count, number } from "../parts/format.js";
import { scale } from "../parts/scale.js";
import { countBands, epochsBetween } from "./bands.js";
import { Crosshair } from "./crosshair.js";
import { drawAxes, drawBands, drawLine } from "./curve_drawing.js";
import { modeOf } from "./reading.js";
import { extent, usualRange, wholeRange } from "./value_range.js";

// Up to so many trials each has a line of its own; of more, so many of the best, the running and the marked ones.
const FEW = 60, BEST = 8, RUNNING = 12, MARKED = 100;
const HEIGHT = 260;
const EDGES = { left: 58, right: 14, top: 10, bottom: 26 };
// Epochs at which bands are counted, and ms between two counts while a job runs.
const MOST_EPOCHS = 160, RECOUNT = 1500;
const MARK_PAUSE = 120;

export class Panel {
  #zoom = null; // { x: [low, high], y: [low, high] }, in values
  bands = null;
  #counting = null;
  #countedAt = -Infinity;
  #recountTimer = 0;
  #isStale = true;
  #markTimer = 0;
  isWhole = false; // whether values are in sight that would flatten the others
  outside = 0; // how many lines reach out of sight

  constructor(store, metric, { selection, options, known }) {
    Object.assign(this, { store, metric, selection, options, known });
    this.status = make("p", { class: "muted" }, "Loading …");
    this.place = make("div", { class: "place" });
    this.back = make("button", { hidden: "", onclick: () => this.reset() }, "Show all");
    this.far = make("button", { hidden: "", "aria-pressed": "false", onclick: () => this.#showFar(!this.isWhole) }, "All values");
    this.element = make("figure", { class: "panel", "data-metric": metric },
      make("figcaption", {}, make("span", { class: "metric" }, metric), this.far, this.back), this.place);
    this.canvas = canvasIn(this.place, HEIGHT, (context, width) => this.#draw(context, width), { tabindex: 0, role: "img", "aria-label": `${metric} by epoch` });
    this.offColors = onColors(() => this.canvas.soon());
    this.crosshair = new Crosshair(this);
    this.element.append(this.crosshair.tip, this.status);
  }

  async load() {
    await this.store.load(this.metric);
    this.changed();
  }

  get curves() { return this.store.curves(this.metric); }

  // What the trainable says of its metrics becomes known after the first drawing.
  get mode() { return modeOf(this.store.job, this.metric, this.known); }

  changed() {
    this.#isStale = true;
    this.canvas.soon();
  }

  // Other trials are marked, or under the pointer, elsewhere: that is shown when the pointer rests.
  marked() {
    clearTimeout(this.#markTimer);
    this.#markTimer = setTimeout(() => this.canvas.soon(), MARK_PAUSE);
  }

  // With all values, or without those that would flatten the others.
  #showFar(isWhole) {
    this.isWhole = isWhole;
    this.far.setAttribute("aria-pressed", String(isWhole));
    this.reset();
  }

  reset() {
    this.#zoom = null;
    this.back.hidden = true;
    this.#countedAt = -Infinity;
    this.changed();
  }

  stop() {
    this.#counting?.();
    clearTimeout(this.#markTimer);
    clearTimeout(this.#recountTimer);
    this.offColors();
    this.canvas.stop();
  }

  // --- what is drawn
  get isMany() { return (this.curves?.all.size ?? 0) > FEW; }

  // The trials that have a line, by number: "plain" or "running", "best", "marked" or "hovered", each above those before.
  lines() {
    const { all } = this.curves, { trials } = this.store, marked = this.selection.marked;
    const lines = new Map();
    if (this.isMany) {
      for (const { number, state } of trials.values()) if (state === "running" && all.has(number) && lines.size < RUNNING) lines.set(number, "running");
    } else for (const number of all.keys()) if (trials.has(number)) lines.set(number, "plain");
    for (const number of this.#best()) lines.set(number, "best");
    if (marked) [...marked].slice(0, MARKED).forEach((number) => {
      lines.delete(number);
      if (all.has(number) && trials.has(number)) lines.set(number, "marked");
    });
    const { hovered } = this.selection;
    if (all.has(hovered) && trials.has(hovered)) {
      lines.delete(hovered);
      lines.set(hovered, "hovered");
    }
    return lines;
  }

  // The best trials by rank; while none is ranked the job's best, where there is one.
  #best() {
    if (!this.#isStale && this.best) return this.best;
    const ranked = [...this.store.trials.values()].filter(({ rank, purpose }) => rank && rank <= BEST && purpose === "search");
    const found = ranked.sort((a, b) => b.rank - a.rank).map((trial) => trial.number).filter((trial) => this.curves.all.has(trial));
    this.best = this.isMany ? found.slice(-BEST) : found.slice(-1);
    return this.best;
  }

  #count() {
    if (!this.isMany || this.#counting || !this.#isStale) return;
    const wait = this.#countedAt + RECOUNT - performance.now();
    if (wait > 0) {
      this.#recountTimer ||= setTimeout(() => {
        this.#recountTimer = 0;
        this.canvas.soon();
      }, wait);
      return;
    }
    this.#isStale = false;
    this.#countedAt = performance.now();
    const [low, high] = this.#zoom?.x ?? this.wholeX();
    this.#counting = countBands(this.curves, epochsBetween(low, high, this.curves.every, MOST_EPOCHS), (rows) => {
      this.#counting = null;
      this.bands = rows;
      this.canvas.soon();
    });
  }

  wholeX() {
    let last = 1;
    const { all, every } = this.curves;
    for (const { first, values } of all.values()) last = Math.max(last, first + (values.length - 1) * every);
    return [1, Math.max(2, last)];
  }

  // Of many trials the bands and the best lines are in sight, unless all values are asked for.
  #wholeY(lines, [low, high]) {
    const isAllowed = this.options.isLog ? (value) => value > 0 : () => true, { all, every } = this.curves;
    const hasBands = this.isMany && this.bands && !this.isWhole, found = [];
    if (hasBands) {
      const rows = this.bands.filter(({ epoch }) => epoch >= low && epoch <= high).flatMap(({ values }) => [values[0], values[4]]);
      found.push(extent(rows, 0, rows.length, isAllowed));
    }
    for (const [number, { first, values }] of all) {
      const kind = lines.get(number);
      if (hasBands ? kind !== "best" : !kind && !this.isWhole) continue;
      found.push(extent(values, Math.ceil((low - first) / every), Math.floor((high - first) / every), isAllowed));
    }
    const known = found.filter(Boolean);
    const range = this.isWhole || this.options.isLog ? wholeRange(known) : usualRange(known, this.mode);
    this.outside = range.outside;
    return this.#padded(range.low, range.high);
  }

  #padded(low, high) {
    if (!(high >= low)) return this.options.isLog ? [0.1, 1] : [0, 1];
    if (this.options.isLog) return [low / 1.1, high * 1.1];
    const more = (high - low) * 0.05 || Math.abs(high) * 0.05 || 0.5;
    return [low - more, high + more];
  }

  #draw(context, width) {
    const { curves } = this;
    if (!curves) return;
    const lines = this.lines();
    this.#count();
    const x = this.#zoom?.x ?? this.wholeX(), y = this.#zoom?.y ?? this.#wholeY(lines, x);
    this.x = scale(...x, EDGES.left, width - EDGES.right);
    this.#say();
    this.y = scale(...y, HEIGHT - EDGES.bottom, EDGES.top, this.options.isLog && y[0] > 0);
    drawAxes(context, this.x, this.y);
    context.save();
    context.beginPath();
    context.rect(EDGES.left, 0, width - EDGES.left - EDGES.right + 6, HEIGHT - EDGES.bottom + 1);
    context.clip();
    if (this.isMany && this.bands) drawBands(context, this.bands, this.x, this.y);
    const order = ["plain", "running", "best", "marked", "hovered"];
    const isDim = Boolean(this.selection.marked);
    for (const [number, kind] of [...lines].sort(([, a], [, b]) => order.indexOf(a) - order.indexOf(b))) {
      drawLine(context, curves, this.store.trials.get(number), kind, { x: this.x, y: this.y, isDim });
    }
    this.crosshair.draw(context);
    context.restore();
  }

  #say() {
    const { curves } = this, n = curves.all.size;
    const thin = curves.every > 1 ? `, every ${curves.every}th epoch` : "";
    const many = this.isMany ? ": the bands hold 90 % and 50 % of them, the line is their median; “All values” shows also the others" : "";
    const far = this.outside && !this.#zoom ? `; ${count(this.outside, "line")} ${this.outside === 1 ? "reaches" : "reach"} out of sight, “All values” or a double-click shows the whole` : "";
    this.far.hidden = !far && !this.isWhole && !this.isMany;
    const text = `${n} curve${n === 1 ? "" : "s"}${thin}${many}${far}${curves.isWhole ? "" : ", loading …"}`;
    if (this.status.textContent !== text) this.status.textContent = text;
    const { best } = this.store.job;
    const value = best?.metrics?.[this.metric];
    const label = `${this.metric} by epoch, ${text}${value === undefined ? "" : `; the best trial, ${best.trial}, has ${number(value)}`}. Arrow keys read the values.`;
    if (this.label !== label) this.canvas.canvas.setAttribute("aria-label", label);
    this.label = label;
  }

  // --- the zoom
  zoomTo(x, y = this.#wholeY(this.lines(), x)) {
    this.#zoom = { x, y };
    this.back.hidden = false;
    this.#countedAt = -Infinity;
    this.changed();
  }

  // All that there is, or, where all is in sight, with the values that were left out or without them.
  zoomOut() { return this.#zoom ? this.reset() : this.#showFar(!this.isWhole && (this.outside > 0 || this.isMany)); }
}
