// What is known of a trial at a glance: its facts, why it failed, its parameters beside the default, what it uses.
import { make, right, table } from "../parts/elements.js";
import { bytes, count, duration, moment, parameterValue } from "../parts/format.js";

const fact = ([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value));

export const factList = (pairs) => make("dl", { class: "facts" }, ...pairs.filter(([, value]) => value !== "" && value !== null).map(fact));

export function trialFacts(trial, job) {
  const most = job.spec.epochs;
  const epochs = make("span", {}, make("progress", { value: trial.epochs, max: most, "aria-label": `${trial.epochs} of ${count(most, "epoch")}` }), ` ${trial.epochs} of ${most}`);
  const confirms = trial.purpose === "confirm" ? `${trial.configuration}, with another seed` : "";
  return factList([
    ["Epochs", epochs], ["Node", trial.node ?? ""], ["Attempts", String(trial.attempts)], ["Time trained", duration(trial.seconds)],
    ["Began", moment(trial.started_at)], ["Ended", moment(trial.finished_at)], ["Seed", String(trial.seed)],
    ["Went on from", trial.parent == null ? "" : `trial ${trial.parent}, epoch ${trial.start_epoch}`], ["Confirms trial", confirms], ["Engine", trial.engine], ["Newest checkpoint", trial.checkpoint ? `epoch ${trial.checkpoint}` : ""],
    ["Model", trial.model_bytes ? bytes(trial.model_bytes) : ""],
  ]);
}

// What to do about each kind of failure; results/states.py names them.
const ADVICE = {
  diverged: "Lower the learning rate, or leave such values out of the search space. It is not started again: the same numbers would diverge again.",
  user_error: "The traceback and the log below say where the program failed. When it is mended, retry the failed trials, or run this one again.",
  out_of_memory: "Give trials less to hold (a smaller batch or model), or run fewer of them at a time (max_concurrent_trials, resources_per_trial).",
  time_limit: "Raise time_limit_s, or train fewer epochs.",
  worker_lost: "Its process was killed, or its node went away. The log below may say why; retry it when the node is back.",
  infeasible: "The cluster cannot run it as it is: the message says what is missing.",
  internal: "This is a defect of argbest: please report it with the traceback.",
};

export function failureOf({ error }) {
  if (!error) return "";
  const { kind, message, traceback } = error;
  return make("section", { class: "failure", "aria-labelledby": "failure-title" }, make("h3", { id: "failure-title" }, `Failed: ${kind.replaceAll("_", " ")}`),
    make("p", { class: "message" }, message), ADVICE[kind] ? make("p", {}, make("b", {}, "What to do: "), ADVICE[kind]) : "",
    traceback ? make("details", { open: "" }, make("summary", {}, "Traceback"), make("pre", { tabindex: 0, "aria-label": "Traceback" }, traceback)) : "");
}

const shown = (value) => (typeof value === "number" ? right(parameterValue(value)) : parameterValue(value));

// Changed ones first: they make the trial what it is.
export function parameterTable({ parameters, defaults = {} }) {
  const names = [...new Set([...Object.keys(parameters), ...Object.keys(defaults)])];
  const isChanged = (name) => JSON.stringify(parameters[name]) !== JSON.stringify(defaults[name]);
  const ordered = [...names.filter(isChanged), ...names.filter((name) => !isChanged(name))];
  const cell = (values, name) => (name in values ? shown(values[name]) : make("span", { class: "muted" }, "does not apply"));
  const rows = ordered.map((name) => ({ best: isChanged(name), cells: [name, cell(parameters, name), cell(defaults, name), isChanged(name) ? "changed" : ""] }));
  return rows.length ? table(["Parameter", "This trial", "Default", ""], rows) : make("p", { class: "muted" }, "It has no parameters.");
}

const percent = (share) => `${Math.round(100 * share)} %`;

// What the processes use while they run; afterwards the most memory that was seen.
export function usageFacts({ usage, state }, { spec }) {
  if (!usage) return state === "running" ? make("p", { class: "muted" }, "Its processes are looked at every 5 seconds.") : "";
  const gpus = usage.gpu === null || usage.gpu === undefined ? [] : [["GPU", `${percent(usage.gpu)} busy`], ["GPU memory", bytes(usage.gpu_memory)]];
  const now = [["Processors", `${usage.cpu.toFixed(2)} busy, ${spec.resources_per_trial?.cpu ?? 1} asked for`], ["Memory", bytes(usage.memory)], ...gpus];
  return factList([...(state === "running" ? now : []), ["Most memory seen", bytes(usage.memory_peak)]]);
}
