// What happened to a trial: its attempts, each in segments, from the changes that the API kept.
import { make, right, stateMark, table } from "../parts/elements.js";
import { duration, moment } from "../parts/format.js";

// A segment begins where the trial runs and ends with the next change. Changes that no segment
// ends with (it was queued, or retried) are none.
export function segmentsOf(changes) {
  const segments = [];
  let open = null;
  for (const { state, at, attempt, detail } of changes) {
    if (state === "running") {
      open = { attempt, began: at, from: detail || "from epoch 1", ended: null, end: "", detail: "" };
      segments.push(open);
    } else if (open) {
      Object.assign(open, { ended: at, end: state, detail });
      open = null;
    }
  }
  return segments;
}

function rowOf({ attempt, began, from, ended, end, detail }) {
  const lasted = ended ? duration((new Date(ended) - new Date(began)) / 1000) : "";
  const how = ended ? make("span", {}, stateMark(end), detail ? `: ${detail.replaceAll("_", " ")}` : "") : stateMark("running");
  return { cells: [right(attempt), moment(began), from, right(lasted), how] };
}

export function historyTable(changes) {
  const segments = segmentsOf(changes);
  if (!segments.length) return make("p", { class: "muted" }, "No process has run it so far, or what it did is no longer kept.");
  return table(["Attempt", "Began", "Start", "Lasted", "End"], segments.map(rowOf));
}
