// The table of a job's trials, how many are in each state, and which of these are shown.
import { make, stateMark } from "../parts/elements.js";
import { duration, meanText, moment, number, parameterValue } from "../parts/format.js";
import { paced } from "../parts/paced.js";
import { virtualTable } from "../parts/table.js";
import { varied } from "./axes.js";
import { metricsOf } from "./curves.js";

export const STATES = ["queued", "running", "paused", "succeeded", "stopped", "failed", "cancelled"];
// ms between two orders of the rows of a running job, for each 1,000 rows.
const PAUSE = 200, LEAST = 250;

// What a trial's row says of its state: why it failed, or why it is not ranked.
const whyOf = (trial) => trial.error?.message ?? (trial.violations ?? []).join("; ");

function stateCell(trial) {
  const why = whyOf(trial);
  return make("span", {}, stateMark(trial.state), why ? `: ${why}` : "");
}

const plain = (name, title, read, more = {}) => ({ name, title, value: read, text: (row) => read(row) ?? "", ...more });
const figure = (name, title, read, write, more = {}) => ({
  name, title, value: read, isNumber: true, ...more,
  text: (row) => (read(row) === undefined || read(row) === null ? "" : write(read(row))),
});

// A parameter whose name another column has, "seed" say, is "parameter seed" in the address and in the filter.
function parameterColumns(job, trials, taken) {
  const differ = new Set(varied(trials));
  const names = [...new Set([...Object.keys(job.spec.parameters), ...differ])];
  return names.map((name) => {
    const isNumber = trials.every(({ parameters }) => !(name in parameters) || typeof parameters[name] === "number");
    const value = ({ parameters }) => (typeof parameters[name] === "number" ? parameters[name] : name in parameters ? parameterValue(parameters[name]) : undefined);
    return { name: taken.has(name) ? `parameter ${name}` : name, title: name, value, isNumber, width: "8rem", isHidden: !differ.has(name), text: ({ parameters }) => (name in parameters ? parameterValue(parameters[name]) : "") };
  });
}

const epochsOf = (job) => (trial) => `${trial.epochs} of ${job.spec.epochs}${trial.resumed_from ? `, went on after ${trial.resumed_from}` : ""}`;

export function columnsOf(store, reading) {
  const { job } = store, trials = [...store.trials.values()];
  const confirms = (trial) => (trial.purpose === "confirm" ? `${trial.number}, confirms ${trial.configuration}` : String(trial.number));
  const link = (trial) => make("a", { href: `#/job/${encodeURIComponent(job.id)}/trial/${trial.number}`, tabindex: -1 }, confirms(trial));
  const metrics = metricsOf(store).map((metric) => figure(`metric ${metric}`, reading.title(metric), (trial) => reading.of(trial, metric), number, { width: "8rem" }));
  const [first, ...others] = metrics;
  const hasMeans = job.spec.repeats > 1;
  const before = [
    { name: "trial", title: "Trial", value: (trial) => trial.number, text: confirms, element: link, isNumber: true, width: trials.some(({ purpose }) => purpose === "confirm") ? "9rem" : "5rem" },
    { name: "state", title: "State", value: ({ state }) => state, text: (trial) => [trial.state, whyOf(trial)].filter(Boolean).join(": "), element: stateCell, width: "10rem" },
    figure("rank", "Rank", ({ rank }) => rank, String, { width: "5rem", isHidden: !trials.some(({ rank }) => rank) }),
    ...(first ? [first] : []),
    { ...figure("epochs", "Epochs", ({ epochs }) => epochs, String, { width: "7rem" }), text: epochsOf(job) },
  ];
  const after = [
    ...others,
    ...(hasMeans ? [{ ...figure("mean", "Mean", ({ score }) => score?.mean, String, { width: "13rem" }), text: ({ score }) => (score ? meanText(score.mean, score.standard_deviation, score.n) : "") }] : []),
    figure("time", "Time", ({ seconds }) => seconds, duration, { width: "7rem" }),
    plain("node", "Node", ({ node }) => node, { isHidden: true }),
    figure("attempts", "Attempts", ({ attempts }) => attempts, String, { isHidden: true, width: "6rem" }),
    figure("seed", "Seed", ({ seed }) => seed, String, { isHidden: true, width: "7rem" }),
    figure("configuration", "Configuration", ({ configuration }) => configuration, String, { isHidden: true }),
    plain("engine", "Engine", ({ engine }) => engine, { isHidden: true }),
    ...(trials.some(({ parent }) => parent !== null && parent !== undefined) ? [figure("parent", "Parent", ({ parent }) => parent, String, { width: "6rem" })] : []),
    plain("started", "Started", ({ started_at: at }) => at, { text: ({ started_at: at }) => moment(at), isHidden: true, width: "12rem" }),
    plain("finished", "Finished", ({ finished_at: at }) => at, { text: ({ finished_at: at }) => moment(at), isHidden: true, width: "12rem" }),
  ];
  const taken = new Set([...before, ...after].map(({ name }) => name));
  return [...before, ...parameterColumns(job, trials, taken), ...after];
}

function countsOf(trials) {
  const counts = new Map(STATES.map((state) => [state, 0]));
  for (const { state } of trials) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].filter(([, amount]) => amount > 0);
}

// The counts by state, each a button that shows only these trials. `onChange` is called when the choice changes.
function stateFilter(chosen, onChange) {
  const element = make("p", { class: "controls", role: "group", "aria-label": "States" });
  let drawn = "";
  const filter = { element, chosen };
  const choose = (state) => {
    filter.chosen = state;
    drawn = "";
    onChange();
  };
  const button = (state, amount) => make("button", { "aria-pressed": String(filter.chosen === state), onclick: () => choose(state) },
    state === "" ? `all ${amount}` : make("span", {}, `${amount} `, stateMark(state)));
  filter.show = (trials) => {
    const counts = countsOf(trials);
    if (!counts.some(([state]) => state === filter.chosen)) filter.chosen = "";
    const wanted = JSON.stringify([filter.chosen, counts]);
    if (wanted === drawn) return;
    const focused = [...element.children].indexOf(document.activeElement);
    drawn = wanted;
    element.replaceChildren(...(counts.length ? [button("", trials.length), ...counts.map(([state, amount]) => button(state, amount))] : []));
    if (focused >= 0) element.children[focused]?.focus();
  };
  filter.keep = (trials) => (filter.chosen ? trials.filter(({ state }) => state === filter.chosen) : trials);
  return filter;
}

// `query` has what the address has: sort, filter, columns, state; `onQuery` is called with what changed.
export function trialsView(store, selection, reading, query, onQuery) {
  const columns = query.getAll("column");
  const begin = { sort: query.get("sort") ?? "", filter: query.get("filter") ?? "", columns: columns.length ? columns : null };
  const table = virtualTable({
    label: "Trials", noun: "trial", key: ({ number: one }) => one, selection, query: begin,
    open: ({ number: one }) => { location.hash = `#/job/${encodeURIComponent(store.id)}/trial/${one}`; },
    onQuery: ({ sort, filter, columns: chosen }) => onQuery({ sort, filter, column: chosen }),
  });
  table.isBest = ({ number: one }) => store.job.best?.trial === one;
  const states = stateFilter(query.get("state") ?? "", () => {
    drawn.now();
    onQuery({ state: states.chosen });
  });
  const element = make("section", { "aria-label": "Trials" }, make("h3", {}, "Trials"), states.element, table.element);
  const drawn = paced(() => {
    const all = [...store.trials.values()].sort((a, b) => a.number - b.number);
    states.show(all);
    table.show(columnsOf(store, reading), states.keep(all));
  }, () => Math.max(LEAST, (PAUSE * store.trials.size) / 1000));
  const off = [reading.onValues(drawn.soon), store.on("job", drawn.soon), reading.on(drawn.now)];
  drawn.now();
  const stop = () => {
    off.forEach((end) => end());
    drawn.stop();
    table.stop();
  };
  return { element, stop };
}
