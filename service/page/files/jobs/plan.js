// What a request would run: trials, what they cost, and the configurations.
import { make, right, table } from "../parts/elements.js";
import { count, number, parameterValue } from "../parts/format.js";

const MOST_ROWS = 20;

// The server leaves out what is expected where nothing says that it is less than the most.
function cost({ core_hours: hours, epochs, expected_epochs: expected, expected_core_hours: less, basis }) {
  const trained = expected === undefined ? `at most ${count(epochs, "epoch")}` : `about ${count(expected, "epoch")}, at most ${epochs}`;
  if (hours === null) return `${trained}; how long they take is not known: ${basis}`;
  const taken = less === undefined ? `about ${number(hours, 2)} core-hours` : `about ${number(less, 2)} core-hours, at most ${number(hours, 2)},`;
  return `${trained}; ${taken} by ${basis}`;
}

function configurations({ configurations: listed, spec, sampling }) {
  if (listed === null) {
    const rows = Object.entries(spec.parameters).map(([name, domain]) => ({ cells: [name, parameterText(domain)] }));
    return [make("p", {}, `Sampled by ${sampling.sampler}, seed ${sampling.seed}.`), table(["Parameter", "Values"], rows)];
  }
  const names = [...new Set(listed.flatMap(Object.keys))];
  const varied = names.filter((name) => new Set(listed.map((one) => JSON.stringify(one[name]))).size > 1);
  const shown = varied.length ? varied : names;
  const rows = listed.slice(0, MOST_ROWS).map((one, index) => ({ cells: [right(index), ...shown.map((name) => (name in one ? parameterValue(one[name]) : ""))] }));
  const same = names.filter((name) => !shown.includes(name)).map((name) => `${name} ${parameterValue(listed[0][name])}`);
  return [
    table(["Trial", ...shown], rows),
    listed.length > MOST_ROWS ? make("p", { class: "muted" }, `The first ${MOST_ROWS} of ${count(listed.length, "configuration")}.`) : "",
    same.length ? make("p", { class: "muted" }, `The same in all: ${same.join(", ")}.`) : "",
  ];
}

const parameterText = (domain) => (domain !== null && typeof domain === "object" ? JSON.stringify(domain) : parameterValue(domain));

export function planOf(plan) {
  const { spec, trials, distinct, estimate, chosen, history } = plan;
  const few = distinct !== null && plan.sampling && distinct <= trials ? `There are only ${count(distinct, "different configuration")}: each runs once.` : "";
  return make("div", {},
    make("p", {}, make("strong", {}, `${count(trials, "trial")} of ${count(spec.epochs, "epoch")}`), `, strategy ${spec.strategy}, by ${spec.metric}`),
    estimate ? make("p", {}, cost(estimate)) : "",
    ...[few, chosen ? `Chosen by auto: ${chosen}` : "", history ? `The sampler is told ${count(history.trials, "trial")} from elsewhere.` : ""].filter(Boolean).map((text) => make("p", {}, text)),
    ...configurations(plan));
}
