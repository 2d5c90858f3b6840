// The winner's card: its value with an interval, against the second and the default, the verdict, what may be wrong with
// the search, and the model and the reports to fetch.
import { commands } from "../parts/commands.js";
import { download } from "../parts/download.js";
import { make, right, table } from "../parts/elements.js";
import { bestInWords, meanText, number, parameterValue } from "../parts/format.js";

// The best configuration so far, in text.
const bestText = (best) => `best: trial ${best.trial}, ${bestInWords(best)}`;

// Each parameter with its value, and with the default where that is another one.
const parameters = (best, defaults) => make("dl", { class: "parameters" }, ...Object.entries(best.parameters).map(([name, value]) => {
  const own = defaults[name], isOther = own !== undefined && JSON.stringify(own) !== JSON.stringify(value);
  return make("div", {}, make("dt", {}, name), make("dd", {}, isOther ? make("strong", {}, parameterValue(value)) : parameterValue(value),
    isOther ? make("span", { class: "muted" }, ` default ${parameterValue(own)}`) : ""));
}));

// The default of each parameter of a specification: its own one, or the constant.
export function defaultsOf({ parameters: declared }) {
  const found = {};
  for (const [name, domain] of Object.entries(declared)) {
    const isDomain = domain !== null && typeof domain === "object" && !Array.isArray(domain);
    if (!isDomain) found[name] = domain;
    else if ("default" in domain) found[name] = domain.default;
    else if ("value" in domain) found[name] = domain.value;
  }
  return found;
}

const intervalText = (estimate) => {
  const { mean, low, high } = estimate;
  return low === null ? meanText(mean, estimate.standard_deviation, estimate.n) : `${number(mean)} (95 % interval ${number(low)} to ${number(high)}, n = ${estimate.n})`;
};

// Of several objectives: the trials than which no other one is better in all of them.
function front({ front: found = [] }) {
  const metrics = Object.keys(found[0]?.objectives ?? {});
  if (metrics.length < 2) return [];
  const inWords = (values) => Object.entries(values).map(([name, value]) => `${name} ${parameterValue(value)}`).join(", ");
  const rows = found.map((one) => ({ cells: [right(one.trial), ...metrics.map((metric) => right(number(one.objectives[metric]))), inWords(one.parameters)] }));
  return [make("h4", {}, "The Pareto front"), table(["Trial", ...metrics, "Parameters"], rows)];
}

function confirmed({ confirmation }) {
  if (!confirmation) return [];
  const { candidates, to_second: second, to_default: standard, test, metric } = confirmation;
  const against = [["the second", second], ["the default", standard]].filter(([, pair]) => pair).map(([name, { other, mean, low, high }]) =>
    make("li", {}, `better than ${name} (configuration ${other}) by ${number(mean)}${low === null ? "" : ` (95 % interval ${number(low)} to ${number(high)})`}`));
  const rows = candidates.map((one) => ({
    best: one.configuration === confirmation.winner,
    cells: [right(one.configuration), right(one.value ? meanText(one.value.mean, one.value.standard_deviation, one.value.n) : ""),
      one.is_default ? `default, ${one.standing}` : one.standing],
  }));
  const winner = candidates.find((one) => one.configuration === confirmation.winner)?.value;
  return [
    make("h4", {}, "Is the winner real?"), make("p", {}, confirmation.verdict),
    winner ? make("p", {}, `${metric} ${intervalText(winner)}`) : "",
    against.length ? make("ul", {}, ...against) : "",
    ...Object.entries(test).map(([name, value]) => make("p", {}, `on the test data: ${name} ${intervalText(value)}`)),
    table(["Configuration", "Mean with further seeds", ""], rows),
  ];
}

const notes = ({ diagnosis = [] }) => (diagnosis.length
  ? [make("h4", {}, "Notes on the search"), make("ul", {}, ...diagnosis.map(({ detail, hint }) => make("li", {}, `${detail} ${hint}`)))] : []);

// For other programs.
const EXPORTS = [["optuna", "Optuna", "log"], ["csv", "CSV", "zip"], ["parquet", "Parquet", "zip"], ["tensorboard", "TensorBoard", "zip"]];

function exported({ path, id }) {
  const links = EXPORTS.flatMap(([format, title, suffix]) => [" ", download(`${path}/export?format=${format}`, title, `${id}-${format}.${suffix}`)]);
  return make("details", { class: "commands" }, make("summary", {}, "Export trials and curves"), make("p", {}, "Formats:", ...links),
    commands([{ label: "Export", command: ["argbest", "export", id, "--format", "parquet"], request: { path: `/jobs/${id}/export?format=parquet`, output: `${id}-parquet.zip` } }]));
}

const hasModel = ({ job, trials }) => Boolean(job.best) && job.spec.keep > 0 && (trials.get(job.best.trial)?.model_bytes ?? 0) > 0;

function files(store) {
  const report = (format) => download(`${store.path}/report?format=${format}`, format.toUpperCase(), `report.${format}`);
  return make("p", {}, "Report: ", report("html"), " ", report("pdf"), " ", report("md"), " ", report("json"),
    hasModel(store) ? make("span", {}, " · ", download(`${store.path}/best/model`, "model", `${store.id}.npz`)) : "",
    " · trials: ", download(`${store.path}/trials?format=csv`, "CSV", "trials.csv"), " · curves: ", download(`${store.path}/curves?format=csv`, "CSV", "curves.csv"),
    " · ", download(`${store.path}/log`, "log", "log.txt"));
}

function fileCommands(store) {
  const { id } = store, file = (label, command, path, output) => ({ label, command, request: { path: `${store.path}/${path}`, output } });
  return [
    file("Report", ["argbest", "report", id, "-o", "report.html"], "report?format=html", "report.html"),
    ...(hasModel(store) ? [file("Model", ["argbest", "model", id, "-o", `${id}.npz`], "best/model", `${id}.npz`)] : []),
    file("Trials", ["argbest", "trials", id, "--csv"], "trials?format=csv", "trials.csv"),
    // The command writes an archive of two tables, with the trials beside the curves.
    file("Curves", ["argbest", "export", id, "--format", "csv"], "curves?format=csv", "curves.csv"),
    file("Log", ["argbest", "logs", id], "log", "log.txt"),
  ];
}

export function winnerView(store) {
  const title = make("h3"), about = make("div"), links = make("div");
  // What is opened or has the focus stays while the value gets better.
  const element = make("section", { "aria-label": "Conclusion", class: "card" }, title, about, links, commands(() => fileCommands(store)), exported(store));
  let drawn = "", linked = null;
  // `detail` is what `GET .../best` answers once the job has ended; null before.
  const show = (detail) => {
    const { best } = store.job;
    const wanted = JSON.stringify([best, detail, store.job.finished_at]);
    if (wanted === drawn) return;
    drawn = wanted;
    title.textContent = !best ? "Results" : store.job.finished_at ? "The winner" : "Best so far";
    about.replaceChildren(
      best ? make("p", { class: "value" }, bestText(best)) : make("p", { class: "muted" }, "No trial has succeeded yet."),
      best ? parameters(best, defaultsOf(store.job.spec)) : "",
      ...(detail ? [...front(detail), ...confirmed(detail), ...notes(detail)] : []));
    if (hasModel(store) === linked) return;
    linked = hasModel(store);
    links.replaceChildren(files(store));
  };
  return { element, show };
}
