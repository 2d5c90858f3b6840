// What one may do with a job: its verbs, its priority, and more trials or epochs once it has finished.
// Elements stay while the job is drawn again, so that a field keeps its focus and what was typed.
import { post, TokenNeeded } from "../api.js";
import { commands } from "../parts/commands.js";
import { make } from "../parts/elements.js";
import { priorityField } from "../parts/priority.js";

// Strategies that list their configurations: only samplers can draw more trials.
const LISTED = ["single", "one_at_a_time", "grid"];

// A winner is confirmed once from here; more seeds are asked for on the command line.
const canConfirm = ({ best, spec }) => best && !spec.confirm && !(spec.repeats > 1) && !(spec.objectives?.length > 1);

const verbsOf = (job) => ({
  queued: ["pause", "cancel"], running: ["pause", "cancel"], pausing: ["resume", "cancel"], paused: ["resume", "cancel"],
  succeeded: [...(job.progress.failed ? ["retry-failed"] : []), ...(canConfirm(job) ? ["confirm"] : [])], failed: ["retry-failed"],
}[job.state] ?? []);

// A winner is confirmed as the service thinks best: with an empty request.
const bodyOf = (verb) => (verb === "confirm" ? {} : undefined);

const titleOf = (verb) => verb[0].toUpperCase() + verb.slice(1).replace("-", " ");

const numberField = (attributes) => make("input", { type: "number", required: "", step: 1, ...attributes });

// The form, and an example of what it asks for: `example()`, with what was typed.
function extension(job, ask) {
  const epochs = numberField({ min: job.spec.epochs, value: job.spec.epochs });
  // A job's trials are its configurations with all their seeds; a request names configurations.
  const now = job.spec.trials / (job.spec.repeats ?? 1);
  const trials = LISTED.includes(job.spec.strategy) ? null : numberField({ min: now, value: now });
  // A total that is left as it is stays out of the request; a cancelled job may go on to those it has.
  const least = job.state === "cancelled" ? 0 : 1;
  const more = (field, has) => (field && Number(field.value) >= has + least ? Number(field.value) : undefined);
  const body = () => ({ epochs: more(epochs, job.spec.epochs), trials: more(trials, now) });
  const submit = (event) => {
    event.preventDefault();
    ask("extend", body());
  };
  const form = make("form", { onsubmit: submit, class: "controls" },
    make("label", {}, "Epochs ", epochs), trials ? make("label", {}, "Trials ", trials) : "", make("button", {}, "Extend"));
  // Before anything was typed it shows how the request is made.
  const example = () => (Object.values(body()).some((value) => value !== undefined) ? body() : { epochs: Number(epochs.value) });
  return { form, example };
}

// What the buttons and fields do that the job has now. A command has a name of its own where it is not the verb.
function told({ id, verbs, priority, more }) {
  const one = (verb, words, body) => ({ label: titleOf(verb), command: ["argbest", verb === "retry-failed" ? "retry" : verb, id, ...words],
    request: { method: "POST", path: `/jobs/${id}/${verb}`, body } });
  const options = Object.entries(more ?? {}).filter(([, value]) => value !== undefined);
  return [
    ...verbs.map((verb) => one(verb, [], bodyOf(verb))),
    ...(priority ? [one("priority", [priority], { priority })] : []),
    ...(options.length ? [one("extend", options.flatMap(([name, value]) => [`--${name}`, value]), Object.fromEntries(options))] : []),
  ];
}

// `onMoved` is called when the job was moved, `onToken` when a token is needed for that.
export function controls(id, onMoved, onToken) {
  const buttons = make("span", { class: "controls" }), place = make("span");
  const problem = make("div");
  // Whether it was done.
  const ask = (verb, body) => {
    problem.replaceChildren();
    return post(`/jobs/${id}/${verb}`, body).then(() => {
      onMoved(verb);
      return true;
    }, (error) => {
      if (error instanceof TokenNeeded) onToken(error);
      else problem.replaceChildren(make("p", { role: "alert" }, error.message));
      return false;
    });
  };
  const priority = priorityField((value) => ask("priority", { priority: value }));
  const label = make("label", {}, "Priority ", priority.field);
  let drawn = "", verbs = [], extend = null;
  const list = commands(() => told({ id, verbs, priority: label.hidden ? null : Number(priority.field.value), more: extend?.example() }));
  const show = (job) => {
    priority.show(job);
    verbs = verbsOf(job);
    const wanted = JSON.stringify([job.state, verbs, job.spec.epochs, job.spec.trials]);
    if (wanted === drawn) return;
    drawn = wanted;
    buttons.replaceChildren(...verbs.map((verb) => make("button", { onclick: () => ask(verb, bodyOf(verb)) }, titleOf(verb))));
    label.hidden = Boolean(job.finished_at);
    extend = job.finished_at ? extension(job, ask) : null;
    place.replaceChildren(extend?.form ?? "");
    list.write(); // one that is open tells of the buttons that are there
  };
  return { element: make("section", { "aria-label": "Actions" }, make("div", { class: "controls" }, buttons, label, place), problem, list), show };
}
