// The list of jobs: searched, filtered, sorted, in pages. All of that stands in the address.
import { get, isAway } from "../api.js";
import { setQuery, setTitle, showDashboard } from "../page.js";
import { asking } from "../parts/asking.js";
import { commands } from "../parts/commands.js";
import { make } from "../parts/elements.js";
import { announce, empty, fail } from "../parts/faces.js";
import { followed } from "../parts/followed.js";
import { repeated } from "../parts/repeated.js";
import { commandsOfList, pathOf, readList } from "./asked.js";
import { filters } from "./filters.js";
import { queueCommands } from "./queue.js";
import { rows } from "./rows.js";

// Events say when a job changes; progress in between has none, and is looked for so often while the page is seen.
const SOON_MS = 800, RUNNING_MS = 4000, RESTING_MS = 15_000;

const isAsked = ({ states, tags, words, cursors }) => states.length || tags.length || words || cursors.length;

function nothing(list) {
  if (isAsked(list)) return empty("No job matches.", make("a", { href: "#/jobs" }, "Show all jobs"));
  return empty("No jobs yet. Begin one here, or run: argbest submit q2_linear_regression",
    make("a", { class: "button main", href: "#/new" }, "New job"));
}

export async function show(main, address) {
  setTitle("Jobs");
  const list = readList(address.query);
  const { problem, ask } = asking(main);
  const act = async (send) => {
    const isDone = await ask(send);
    reading.within(0);
    return isDone;
  };
  const table = rows(list, act), body = make("div"), pages = pageLinks(list);
  const heading = make("div", { class: "heading" }, make("h2", {}, "Jobs"), make("a", { class: "button main", href: "#/new" }, "New job"));
  let items = [], said = "";
  const draw = (found) => {
    items = found.items;
    showDashboard(items[0]?.dashboard_url);
    table.show(items);
    const shown = items.length ? table.element : nothing(list);
    if (body.firstChild !== shown) body.replaceChildren(shown);
    pages.show(found.next_cursor);
    if (said !== pathOf(list) && isAsked(list)) announce(items.length === 1 ? "1 job" : `${items.length} jobs`);
    said = pathOf(list);
  };
  const reading = repeated(() => read(list, draw, main));
  const search = (words) => {
    Object.assign(list, { words, cursors: [] });
    setQuery({ q: words, cursor: null });
    reading.within(0);
  };
  draw(await get(pathOf(list)));
  const told = commands(() => [...commandsOfList(list), ...queueCommands(items)]);
  main.replaceChildren(heading, filters(list, search), problem, body, pages.element, told);
  return keepUp(reading);
}

// Reads the list and returns after how many ms to read it again.
async function read(list, draw, main) {
  if (document.hidden) return RESTING_MS;
  const path = pathOf(list);
  try {
    const found = await get(path);
    if (path === pathOf(list)) draw(found); // or other words were typed meanwhile
    return found.items.some((job) => !job.finished_at) ? RUNNING_MS : RESTING_MS;
  } catch (error) {
    if (!isAway(error)) fail(main, error); // what is away may be back soon, and the old list stays
    return RUNNING_MS;
  }
}

// Has the list read again, soon after an event and when the tab is seen again; returns what ends that.
function keepUp(reading) {
  const left = new AbortController();
  const see = () => document.hidden || reading.within(0);
  document.addEventListener("visibilitychange", see, { signal: left.signal });
  follow(left.signal, () => reading.within(SOON_MS));
  reading.within(RUNNING_MS);
  return () => {
    left.abort();
    reading.stop();
  };
}

// They stay while the list is read again, and so does the focus.
function pageLinks(list) {
  const element = make("nav", { class: "controls", "aria-label": "Pages" });
  const previous = make("a", {}, "Previous page"), next = make("a", {}, "Next page");
  const show = (cursor) => {
    const { at, cursors } = list;
    previous.hidden = !cursors.length;
    previous.href = at({ cursor: cursors.slice(0, -1) });
    next.hidden = !cursor;
    next.href = at({ cursor: [...cursors, cursor] });
    element.hidden = previous.hidden && next.hidden;
  };
  element.append(previous, next);
  return { element, show };
}

// Calls `changed` for each event of any job but the first, which the list has already.
async function follow(signal, changed) {
  let isFirst = true;
  try {
    for await (const _ of followed("/events", signal)) {
      if (!isFirst) changed();
      isFirst = false;
    }
  } catch {
    // The view was left, or the next reading of the list meets the same error and tells it.
  }
}
