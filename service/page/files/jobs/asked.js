// What the list of jobs is asked for, read from the address and written into it, a request and commands.
import { hashOf } from "../page.js";

export const STATES = ["queued", "running", "pausing", "paused", "cancelling", "succeeded", "failed", "cancelled"];
export const SORTS = {
  "-created": "newest first", created: "oldest first", name: "name", "-priority": "highest priority first",
  "-finished": "latest to finish first", best: "lowest best value first", "-best": "highest best value first", queue: "order of the queue",
};
const LIMIT = 50;

export function readList(query) {
  const list = {
    states: query.getAll("state").filter((state) => STATES.includes(state)),
    tags: query.getAll("tag"), words: query.get("q") ?? "", sort: query.get("sort") ?? "-created",
    // Those of all pages up to this one, so that one can go back.
    cursors: query.getAll("cursor"),
  };
  // The address of the list with these changes; another search begins at its first page.
  list.at = (changes) => {
    const asked = { state: list.states, tag: list.tags, q: list.words, sort: list.sort, cursor: [], ...changes };
    if (asked.sort === "-created") asked.sort = "";
    const pairs = Object.entries(asked).flatMap(([key, value]) => [value].flat().filter(Boolean).map((one) => [key, one]));
    return hashOf({ view: "jobs", query: new URLSearchParams(pairs) });
  };
  return list;
}

// With the courses of best values for the page, without for curl.
export function pathOf(list, more = [["history", "true"]]) {
  const cursor = list.cursors.at(-1);
  const pairs = [
    ...list.states.map((state) => ["state", state]), ...list.tags.map((tag) => ["tag", tag]),
    ...(list.words ? [["q", list.words]] : []), ...(list.sort === "-created" ? [] : [["sort", list.sort]]),
    ...(cursor ? [["cursor", cursor]] : []), ["limit", LIMIT], ...more,
  ];
  return `/jobs?${new URLSearchParams(pairs)}`;
}

export function commandsOfList(list) {
  const cursor = list.cursors.at(-1);
  return [{
    label: "This list",
    command: ["argbest", "ls", ...list.states.flatMap((state) => ["--state", state]), ...list.tags.flatMap((tag) => ["--tag", tag]),
      ...(list.words ? ["--search", list.words] : []), ...(list.sort === "-created" ? [] : [`--sort=${list.sort}`]),
      "--limit", LIMIT, ...(cursor ? ["--cursor", cursor] : [])],
    request: { path: pathOf(list, []) },
  }];
}
