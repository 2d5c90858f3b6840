// The log of one trial, as it grows: it is read on from where it ended.
import { get, Refused } from "../api.js";
import { download } from "../parts/download.js";
import { make } from "../parts/elements.js";

// What is shown of it, in characters: the newest. A browser lays out more of them slowly.
const MOST_CHARACTERS = 200_000;
// The service gives a long text in parts of 256 KiB; of a trial that prints faster than that, so many are read at a time.
const MOST_PARTS = 40;
const ANSI = /\u001b\[[0-9;?]*[A-Za-z]/g;

// A terminal draws what follows a carriage return over the line: of a bar that grows, its last state stays.
export const asShown = (text) => text.replace(ANSI, "").replace(/\r+\n/g, "\n").split("\n").map((line) => line.slice(line.lastIndexOf("\r") + 1)).join("\n");

export function trialLog(job, trial) {
  const path = `/jobs/${encodeURIComponent(job)}/trials/${trial}/log`;
  const problem = make("div"), text = make("pre", { tabindex: 0, role: "region", "aria-label": "What it has printed", class: "log" });
  const follow = make("input", { type: "checkbox", checked: "" });
  const toEnd = () => { text.scrollTop = text.scrollHeight; };
  follow.addEventListener("change", () => follow.checked && toEnd());
  // Whoever scrolls up reads: the text stays.
  text.addEventListener("scroll", () => { follow.checked = text.scrollHeight - text.scrollTop - text.clientHeight < 8; });
  const element = make("section", { "aria-labelledby": "log-title" }, make("h3", { id: "log-title" }, "Log"),
    make("div", { class: "controls" }, make("label", {}, follow, " Follow the end"), download(`${path}?tail=10000`, "Its last 10,000 lines as a file", `trial-${trial}.txt`)), problem, text);
  let next = null, kept = "";
  const show = () => {
    if (kept) text.replaceChildren(asShown(kept));
    else text.replaceChildren(make("span", { class: "muted" }, "It has printed nothing so far."));
    if (follow.checked) toEnd();
  };
  // Whether there was something new; a log that was cut meanwhile goes on at the oldest that is kept.
  const readPart = async (signal) => {
    const part = await get(`${path}?format=json&${next === null ? "tail=2000" : `offset=${next}`}`, { signal });
    if (next !== null && part.offset > next) kept += "\n… lines in between are no longer kept …\n";
    const isNew = next === null || part.next_offset > next;
    next = part.next_offset;
    kept = (kept + part.text).slice(-MOST_CHARACTERS);
    return isNew;
  };
  // What was said is not said again each time.
  const tell = (message) => {
    text.hidden = Boolean(message) && !kept;
    if (problem.textContent !== message) problem.replaceChildren(message ? make("p", { role: "alert" }, message) : "");
  };
  // Reads on to the end. A log that cannot be read says so here: the rest of the trial is there all the same.
  const read = async (signal) => {
    let parts = 0;
    try {
      while (parts < MOST_PARTS && await readPart(signal)) parts += 1;
      tell("");
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      tell(error.message);
    } finally {
      if (parts) show();
    }
  };
  return { element, read };
}
