// The table of jobs. A row that has changed is drawn anew, the others stay, and so do the focus and what is typed.
import { post } from "../api.js";
import { bar, isMost, make, stateMark, waits } from "../parts/elements.js";
import { bestInWords, duration, moment } from "../parts/format.js";
import { priorityField } from "../parts/priority.js";
import { sparkline } from "../parts/sparkline.js";
import { moveButtons } from "./queue.js";
import { timeLeft } from "./time_left.js";

const COLUMNS = ["Name", "State", "Progress", "Best", "Slots", "Priority", "Created"];
const MOST_TAGS = 4;

function progressOf(job, left) {
  const most = isMost(job) ? "at most " : "";
  return make("div", {}, bar(job), left === null ? "" : make("div", { class: "muted" }, `${most}about ${duration(left)} left`));
}

function bestOf({ best, history, progress }) {
  const text = best ? make("div", {}, bestInWords(best)) : "";
  if (!history?.length) return text;
  const label = `The best value so far, from ${history[0][1]} to ${history.at(-1)[1]}, over ${progress.finished} trials`;
  return make("div", {}, sparkline(history, progress.finished, label), text);
}

function nameOf(job, list) {
  const tags = Object.entries(job.tags).slice(0, MOST_TAGS).map(([name, value]) => {
    const tag = value ? `${name}=${value}` : name;
    return make("a", { class: "chip", "data-key": `tag ${tag}`, href: list.at({ tag: [...new Set([...list.tags, tag])] }) }, tag);
  });
  const more = Object.keys(job.tags).length - MOST_TAGS;
  return make("div", {}, make("a", { href: `#/job/${job.id}`, "data-key": "name" }, job.name),
    tags.length ? make("div", { class: "tags" }, ...tags, more > 0 ? make("span", { class: "muted" }, `and ${more} more`) : "") : "",
    job.notes ? make("div", { class: "muted note" }, job.notes.split("\n")[0]) : "");
}

function priorityCell(act) {
  let id = "";
  const { field, show } = priorityField((priority) => act(() => post(`/jobs/${id}/priority`, { priority })));
  return (job) => {
    id = job.id;
    field.setAttribute("aria-label", `Priority of ${job.name}`);
    show(job);
    return job.finished_at ? String(job.priority) : field;
  };
}

function makeRow(list, act) {
  const cells = COLUMNS.map((label, index) => make("td", { role: "cell", "data-label": label, ...(index > 3 && index < 6 ? { class: "number" } : {}) }));
  const element = make("tr", { role: "row" }, ...cells);
  const priority = priorityCell(act), left = timeLeft();
  let drawn = "";
  const fill = (cell, child) => {
    // A field keeps the focus only if it is not taken out and put back.
    if (cell.firstChild !== child) cell.replaceChildren(child);
  };
  const show = (job, items) => {
    fill(cells[5], priority(job));
    const around = list.sort === "queue" ? items.map(({ id, state }) => [id, state]) : [];
    const seconds = left(job, Date.now());
    const wanted = JSON.stringify([job, around, seconds]);
    if (wanted === drawn) return;
    drawn = wanted;
    const moves = list.sort === "queue" && job.state === "queued" ? moveButtons(job, items, act) : "";
    const drawnCells = [nameOf(job, list), make("div", {}, stateMark(job.state), waits(job), moves), progressOf(job, seconds), bestOf(job), String(job.slots ?? ""), null, moment(job.created_at)];
    // What has the focus keeps it: a link, or a button of the queue.
    const focused = element.contains(document.activeElement) && document.activeElement.dataset.key;
    drawnCells.forEach((child, index) => index !== 5 && cells[index].replaceChildren(child));
    if (focused) element.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  };
  return { element, show };
}

// Brings the rows into this order, and moves no more of them than it must: without moveBefore
// (https://developer.mozilla.org/docs/Web/API/Element/moveBefore) a row that is moved loses the focus.
function place(body, wanted) {
  const focused = body.contains(document.activeElement) ? document.activeElement : null;
  for (const row of [...body.children]) if (!wanted.includes(row)) row.remove();
  const move = (row, before) => (row.isConnected && body.moveBefore ? body.moveBefore(row, before) : body.insertBefore(row, before));
  wanted.forEach((row, index) => row !== body.children[index] && move(row, body.children[index] ?? null));
  if (focused?.isConnected && document.activeElement !== focused) focused.focus();
}

// `act(send)` sends what a field or a button of a row asks for, and returns whether it was done.
export function rows(list, act) {
  const head = make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, ...COLUMNS.map((column, index) =>
    make("th", { scope: "col", role: "columnheader", ...(index > 3 && index < 6 ? { class: "number" } : {}) }, column))));
  const body = make("tbody", { role: "rowgroup" });
  const element = make("div", { class: "scroll" }, make("table", { class: "jobs", role: "table" }, head, body));
  const known = new Map();
  const show = (items) => {
    const wanted = items.map((job) => {
      const row = known.get(job.id) ?? makeRow(list, act);
      known.set(job.id, row);
      row.show(job, items);
      return row.element;
    });
    place(body, wanted);
    for (const id of known.keys()) if (!items.some((job) => job.id === id)) known.delete(id);
  };
  return { element, show };
}
