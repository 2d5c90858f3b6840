// The list of jobs: searched, filtered, sorted, in pages. All of that stands in the address.
import { get, isAway } from "../api.js";
import { setQuery, setTitle, showDashboard } from "../page.js";
import { asking } from "../parts/asking.js";
import { commands } from "../parts/commands.js";
import { make } from "../parts/elements.js";
import { announce, empty, fail } from "../parts/faces.js";
import { followed } from "../parts/followed.js";
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
  const left = new AbortController();
  const { problem, ask } = asking(main);
  const act = async (send) => {
    const isDone = await ask(send);
    wait(0);
    return isDone;
  };
  const table = rows(list, act), body = make("div"), pages = pageLinks(list);
  const heading = make("div", { class: "heading" }, make("h2", {}, "Jobs"), make("a", { class: "button main", href: "#/new" }, "New job"));
  let items = [], said = "", timer = 0, due = Infinity, isReading = false, isStale = false;

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
  // Reads the list after so many ms at the latest: events that come one upon the other do not put it off.
  const wait = (ms) => {
    const at = performance.now() + ms;
    if (left.signal.aborted || at >= due) return;
    clearTimeout(timer);
    timer = setTimeout(refresh, ms);
    due = at;
  };
  const restMs = () => (items.some((job) => !job.finished_at) ? RUNNING_MS : RESTING_MS);
  async function refresh() {
    due = Infinity;
    isStale = isReading;
    if (isReading) return;
    isReading = true;
    try {
      const path = pathOf(list), found = document.hidden ? null : await get(path);
      if (found && path === pathOf(list)) draw(found);
      wait(isStale ? SOON_MS : restMs());
    } catch (error) {
      if (isAway(error)) wait(RUNNING_MS); // the frame says that the server is away
      else fail(main, error);
    } finally {
      isReading = false;
    }
  }
  const isSeen = () => document.hidden || wait(0);
  const search = (words) => {
    Object.assign(list, { words, cursors: [] });
    setQuery({ q: words, cursor: null });
    wait(0);
  };
  draw(await get(pathOf(list)));
  const told = commands(() => [...commandsOfList(list), ...queueCommands(items)]);
  main.replaceChildren(heading, filters(list, search), problem, body, pages.element, told);
  wait(restMs());
  document.addEventListener("visibilitychange", isSeen);
  follow(left.signal, () => wait(SOON_MS));
  return () => {
    left.abort();
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", isSeen);
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
