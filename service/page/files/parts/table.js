// A table of very many rows, of which those in sight are drawn: sorted, filtered, with the columns that one chooses.
// By keyboard: arrows, Page Up and Down, Home and End move, Enter opens, Space marks.
import { make } from "./elements.js";
import { readFilter } from "./filter.js";
import { count } from "./format.js";

const ROW = 34; // px, as style/table.css has it
const MORE = 8; // rows above and below those in sight
const PAUSE = 120; // ms between the last key in the filter and its effect

// undefined, null and "" come last, whichever way the others are sorted.
function comparer(column, sign) {
  const isNone = (value) => value === undefined || value === null || value === "" || Number.isNaN(value);
  return ([a, rowA], [b, rowB]) => {
    if (isNone(a) || isNone(b)) return isNone(a) - isNone(b) || rowA - rowB;
    if (typeof a === "number" && typeof b === "number") return sign * (a - b) || rowA - rowB;
    return sign * String(a).localeCompare(String(b), "en", { numeric: true }) || rowA - rowB;
  };
}

export function sorted(rows, column, isDescending) {
  if (!column) return rows;
  const keyed = rows.map((row, place) => [column.value(row), place]);
  return keyed.sort(comparer(column, isDescending ? -1 : 1)).map(([, place]) => rows[place]);
}

// `columns`: [{ name, title, value(row), text(row), isNumber, isHidden, width, element(row) }]; `key(row)` is a number.
// `query`: { sort, filter, columns } as `onQuery` was last given it. `noun` names a row.
export function virtualTable({ label, noun, key, selection, open, query = {}, onQuery = () => {} }) {
  return new VirtualTable({ label, noun, key, selection, open, query, onQuery });
}

class VirtualTable {
  #all = [];
  #rows = [];
  #columns = [];
  #active = null; // the key of the row that the keyboard is at
  #drawn = []; // the rows of the document, which are used again while one scrolls
  #isDue = false;
  #version = 0; // grows when rows may have other values

  constructor(options) {
    Object.assign(this, options);
    this.query = { sort: options.query.sort ?? "", filter: options.query.filter ?? "", columns: options.query.columns ?? null, marked: false };
    this.#build();
    this.off = this.selection?.on((what) => (what === "marked" && this.query.marked ? this.arrange() : this.drawSoon()));
  }

  #build() {
    this.head = make("tr", { "aria-rowindex": 1 });
    this.widths = make("colgroup");
    this.above = make("tbody", { "aria-hidden": "true" });
    this.body = make("tbody", { class: "rows" });
    this.below = make("tbody", { "aria-hidden": "true" });
    this.grid = make("table", { role: "grid", "aria-label": this.label, tabindex: 0, "aria-multiselectable": "true", class: "virtual", onkeydown: (event) => this.#key(event) },
      this.widths, make("thead", {}, this.head), this.above, this.body, this.below);
    this.frame = make("div", { class: "virtual-frame" }, this.grid);
    this.frame.addEventListener("scroll", () => this.drawSoon(), { passive: true });
    this.resized = new ResizeObserver(() => this.drawSoon());
    this.resized.observe(this.frame);
    this.element = make("div", { class: "table" }, this.#tools(), this.frame);
  }

  #tools() {
    this.filter = make("input", { type: "search", value: this.query.filter, "aria-label": `Find ${noun2(this.noun)}`, placeholder: "relu  loss<0.1  state:failed", size: 28, spellcheck: "false" });
    let timer = 0;
    this.filter.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.#ask({ filter: this.filter.value.trim() }), PAUSE);
    });
    this.count = make("span", { class: "muted", role: "status" });
    this.problem = make("span", { class: "muted", role: "status" });
    this.chooser = make("details", { class: "chooser" }, make("summary", {}, "Columns"));
    this.only = make("label", { hidden: "" }, make("input", { type: "checkbox", onchange: ({ target }) => this.#ask({ marked: target.checked }) }), " marked only");
    this.unmark = make("button", { hidden: "", onclick: () => this.selection.mark(null, "table") }, "Unmark");
    return make("div", { class: "controls" }, this.filter, this.chooser, this.only, this.unmark, this.count, this.problem);
  }

  #ask(change) {
    Object.assign(this.query, change);
    this.arrange();
    this.onQuery(this.query);
  }

  // Shows these rows; the columns are drawn anew only where they look different.
  show(columns, rows) {
    const isSame = layoutOf(columns) === layoutOf(this.#columns);
    this.#columns = columns;
    this.#all = rows;
    if (!isSame) this.#drawColumns();
    this.arrange();
  }

  get #shown() {
    const chosen = this.query.columns;
    return this.#columns.filter((column) => (chosen ? chosen.includes(column.name) : !column.isHidden));
  }

  // Sorts and filters again, and draws what is in sight.
  arrange() {
    const { keeps, problem } = readFilter(this.query.filter, this.#columns);
    const name = this.query.sort.replace(/^-/, "");
    const column = this.#columns.find((each) => each.name === name);
    const isOnly = this.query.marked && this.selection?.marked;
    const kept = this.#all.filter((row) => keeps(row) && (!isOnly || this.selection.isMarked(this.key(row))));
    this.#version += 1;
    this.#rows = sorted(kept, column, this.query.sort.startsWith("-"));
    this.grid.setAttribute("aria-rowcount", this.#rows.length + 1);
    this.problem.textContent = problem;
    const total = count(this.#all.length, this.noun);
    this.count.textContent = this.#rows.length === this.#all.length ? total : `${this.#rows.length} of ${total}`;
    this.#markSort();
    this.frame.style.height = `${(this.#rows.length + 1) * ROW + 24}px`;
    this.drawSoon();
  }

  drawSoon() {
    if (!this.#isDue) requestAnimationFrame(() => this.#draw());
    this.#isDue = true;
  }

  #drawColumns() {
    const shown = this.#shown;
    this.widths.replaceChildren(...[...(this.selection ? ["2.4rem"] : []), ...shown.map(({ width }) => width ?? "9rem")].map((width) => {
      const column = make("col");
      column.style.width = width;
      return column;
    }));
    this.grid.setAttribute("aria-colcount", shown.length + (this.selection ? 1 : 0));
    this.grid.style.width = `max(100%, ${shown.reduce((sum, { width }) => sum + parseFloat(width ?? "9rem"), this.selection ? 2.4 : 0)}rem)`;
    const title = (column) => make("th", { scope: "col", ...(column.isNumber ? { class: "number" } : {}), "data-name": column.name },
      make("button", { class: "sort", title: column.title, onclick: () => this.#sortBy(column) }, column.title));
    const focused = [...this.head.querySelectorAll("th[data-name]")].find((cell) => cell.contains(document.activeElement))?.dataset.name;
    this.head.replaceChildren(...(this.selection ? [make("th", { scope: "col" }, make("span", { class: "unseen" }, "Marked"))] : []), ...shown.map(title));
    if (focused) this.head.querySelector(`th[data-name="${CSS.escape(focused)}"] button`)?.focus();
    this.#drawn = [];
    this.body.replaceChildren();
    this.#drawChooser();
    this.#markSort();
  }

  #drawChooser() {
    const names = new Set(this.#shown.map(({ name }) => name));
    const choose = ({ name }) => ({ target }) => {
      if (target.checked) names.add(name); else names.delete(name);
      this.query.columns = this.#columns.map((column) => column.name).filter((one) => names.has(one));
      this.#drawColumns();
      this.#ask({});
    };
    const box = (column) => make("label", {}, make("input", { type: "checkbox", ...(names.has(column.name) ? { checked: "" } : {}), onchange: choose(column) }), ` ${column.title}`);
    const summary = this.chooser.firstElementChild, focused = [...this.chooser.querySelectorAll("input")].indexOf(document.activeElement);
    this.chooser.replaceChildren(summary, make("div", { class: "choices" }, ...this.#columns.map(box)));
    if (focused >= 0) this.chooser.querySelectorAll("input")[focused]?.focus();
  }

  // The first click sorts upwards, the second one downwards, the third one not at all.
  #sortBy({ name }) {
    const { sort } = this.query;
    this.#ask({ sort: sort === name ? `-${name}` : sort === `-${name}` ? "" : name });
  }

  #markSort() {
    const name = this.query.sort.replace(/^-/, "");
    for (const cell of this.head.querySelectorAll("th[data-name]")) {
      if (cell.dataset.name === name) cell.setAttribute("aria-sort", this.query.sort.startsWith("-") ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    }
  }

  #draw() {
    this.#isDue = false;
    const height = this.frame.clientHeight || 10 * ROW;
    const first = Math.max(0, Math.floor(this.frame.scrollTop / ROW) - MORE);
    const last = Math.min(this.#rows.length, Math.ceil((this.frame.scrollTop + height) / ROW) + MORE);
    this.#space(this.above, first);
    this.#space(this.below, this.#rows.length - last);
    const rows = this.#rowsBetween(first, last);
    const columns = this.#shown; // a row that stays may have been made of older ones
    rows.forEach((drawn, place) => this.#fill(drawn, this.#rows[first + place], first + place, columns));
    const marked = this.selection?.marked;
    this.only.hidden = this.unmark.hidden = !marked;
    if (marked) this.unmark.textContent = `Unmark ${marked.size}`;
    const active = rows.find(({ row }) => this.key(row) === this.#active);
    if (active) this.grid.setAttribute("aria-activedescendant", active.element.id);
    else this.grid.removeAttribute("aria-activedescendant");
  }

  // Rows that stay in sight stay as they are; those that leave it are used for the ones that come.
  #rowsBetween(first, last) {
    const isIn = ({ place }) => place >= first && place < last;
    const kept = new Map(this.#drawn.filter(isIn).map((drawn) => [drawn.place, drawn]));
    const free = this.#drawn.filter((drawn) => !isIn(drawn));
    free.forEach(({ element }) => element.remove());
    const rows = [];
    let next = this.body.firstChild;
    for (let place = first; place < last; place += 1) {
      const drawn = kept.get(place) ?? free.pop() ?? this.#emptyRow();
      if (drawn.element === next) next = next.nextSibling;
      else this.body.insertBefore(drawn.element, next);
      rows.push(drawn);
    }
    this.#drawn = rows;
    return rows;
  }

  #space(part, rows) {
    if (part.dataset.rows === String(rows)) return;
    part.dataset.rows = rows;
    part.replaceChildren();
    if (!rows) return;
    const space = make("td", { colspan: 1000 });
    space.style.height = `${rows * ROW}px`;
    part.append(make("tr", { class: "space" }, space));
  }

  #emptyRow() {
    const drawn = { row: null, cells: [], texts: [] };
    const element = make("tr", { id: `row-${nextId++}` });
    if (this.selection) {
      drawn.box = make("input", { type: "checkbox", tabindex: -1, onchange: () => this.selection.toggle(this.key(drawn.row), "table") });
      element.append(make("td", {}, drawn.box));
    }
    for (const column of this.#shown) {
      const cell = make("td", column.isNumber ? { class: "number" } : {});
      drawn.cells.push(cell);
      element.append(cell);
    }
    element.addEventListener("click", ({ target }) => {
      this.#active = this.key(drawn.row);
      if (!target.closest("a, input")) this.drawSoon();
    });
    element.addEventListener("dblclick", () => this.open?.(drawn.row));
    element.addEventListener("pointerenter", () => this.selection?.hover(this.key(drawn.row)));
    element.addEventListener("pointerleave", () => this.selection?.hover(null));
    drawn.element = element;
    return drawn;
  }

  #fill(drawn, row, place, columns) {
    const number = this.key(row), { element } = drawn, isMarked = this.selection?.isMarked(number) ?? false;
    if (drawn.isMarked !== isMarked) element.setAttribute("aria-selected", String(isMarked));
    drawn.isMarked = isMarked;
    if (drawn.box) drawn.box.checked = isMarked;
    element.className = [this.selection?.hovered === number && "hovered", number === this.#active && "active", this.isBest?.(row) && "best"].filter(Boolean).join(" ");
    if (drawn.row === row && drawn.place === place && drawn.version === this.#version) return;
    if (drawn.place !== place) element.setAttribute("aria-rowindex", place + 2);
    if (drawn.box && drawn.number !== number) drawn.box.setAttribute("aria-label", `mark ${this.noun} ${number}`);
    const isOther = drawn.number !== number;
    Object.assign(drawn, { row, place, number, version: this.#version });
    columns.forEach((column, index) => {
      const cell = drawn.cells[index], text = String(column.text(row));
      if (drawn.texts[index] === text && !(isOther && column.element)) return;
      drawn.texts[index] = text;
      if (column.element) cell.replaceChildren(column.element(row)); else cell.textContent = text;
      if (text.length > 14) cell.title = text; else cell.removeAttribute("title");
    });
  }

  #key(event) {
    if (event.target !== this.grid) return;
    const page = Math.max(1, Math.floor(this.frame.clientHeight / ROW) - 2);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    const at = this.#rows.findIndex((row) => this.key(row) === this.#active);
    if (event.key in steps) this.#moveTo(Math.min(this.#rows.length - 1, Math.max(0, at + steps[event.key])));
    else if (event.key === "Enter" && at >= 0) this.open?.(this.#rows[at]);
    else if (event.key === " " && at >= 0) this.selection?.toggle(this.#active, "table");
    else return;
    event.preventDefault();
  }

  #moveTo(place) {
    if (!this.#rows.length) return;
    this.#active = this.key(this.#rows[place]);
    const head = this.head.offsetHeight, top = place * ROW, { scrollTop, clientHeight } = this.frame;
    if (top < scrollTop) this.frame.scrollTop = top;
    else if (top + ROW + head > scrollTop + clientHeight) this.frame.scrollTop = top + ROW + head - clientHeight;
    this.selection?.hover(this.#active);
    this.drawSoon();
  }

  stop() {
    this.off?.();
    this.resized.disconnect();
  }
}

let nextId = 1;
// All that the head and the cells of a row are made of. A column that begins to have values comes into sight.
const layoutOf = (columns) => JSON.stringify(columns.map(({ name, title, isHidden, isNumber, width }) => [name, title, Boolean(isHidden), Boolean(isNumber), width]));
const noun2 = (noun) => `${noun}s`;
