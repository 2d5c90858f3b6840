// What the states of a job's trials are called, how many are in each, and which of them are shown.
import { make, right, stateMark, table } from "../parts/elements.js";
import { meanText } from "../parts/format.js";

export const STATES = ["queued", "running", "paused", "succeeded", "stopped", "failed", "cancelled"];

// What a trial's row says of its state: why it failed, or why it is not ranked.
export function stateCell(trial) {
  const why = trial.error?.message ?? (trial.violations ?? []).join("; ");
  return make("span", {}, stateMark(trial.state), why ? `: ${why}` : "");
}

const countsOf = (trials) => {
  const counts = new Map(STATES.map((state) => [state, 0]));
  for (const { state } of trials) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].filter(([, amount]) => amount > 0);
};

// The counts by state, each a button that shows only these trials. `onChange` is called when the choice changes.
export function stateFilter(onChange) {
  const element = make("p", { class: "controls", role: "group", "aria-label": "States" });
  let chosen = "", drawn = "";
  const choose = (state) => {
    chosen = state;
    drawn = "";
    onChange();
  };
  const button = (state, amount) => make("button", { "aria-pressed": String(chosen === state), onclick: () => choose(state) },
    state === "" ? `all ${amount}` : make("span", {}, `${amount} `, stateMark(state)));
  const show = (trials) => {
    const counts = countsOf(trials);
    if (!counts.some(([state]) => state === chosen)) chosen = "";
    const wanted = JSON.stringify([chosen, counts]);
    if (wanted === drawn) return;
    drawn = wanted;
    element.replaceChildren(...(counts.length ? [button("", trials.length), ...counts.map(([state, amount]) => button(state, amount))] : []));
  };
  return { element, show, keep: (trials) => (chosen ? trials.filter(({ state }) => state === chosen) : trials) };
}

// The mean and the standard deviation of the job's metric over the succeeded trials of each configuration.
export function meansOf(job, trials) {
  const { metric } = job.spec, values = new Map();
  for (const t of trials) {
    if (t.state !== "succeeded" || t.purpose === "confirm" || !(metric in t.metrics)) continue;
    values.set(t.configuration, [...(values.get(t.configuration) ?? []), t.metrics[metric]]);
  }
  const written = new Map();
  for (const [configuration, found] of values) {
    const mean = found.reduce((sum, value) => sum + value, 0) / found.length;
    const squares = found.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    written.set(configuration, meanText(mean, Math.sqrt(squares / (found.length - 1)), found.length));
  }
  return written;
}

// The best configuration so far, in text.
export const bestText = ({ trial, metric, value, standard_deviation: deviation, n = 1, parameters }) =>
  `best: trial ${trial}, ${metric} ${meanText(value, deviation, n)}\n${JSON.stringify(parameters, null, 2)}`;

// The verdict of a confirmation with its candidates, and what may be wrong with the search; "" while there is neither.
export function conclusion({ confirmation, diagnosis = [] }) {
  const parts = [];
  if (confirmation) {
    const rows = confirmation.candidates.map((c) => ({
      best: c.configuration === confirmation.winner,
      cells: [right(c.configuration), right(c.value ? meanText(c.value.mean, c.value.standard_deviation, c.value.n) : "failed"),
        [c.is_default ? "default" : "", c.is_left ? "" : "dropped out"].filter(Boolean).join(", ")],
    }));
    parts.push(make("h3", {}, "Is the winner real?"), make("p", {}, confirmation.verdict),
      table(["Configuration", "Mean with further seeds", ""], rows));
  }
  if (diagnosis.length) parts.push(make("h3", {}, "Notes on the search"), make("ul", {}, ...diagnosis.map(({ detail, hint }) => make("li", {}, `${detail} ${hint}`))));
  return parts.length ? make("section", { "aria-label": "Conclusion" }, ...parts) : "";
}
