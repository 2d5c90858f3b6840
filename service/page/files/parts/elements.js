// Makes elements. Names and messages become text, not HTML.
import { count } from "./format.js";

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value);
  }
  element.append(...children.map((child) => child ?? ""));
  return element;
}

export function svg(tag, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

// A cell of figures, at the right of its column.
export const right = (text) => ({ text, isFigure: true });

export function table(columns, rows) {
  const cell = (value) => (value?.isFigure ? make("td", { class: "number" }, value.text) : make("td", {}, value));
  const head = make("thead", {}, make("tr", {}, ...columns.map((c, place) =>
    c === "" ? make("td") : make("th", { scope: "col", ...(rows.some(({ cells }) => cells[place]?.isFigure) ? { class: "number" } : {}) }, c))));
  const body = make("tbody", {}, ...rows.map(({ cells, best }) =>
    make("tr", best ? { class: "best" } : {}, ...cells.map(cell))));
  // What is wider than its place is scrolled with the arrow keys too.
  return make("div", { class: "scroll", tabindex: 0 }, make("table", {}, head, body));
}

// About how many epochs a job will have trained; the server leaves it out where that may be all of them.
export const expectedEpochs = (progress) => progress.epochs_expected ?? progress.epochs_total;

// A scheduler, a budget or a program may end trials early: without an estimate, the total is what they train at most.
export const isMost = ({ progress, spec, finished_at: end }) =>
  progress.epochs_expected === undefined && !end && Boolean(spec.scheduler || spec.budget || spec.early_end);

export function bar(job) {
  const { progress } = job, total = expectedEpochs(progress);
  const word = isMost(job) ? "at most " : progress.epochs_expected === undefined ? "" : "about ";
  const label = `${progress.epochs_done} of ${word}${count(total, "epoch")}`;
  return make("span", {}, make("progress", { value: progress.epochs_done, max: total, "aria-label": label }), ` ${label}`);
}

// Why a job waits, in a line of its own.
export const waits = (job) => (job.waiting ? make("span", { class: "muted wait" }, `waits ${job.waiting}`) : "");

// A state with its color in front.
export const stateMark = (state) => make("span", { class: `state state-${state}` }, state);
