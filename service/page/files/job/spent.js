// What the search has spent: trials, epochs and seconds of training, by what came of them.
import { make, right, table } from "../parts/elements.js";
import { duration } from "../parts/format.js";

const KINDS = { useful: "succeeded, or may yet", stopped: "stopped early", failed: "failed", confirming: "confirming the best" };

const kindOf = ({ purpose, state }) => {
  if (purpose === "confirm") return "confirming";
  if (state === "stopped" || state === "cancelled") return "stopped";
  return state === "failed" ? "failed" : "useful";
};

// The twin of results/spent.py, without what was trained again: that is known once the job has ended.
export function spentOf(trials) {
  const amounts = Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, { trials: 0, epochs: 0, seconds: 0 }]));
  for (const trial of trials) if (trial.attempts > 0) {
    const amount = amounts[kindOf(trial)];
    amount.trials += 1;
    amount.epochs += trial.epochs - (trial.start_epoch ?? 0);
    amount.seconds += trial.seconds;
  }
  return amounts;
}

export function spentView(store) {
  const rows = make("div");
  const element = make("section", { "aria-label": "Spent" }, make("h3", {}, "What was spent"), rows);
  const row = (title, { trials, epochs, seconds }, all) => ({ cells: [title, right(trials), right(epochs), right(duration(seconds)), right(all ? `${Math.round((100 * seconds) / all)} %` : "")] });
  // `told` is what the server says once the job has ended.
  const show = (told) => {
    const { total: ended, ...parts } = told?.total ? told : spentOf(store.trials.values());
    const seen = Object.entries(parts).filter(([, { trials }]) => trials > 0);
    element.hidden = !seen.length;
    const sum = (member) => seen.reduce((all, [, amount]) => all + amount[member], 0);
    const total = ended ?? { trials: sum("trials"), epochs: sum("epochs"), seconds: sum("seconds") };
    rows.replaceChildren(table(["", "Trials", "Epochs", "Time on all slots", "Share"], [
      ...seen.map(([kind, amount]) => row(KINDS[kind] ?? "trained again", amount, total.seconds)), { ...row("all", total, 0), best: true }]));
  };
  return { element, show };
}
