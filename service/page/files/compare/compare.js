// Two to eight jobs side by side: how the best value grew, how the values spread, what differs between them.
import { get } from "../api.js";
import { hashOf, setQuery, setTitle } from "../page.js";
import { chart, plainly } from "../parts/chart.js";
import { commands } from "../parts/commands.js";
import { make, right, stateMark, table } from "../parts/elements.js";
import { empty } from "../parts/faces.js";
import { count, meanText, moment, number, parameterValue } from "../parts/format.js";

const FEWEST = 2, MOST = 8;
const AXES = { trials: "Trials that have ended", epochs: "Epochs trained", seconds: "Seconds since the start" };
const OTHER = "--series-8";

const linkTo = ({ id, name }) => make("a", { href: hashOf({ view: "job", path: [id] }) }, name);

// --- choosing -----------------------------------------------------------------------------------

async function chooser(main, chosen) {
  const { items } = await get("/jobs?limit=100");
  if (!items.length) return main.replaceChildren(make("h2", {}, "Compare"), empty("There are no jobs yet.", make("a", { href: "#/new" }, "Submit one")));
  const button = make("button", { class: "main" }, "Compare");
  const boxes = items.map(({ id, name }) => make("input", { type: "checkbox", value: id, "aria-label": `Compare ${name}`, ...(chosen.includes(id) ? { checked: "" } : {}) }));
  const checked = () => boxes.filter((box) => box.checked).map(({ value }) => value);
  const look = () => {
    const { length } = checked();
    button.disabled = length < FEWEST || length > MOST;
    button.textContent = button.disabled ? `Compare (choose ${FEWEST} to ${MOST})` : `Compare ${length} jobs`;
  };
  const submit = (event) => {
    event.preventDefault();
    location.hash = hashOf({ view: "compare", query: { jobs: checked().join(",") } });
  };
  const rows = items.map((job, place) => ({ cells: [
    boxes[place], linkTo(job), stateMark(job.state), job.best ? right(number(job.best.value)) : "", job.spec.metric, moment(job.created_at),
  ] }));
  look();
  main.replaceChildren(make("h2", {}, "Compare"),
    make("form", { onsubmit: submit, onchange: look }, make("p", { class: "controls" }, button, make("span", { class: "muted" }, "Of the 100 newest jobs")),
      table(["Choose", "Job", "State", "Best", "Metric", "Created"], rows)));
}

// --- the charts ---------------------------------------------------------------------------------

// A job's name, with its seed or id where another has the same name.
function labels(jobs) {
  const alike = (job, key) => jobs.filter((one) => key(one) === key(job)).length > 1;
  const withSeed = ({ name, seed }) => `${name}, seed ${seed}`;
  return new Map(jobs.map((job) => {
    if (!alike(job, ({ name }) => name)) return [job.id, job.name];
    return [job.id, alike(job, withSeed) ? `${job.name} ${job.id.slice(0, 6)}` : withSeed(job)];
  }));
}

const line = (x, y, name, color, more = {}) => ({ type: "scatter", mode: "lines", line: { shape: "hv" }, x, y, name: plainly(name), meta: { color }, ...more });

// Two traces: the lower edge, and the upper one with the band between them; then the mean.
function bandOf({ jobs }, { x, mean, deviation }, name, color) {
  const edge = (sign) => mean.map((value, place) => value + sign * deviation[place]);
  const quiet = { showlegend: false, hoverinfo: "skip", line: { shape: "hv", width: 0 } };
  return [
    line(x, edge(-1), name, color, quiet),
    line(x, edge(1), name, color, { ...quiet, meta: { color, band: true } }),
    line(x, mean, `${name}: mean of ${jobs.length} seeds`, color, { line: { shape: "hv", width: 3 } }),
  ];
}

const colorOf = (place) => `--series-${place + 1}`;

function historyFigure(jobs, repeats, names, over, axis) {
  const repeated = new Map(repeats.flatMap((group) => group.jobs.map((id) => [id, group])));
  const traces = jobs.filter(({ course }) => course.best.length).map((job) => {
    const isOne = repeated.has(job.id);
    return line(job.course[over], job.course.best, names.get(job.id), isOne ? OTHER : colorOf(job.place), isOne ? { line: { shape: "hv", width: 1 } } : {});
  });
  const bands = repeats.filter((group) => jobs.some(({ id }) => id === group.jobs[0])).flatMap((group) => {
    const first = jobs.find(({ id }) => id === group.jobs[0]);
    return bandOf(group, group.bands[over], first.name, colorOf(first.place));
  });
  return { data: [...bands.length ? traces : [], ...bands, ...bands.length ? [] : traces], layout: { xaxis: { title: { text: AXES[over] } }, yaxis: axis } };
}

function spreadFigure(jobs, names, axis) {
  const traces = jobs.filter(({ spread }) => spread.values.length).map((job) =>
    line(job.spread.values, job.spread.shares, names.get(job.id), colorOf(job.place)));
  return { data: traces, layout: { xaxis: axis, yaxis: { title: { text: "Share of the configurations" }, range: [0, 1.02] } } };
}

// Values that reach far are read on a logarithmic axis, as results/plots/scales.py has it.
function metricAxis(jobs, { mode, label }) {
  const values = jobs.flatMap(({ spread }) => [spread.values[0], spread.values.at(-1)]).filter((value) => value !== undefined);
  const low = Math.min(...values), high = Math.max(...values);
  return { title: { text: plainly(label) }, type: low > 0 && high / low >= (mode === "min" ? 10 : 100) ? "log" : "linear" };
}

// Jobs with another metric have charts of their own.
function chartsOf(found, over, names, charts) {
  const groups = Map.groupBy(found.jobs.map((job, place) => ({ ...job, place })), ({ metric, mode }) => `${metric} ${mode}`);
  return [...groups.values()].map((jobs) => {
    const axis = metricAxis(jobs, jobs[0]);
    const [history, spread] = [make("div"), make("div")];
    const place = async () => {
      charts.push({ ...await chart(history, historyFigure(jobs, found.repeats, names, over(), axis)), redraw: (drawn) => drawn.show(historyFigure(jobs, found.repeats, names, over(), axis)) });
      charts.push(await chart(spread, spreadFigure(jobs, names, axis)));
    };
    const what = jobs[0].label;
    const element = make("div", { class: "pair" },
      make("figure", {}, make("figcaption", {}, `${what}: the best so far`), history),
      make("figure", {}, make("figcaption", {}, `${what}: the share of the configurations at or below each value`), spread));
    return { element, place };
  });
}

// --- the tables ---------------------------------------------------------------------------------

const bestOf = ({ best }) => (best ? meanText(best.value, best.standard_deviation, best.n ?? 1) : "");

function jobTable(jobs) {
  const rows = jobs.map((job) => ({ cells: [linkTo(job), stateMark(job.state), right(job.seed), job.metric, right(bestOf(job)),
    right(job.progress.finished), right(job.progress.epochs_done)] }));
  return table(["Job", "State", "Seed", "Metric", "Best", "Trials", "Epochs"], rows);
}

const written = (value) => (value === null || value === undefined ? "" : parameterValue(value));

// Words of a JSON pointer: "/parameters/lr" is "parameters lr".
const words = (pointer) => pointer.slice(1).split("/").map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~")).join(" ");

function differenceTable({ jobs, differences }, names) {
  if (!differences.length) return make("p", { class: "muted" }, "The jobs were asked for the same.");
  const rows = differences.map(({ pointer, values }) => ({ cells: [words(pointer), ...values.map(written)] }));
  return table(["Member", ...jobs.map(({ id }) => names.get(id))], rows);
}

function bestTable({ jobs }, names) {
  const found = jobs.filter(({ best }) => best);
  const parameters = [...new Set(found.flatMap(({ best }) => Object.keys(best.parameters)))];
  if (!parameters.length) return make("p", { class: "muted" }, "No job has a best configuration yet.");
  const rows = parameters.map((name) => {
    const values = found.map(({ best }) => written(best.parameters[name]));
    return { best: new Set(values).size > 1, cells: [name, ...values] };
  });
  return table(["Parameter", ...found.map(({ id }) => names.get(id))], rows);
}

const repeatsText = ({ jobs, repeats }) => repeats.map((group) =>
  make("p", {}, `${jobs.find(({ id }) => id === group.jobs[0]).name}: ${meanText(group.final, group.deviation, group.jobs.length)}, the best values of ${count(group.jobs.length, "job")} that differ only in their seed. The band is one standard deviation to either side.`));

// --- the view -----------------------------------------------------------------------------------

export async function show(main, { query }) {
  setTitle("Compare");
  const ids = [...new Set((query.get("jobs") ?? "").split(",").filter(Boolean))];
  if (ids.length < FEWEST) {
    await chooser(main, ids);
    return () => {};
  }
  const found = await get(`/compare?jobs=${encodeURIComponent(ids.join(","))}`);
  const names = labels(found.jobs), charts = [];
  let over = query.get("over") in AXES ? query.get("over") : "trials";
  const change = (event) => {
    over = event.target.value;
    setQuery({ over });
    for (const one of charts) one.redraw?.(one);
  };
  const field = make("select", { onchange: change }, ...Object.entries(AXES).map(([key, text]) =>
    make("option", { value: key, ...(key === over ? { selected: "" } : {}) }, text)));
  const places = chartsOf(found, () => over, names, charts);
  const path = `/compare?jobs=${ids.join(",")}`;
  main.replaceChildren(
    make("h2", {}, `Compare ${count(found.jobs.length, "job")}`),
    make("p", { class: "controls" }, make("label", {}, "Over ", field), make("a", { href: hashOf({ view: "compare" }) }, "Choose other jobs")),
    ...places.map(({ element }) => element), ...repeatsText(found), jobTable(found.jobs),
    make("h3", {}, "What differs"), differenceTable(found, names),
    make("h3", {}, "Best configurations"), bestTable(found, names),
    commands([{ command: ["argbest", "compare", ...ids], request: { path } }]));
  for (const { place } of places) await place();
  return () => charts.forEach((one) => one.leave());
}
