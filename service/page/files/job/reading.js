// Which value of a curve stands for its trial in the table and on the axes: the last one, the best one, or that at an epoch.
import { make } from "../parts/elements.js";

const LESS_IS_BETTER = /loss|error|rmse|mse|mae|perplexity|seconds|bytes/i;

// "max" or "min": as the search has it, else as the trainable says, else as the name sounds.
export function modeOf(job, metric, known = []) {
  const objectives = job.spec.objectives ?? [{ metric: job.spec.metric, mode: job.spec.mode }];
  const declared = objectives.find((one) => one.metric === metric)?.mode ?? known.find(({ name }) => name === metric)?.mode;
  return declared || (LESS_IS_BETTER.test(metric) ? "min" : "max");
}

export function makeReading(store, known) {
  const listeners = new Set();
  const reading = {
    how: "last",
    epoch: 1,
    of(trial, metric) {
      if (reading.how === "last") return trial.metrics[metric];
      const curves = store.curves(metric);
      if (reading.how === "best") return curves?.best(trial.number, modeOf(store.job, metric, known))?.value;
      const value = curves?.at(trial.number, reading.epoch);
      return Number.isNaN(value) ? undefined : value;
    },
    title: (metric) => ({ last: metric, best: `best ${metric}`, at: `${metric} at ${reading.epoch}` })[reading.how],
    set(changes) {
      Object.assign(reading, changes);
      listeners.forEach((listener) => listener());
    },
    on(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    // Calls `listener` when the values may be others: of trials at their last one, of curves elsewhere.
    onValues(listener) {
      const off = [store.on("trials", listener), store.on("curves", () => reading.how !== "last" && listener())];
      return () => off.forEach((end) => end());
    },
  };
  return reading;
}

// The fields that choose it; `metrics()` names those whose curves are needed then.
export function readingFields(store, reading, metrics) {
  const epoch = make("input", { type: "number", min: 1, max: store.job.spec.epochs, value: store.job.spec.epochs, "aria-label": "Epoch", hidden: "" });
  const change = async () => {
    const how = select.value;
    epoch.hidden = how !== "at";
    if (how === "at" && !epoch.checkValidity()) return;
    if (how !== "last") await Promise.all(metrics().map((metric) => store.load(metric)));
    if (select.value !== how) return; // another one was chosen while the curves were read
    reading.set({ how, epoch: Number(epoch.value) });
  };
  const option = (value, text) => make("option", { value }, text);
  const select = make("select", { onchange: change }, option("last", "last value"), option("best", "best value"), option("at", "value at epoch"));
  epoch.addEventListener("change", change);
  return make("span", { class: "controls" }, make("label", {}, "Trials stand for their ", select), epoch);
}
