// The frame: which view is shown, by what stands behind the "#" of the address. A view is a module with
// `show(main, address)`, which draws into `main` and returns what is to be called when it is left.
import { Away, connection, forgetToken, isAway, TokenNeeded } from "./api.js";
import { announce, failed, loading, tokenAsked } from "./parts/faces.js";
import { make } from "./parts/elements.js";
import { decoded, ownToken, sharedJob, takeShared } from "./shared.js";

// Each is loaded when it is first asked for.
export const VIEWS = {
  jobs: () => import("./jobs/jobs.js"),
  new: () => import("./jobs/new.js"),
  job: () => import("./job/job.js"),
  trial: () => import("./trial/trial.js"),
  cluster: () => import("./cluster/cluster.js"),
  compare: () => import("./compare/compare.js"),
};

const RETRY_MS = 2000;
const frame = document.getElementById("main");
let leave = () => {};
// The element of the view that is shown: one that was left draws into an element that nobody sees.
let shown = null, shownView = "";

// Names stand at even places and ids at odd ones, the last name is the view:
// "#/job/ID/trial/3?log=1" is {view: "trial", path: ["ID", "3"], query}. Older links have no first slash.
export function readAddress(hash) {
  const [place, query = ""] = hash.replace(/^#?\/?/, "").split(/\?(.*)/s);
  const words = place.split("/").filter(Boolean).map(decoded);
  const names = words.filter((_, index) => index % 2 === 0);
  return { view: names.at(-1) ?? "jobs", names, path: words.filter((_, index) => index % 2 === 1), query: new URLSearchParams(query) };
}

export function hashOf({ view, names = [view], path = [], query = new URLSearchParams() }) {
  const words = names.flatMap((name, index) => (index in path ? [name, path[index]] : [name]));
  const asked = new URLSearchParams(query).toString();
  return `#/${words.map(encodeURIComponent).join("/")}${asked ? `?${asked}` : ""}`;
}

export const address = () => readAddress(location.hash);

// `query` may be an object.
export const go = (to) => { location.hash = hashOf(to); };

// Puts into the address what the view shows, and draws nothing. A value of null, "" or an empty list takes its key out.
export function setQuery(changes) {
  const now = address();
  for (const [key, value] of Object.entries(changes)) {
    now.query.delete(key);
    for (const one of [value ?? ""].flat()) if (one !== "") now.query.append(key, one);
  }
  history.replaceState(history.state, "", hashOf(now));
}

export const setTitle = (text) => { document.title = text ? `${text} · argbest` : "argbest"; };

export function showDashboard(url) {
  const link = document.getElementById("dashboard");
  if (url) { link.href = url; link.hidden = false; }
}

function showError(error) {
  const mine = shown;
  mine.replaceChildren(failed(error instanceof Away ? "The server does not answer." : `Something went wrong: ${error.message}`, draw));
  if (isAway(error)) setTimeout(() => shown === mine && draw(), RETRY_MS);
}

// Leaves the view and shows why it cannot be shown.
function fail(error) {
  leave();
  leave = () => {};
  if (!(error instanceof TokenNeeded)) return showError(error);
  forgetToken();
  const form = tokenAsked(error.message, (token) => {
    ownToken(token);
    draw();
  });
  shown.replaceChildren(form);
  form.querySelector("input").focus();
}

function markInNav(view) {
  for (const link of document.querySelectorAll("#nav a[href^='#/']")) {
    if (readAddress(link.hash).view === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

// A link to one job opens nothing else: there the way back is to that job.
function markShared() {
  const job = sharedJob();
  document.body.toggleAttribute("data-shared", job !== null);
  document.querySelector(".brand a").href = job === null ? "#/jobs" : hashOf({ view: "job", path: [job] });
}

async function draw() {
  leave();
  leave = () => {};
  takeShared();
  markShared();
  const mine = make("div", {}, loading());
  shown = mine;
  frame.replaceChildren(mine);
  const now = address();
  shownView = now.view;
  setTitle("");
  markInNav(now.view);
  try {
    const load = VIEWS[now.view];
    if (!load) throw new Error(`there is no view "${now.view}"`);
    const { show } = await load();
    if (shown !== mine) return;
    const stop = await show(mine, now);
    if (shown === mine) leave = stop; else stop();
  } catch (error) {
    if (shown === mine) fail(error);
  }
}

// Draws the view anew.
export { draw as again };

frame.addEventListener("failed", ({ detail }) => fail(detail));
addEventListener("hashchange", async () => {
  const { id } = document.activeElement, before = shownView;
  const drawn = draw();
  // A reader of the screen goes on in the new view; in the same one, at the field that has changed the address.
  if (!id || shownView !== before) return frame.focus({ preventScroll: true });
  await drawn;
  if (document.activeElement === document.body) (document.getElementById(id) ?? frame).focus({ preventScroll: true });
});
document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  frame.focus();
});
connection.addEventListener("change", () => {
  const line = document.getElementById("connection");
  line.hidden = !connection.isLost;
  line.textContent = connection.isLost ? "The connection to the server is lost. The page tries again by itself." : "";
  if (!connection.isLost) announce("The connection is back.");
});
draw();
