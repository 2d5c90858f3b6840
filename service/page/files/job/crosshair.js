// What the pointer and the keys show of a panel's curves: an epoch's values, the nearest line, and the part to zoom into.
import { color, placeOf } from "../parts/canvas.js";
import { make } from "../parts/elements.js";
import { number } from "../parts/format.js";
import { bandAt } from "./bands.js";

// Pixels: a line so near is under the pointer; a smaller rectangle is no zoom.
const NEAR = 24, LEAST_DRAG = 6;

export class Crosshair {
  #at = null; // the epoch under the pointer, or the one that the keys chose
  #drag = null;

  constructor(panel) {
    this.panel = panel;
    this.tip = make("p", { class: "tip", "aria-live": "off" });
    this.#listen();
  }

  draw(context) {
    if (this.#at !== null) {
      this.#line(context);
      this.#tell(); // the values may be new ones
    }
    if (this.#drag?.to) this.#rubber(context);
  }

  #line(context) {
    const { x, y } = this.panel, left = x.place(this.#at);
    context.strokeStyle = color("muted");
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(left, y.place(y.high));
    context.lineTo(left, y.place(y.low));
    context.stroke();
  }

  #rubber(context) {
    const { from, to } = this.#drag;
    context.fillStyle = color("band");
    context.fillRect(Math.min(from[0], to[0]), Math.min(from[1], to[1]), Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1]));
  }

  #listen() {
    const { canvas } = this.panel.canvas;
    canvas.addEventListener("pointermove", (event) => this.#pointed(placeOf(event, canvas)));
    canvas.addEventListener("pointerleave", () => this.#leave());
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || event.pointerType === "touch") return;
      canvas.setPointerCapture(event.pointerId);
      this.#drag = { from: placeOf(event, canvas), to: null };
    });
    canvas.addEventListener("pointerup", () => this.#zoomToDrag());
    canvas.addEventListener("pointercancel", () => {
      this.#drag = null; // the browser scrolls instead
      this.#leave();
    });
    canvas.addEventListener("dblclick", () => this.panel.zoomOut());
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("blur", () => this.#leave());
  }

  #leave() {
    if (this.#drag) return;
    this.#at = null;
    this.tip.textContent = "";
    this.panel.selection.hover(null);
    this.panel.canvas.soon();
  }

  #zoomToDrag() {
    const drag = this.#drag;
    this.#drag = null;
    if (!drag?.to || Math.abs(drag.to[0] - drag.from[0]) < LEAST_DRAG || Math.abs(drag.to[1] - drag.from[1]) < LEAST_DRAG) return this.panel.canvas.soon();
    const between = (axis, a, b) => [axis.value(a), axis.value(b)].sort((one, other) => one - other);
    return this.panel.zoomTo(between(this.panel.x, drag.from[0], drag.to[0]), between(this.panel.y, drag.from[1], drag.to[1]));
  }

  #pointed([left, top]) {
    if (!this.panel.curves || !this.panel.x) return;
    if (this.#drag) {
      this.#drag.to = [left, top];
      return this.panel.canvas.soon();
    }
    const nearest = this.#nearest(left, top);
    this.panel.selection.hover(nearest);
    return this.#showEpoch(this.#epochAt(left));
  }

  #epochAt(left) {
    const { every } = this.panel.curves;
    return this.#clamped(1 + every * Math.round((this.panel.x.value(left) - 1) / every));
  }

  #clamped(epoch) { return Math.min(Math.floor(this.panel.x.high), Math.max(Math.ceil(this.panel.x.low), epoch)); }

  // The trial whose line is near the pointer, null where none is.
  #nearest(left, top) {
    const epoch = this.#epochAt(left);
    let found = null, least = NEAR;
    for (const number of this.panel.lines().keys()) {
      const away = Math.abs(this.panel.y.place(this.panel.curves.at(number, epoch)) - top);
      if (away < least) [found, least] = [number, away];
    }
    return found;
  }

  #showEpoch(epoch) {
    this.#at = epoch;
    this.#tell();
    this.panel.canvas.soon();
  }

  // Written only where it changes, as what is written is read out.
  #tell() {
    const words = this.#words(this.#at);
    if (this.tip.textContent !== words) this.tip.textContent = words;
  }

  #words(epoch) {
    const parts = [`epoch ${epoch}`], { hovered } = this.panel.selection;
    if (hovered !== null && !Number.isNaN(this.panel.curves.at(hovered, epoch))) parts.push(`trial ${hovered}: ${number(this.panel.curves.at(hovered, epoch))} (${this.panel.store.trials.get(hovered)?.state})`);
    if (this.panel.isMany) {
      const row = this.panel.bands?.find((one) => one.epoch === epoch) ?? bandAt(this.panel.curves, epoch);
      if (row) parts.push(`median of ${row.n}: ${number(row.values[2])}`, `90 % from ${number(row.values[0])} to ${number(row.values[4])}`);
    }
    return parts.join(" · ");
  }

  #key(event) {
    if (!this.panel.curves || !this.panel.x) return;
    const step = this.panel.curves.every * (event.shiftKey ? 10 : 1);
    const moves = { ArrowRight: step, ArrowLeft: -step };
    if (event.key in moves) this.#readOut(this.#clamped((this.#at ?? this.panel.x.low - moves.ArrowRight) + moves[event.key]));
    else if (event.key === "ArrowUp" || event.key === "ArrowDown") this.#nextLine(event.key === "ArrowUp" ? 1 : -1);
    else if (event.key === "+" || event.key === "-") this.#zoomKeys(event.key === "+" ? 0.5 : 2);
    else if (event.key === "0" || event.key === "Escape") this.panel.reset();
    else return;
    event.preventDefault();
  }

  #readOut(epoch) {
    this.tip.setAttribute("aria-live", "polite");
    this.#showEpoch(epoch);
  }

  // From line to line, by their values at the epoch.
  #nextLine(step) {
    const epoch = this.#at ?? Math.floor(this.panel.x.high);
    const lines = [...this.panel.lines().keys()].map((trial) => [this.panel.curves.at(trial, epoch), trial]).filter(([value]) => !Number.isNaN(value)).sort(([a], [b]) => a - b);
    if (!lines.length) return;
    const now = lines.findIndex(([, trial]) => trial === this.panel.selection.hovered);
    this.panel.selection.hover(lines[Math.min(lines.length - 1, Math.max(0, now + step))][1]);
    this.#readOut(epoch);
  }

  #zoomKeys(by) {
    const middle = this.#at ?? (this.panel.x.low + this.panel.x.high) / 2, half = ((this.panel.x.high - this.panel.x.low) * by) / 2;
    const [low, high] = this.panel.wholeX();
    if (half * 2 >= high - low) return this.panel.reset();
    return this.panel.zoomTo([Math.max(low, middle - half), Math.min(high, middle + half)]);
  }
}
