// Moves a queued job before another one.
import { patch } from "../api.js";
import { make } from "../parts/elements.js";
import { announce } from "../parts/faces.js";

// Where a job goes by each button: before the job with this id, "" for the end; null where it stands there already.
// The list shows only a part of the queue where it has several pages.
export function places(job, items) {
  const queued = items.filter(({ state }) => state === "queued").map(({ id }) => id);
  const at = queued.indexOf(job.id), isLast = at === queued.length - 1;
  return {
    First: at > 0 ? queued[0] : null,
    Up: at > 0 ? queued[at - 1] : null,
    Down: isLast ? null : queued[at + 2] ?? "",
    Last: isLast ? null : "",
  };
}

// `act(send)` sends a request and returns whether it was done.
export function moveButtons(job, items, act) {
  const move = async (before) => {
    if (await act(() => patch(`/jobs/${job.id}`, { before }))) announce(`${job.name} has moved in the queue.`);
  };
  const buttons = Object.entries(places(job, items)).map(([name, before]) => make("button", {
    type: "button", class: "small", "data-key": name, "aria-label": `${name} in the queue: ${job.name}`,
    ...(before === null ? { disabled: "" } : {}),
    onclick: () => move(before),
  }, name));
  return make("div", { class: "moves" }, ...buttons);
}

// What the fields and buttons of the rows do, of the first jobs that have them.
export function queueCommands(items) {
  const job = items.find((one) => !one.finished_at), queued = items.filter(({ state }) => state === "queued");
  const found = [];
  if (job) {
    found.push({ label: "Priority", command: ["argbest", "priority", job.id, job.priority],
      request: { method: "POST", path: `/jobs/${job.id}/priority`, body: { priority: job.priority } } });
  }
  if (queued.length > 1) {
    const [first, second] = queued;
    found.push({ label: "Place in the queue", command: ["argbest", "queue", second.id, "--before", first.id],
      request: { method: "PATCH", path: `/jobs/${second.id}`, body: { before: first.id } } });
  }
  return found;
}
