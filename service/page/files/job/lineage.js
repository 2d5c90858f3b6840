// From which trial a trial went on: the chain of the best one, or of the one that is marked alone.
import { make, right, table } from "../parts/elements.js";
import { parameterValue } from "../parts/format.js";

// The trial and its ancestors, the eldest first.
export function chainOf(trials, number) {
  const chain = [];
  for (let trial = trials.get(number); trial && !chain.includes(trial); trial = trials.get(trial.parent)) chain.unshift(trial);
  return chain;
}

function changesOf(trial, parent) {
  if (!parent) return "began by itself";
  const changed = Object.keys(trial.parameters).filter((name) => JSON.stringify(trial.parameters[name]) !== JSON.stringify(parent.parameters[name]));
  return changed.map((name) => `${name} ${parameterValue(parent.parameters[name] ?? null)} → ${parameterValue(trial.parameters[name])}`).join(", ") || "the same parameters";
}

export function lineageView(store, selection) {
  const rows = make("div"), title = make("h3");
  const element = make("section", { "aria-label": "Lineage", hidden: "" }, title, rows);
  const show = () => {
    const alone = selection.marked?.size === 1 ? [...selection.marked][0] : store.job.best?.trial;
    const chain = alone === undefined ? [] : chainOf(store.trials, alone);
    element.hidden = chain.length < 2;
    if (element.hidden) return;
    title.textContent = `Lineage of trial ${alone}`;
    rows.replaceChildren(table(["Trial", "Went on after epoch", "Changed"], chain.map((trial, place) => ({
      best: trial.number === alone,
      cells: [right(trial.number), right(place ? trial.start_epoch : ""), changesOf(trial, chain[place - 1])],
    }))));
  };
  return { element, show };
}
