// The rungs of a scheduler: how many trials have reached each epoch at which trials are compared, and what became of them.
import { make, right, table } from "../parts/elements.js";
import { number } from "../parts/format.js";

const LISTED = ["asha", "hyperband"];

// The epochs at which trials are compared, the last one included; empty where a scheduler has no rungs.
export function rungEpochs({ scheduler, epochs }) {
  const { name, min_epochs: first = 1, reduction_factor: factor = 3 } = typeof scheduler === "string" ? { name: scheduler } : scheduler ?? {};
  if (!LISTED.includes(name)) return [];
  const found = [];
  for (let epoch = first; epoch < epochs; epoch *= factor) found.push(epoch);
  return [...found, epochs];
}

// What became of the trials at a rung. `promoted` ones have trained on; the others wait there, or have ended there.
export function rungCounts(epochs, trials) {
  return epochs.map((epoch, place) => {
    const reached = trials.filter((trial) => trial.purpose !== "confirm" && trial.epochs >= epoch), isLast = place === epochs.length - 1;
    const here = reached.filter((trial) => trial.epochs === epoch);
    return {
      epoch,
      reached: reached.length,
      promoted: isLast ? null : reached.filter((trial) => trial.epochs > epoch || (trial.state === "running" && trial.resumed_from === epoch)).length,
      waiting: here.filter(({ state }) => state === "paused").length,
      stopped: here.filter(({ state }) => state === "stopped").length,
    };
  });
}

export function rungsView(store) {
  const rows = make("div");
  const element = make("section", { "aria-label": "Rungs" }, make("h3", {}, "Rungs"), rows);
  const show = () => {
    const epochs = rungEpochs(store.job.spec);
    element.hidden = !epochs.length;
    if (!epochs.length) return;
    const trials = [...store.trials.values()], counts = rungCounts(epochs, trials), most = Math.max(1, ...counts.map(({ reached }) => reached));
    const share = ({ reached }) => make("meter", { min: 0, max: most, value: reached, "aria-label": `${reached} of ${most}` });
    const part = ({ promoted, reached }) => (promoted === null || !reached ? "" : `${number((100 * promoted) / reached, 0)} %`);
    rows.replaceChildren(table(["After epoch", "Trials", "", "Went on", "of these", "Wait", "Stopped"], counts.map((rung) => ({
      cells: [right(rung.epoch), right(rung.reached), share(rung), right(rung.promoted ?? ""), right(part(rung)), right(rung.waiting || ""), right(rung.stopped || "")],
    }))));
  };
  return { element, show };
}
