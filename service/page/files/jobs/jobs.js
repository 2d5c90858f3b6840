// The list of jobs: searched, filtered, sorted, in pages. All of that stands in the address.
import { get, isAway } from "../api.js";
import { setTitle, showDashboard } from "../page.js";
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
  const table = rows(list, main, () => refresh());
  const body = make("div"), pages = make("nav", { class: "controls", "aria-label": "Pages" });
  const heading = make("div", { class: "heading" }, make("h2", {}, "Jobs"), make("a", { class: "button main", href: "#/new" }, "New job"));
  let items = [], timer = 0, isReading = false;

  const draw = (found) => {
    items = found.items;
    showDashboard(items[0]?.dashboard_url);
    table.show(items);
    const shown = items.length ? table.element : nothing(list);
    if (body.firstChild !== shown) body.replaceChildren(shown);
    pages.replaceChildren(...pageLinks(list, found.next_cursor));
  };
  const wait = (ms) => {
    clearTimeout(timer);
    if (!left.signal.aborted) timer = setTimeout(refresh, ms);
  };
  const restMs = () => (items.some((job) => !job.finished_at) ? RUNNING_MS : RESTING_MS);
  async function refresh() {
    if (isReading) return;
    isReading = true;
    try {
      if (!document.hidden) draw(await get(pathOf(list)));
      wait(restMs());
    } catch (error) {
      if (isAway(error)) wait(RUNNING_MS); // the frame says that the server is away
      else fail(main, error);
    } finally {
      isReading = false;
    }
  }
  const isSeen = () => document.hidden || wait(0);
  draw(await get(pathOf(list)));
  const told = commands(() => [...commandsOfList(list), ...queueCommands(items)]);
  main.replaceChildren(heading, filters(list), body, pages, told);
  if (isAsked(list)) announce(items.length === 1 ? "1 job" : `${items.length} jobs`);
  wait(restMs());
  document.addEventListener("visibilitychange", isSeen);
  follow(left.signal, () => wait(SOON_MS));
  return () => {
    left.abort();
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", isSeen);
  };
}

function pageLinks({ at, cursors }, next) {
  return [
    cursors.length ? make("a", { href: at({ cursor: cursors.slice(0, -1) }) }, "Previous page") : "",
    next ? make("a", { href: at({ cursor: [...cursors, next] }) }, "Next page") : "",
  ].filter(Boolean);
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
