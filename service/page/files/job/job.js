// One job, live by its events: what it is, the winner, its curves, its trials in several views, and what it has spent.
import { sharedJob } from "../shared.js";
import { again, setQuery, setTitle, showDashboard } from "../page.js";
import { bar, make, waits } from "../parts/elements.js";
import { announce, fail } from "../parts/faces.js";
import { count } from "../parts/format.js";
import { follow } from "../parts/job_store.js";
import { paced } from "../parts/paced.js";
import { makeSelection } from "../parts/selection.js";
import { configurationView } from "./configuration.js";
import { controls } from "./controls.js";
import { curvesView, metricsOf } from "./curves.js";
import { figures } from "./figures.js";
import { lineageView } from "./lineage.js";
import { notesView } from "./notes.js";
import { parallelView } from "./parallel.js";
import { plots } from "./plots.js";
import { makeReading } from "./reading.js";
import { rungsView } from "./rungs.js";
import { sharing } from "./share.js";
import { spentView } from "./spent.js";
import { trialsView } from "./trials.js";
import { winnerView } from "./winner.js";

const COUNT_PAUSE = 250; // ms between two counts of the trials while they report

// A command's arguments with its code, or the function of the code; nothing of registered trainables.
function programOf({ command, trainable, code }) {
  if (!command && !code) return "";
  return [command ? command.join(" ") : trainable, code?.slice(0, 19)].filter(Boolean).join(" · ");
}

function head(job) {
  const ran = programOf(job.spec);
  const slots = job.slots === null ? "" : `, ${count(job.slots, "slot")}`;
  return [
    make("h2", {}, job.name, " ", make("span", { class: "muted" }, `${job.state}${slots}`)),
    make("p", {}, bar(job), waits(job)),
    ran ? make("p", {}, make("code", {}, ran)) : "",
    job.ended_by ? make("p", {}, `The search ended early: ${job.ended_by}`) : "",
    job.error ? make("pre", {}, job.error.message) : "",
  ];
}

// What the trainable says of its metrics, into `known`: which direction is better. Programs say nothing, and a link to
// one job reads nothing but that job.
async function learnMetrics(store, known) {
  const { spec } = store.job;
  if (!spec.trainable || spec.command || spec.code || sharedJob()) return;
  const { items } = await store.read("/trainables");
  known.push(...items.find(({ name }) => name === spec.trainable)?.metrics ?? []);
}

export async function show(main, { path: [id], query }) {
  const store = await follow(id), wasOver = Boolean(store.job.finished_at);
  const selection = makeSelection(), known = [], reading = makeReading(store, known);
  const top = make("section", { "aria-label": "Job" }), pictures = make("section", { "aria-label": "Pictures" });
  const actions = controls(id, () => store.job.finished_at && again(), (error) => fail(main, error));
  const objectives = () => metricsOf(store).slice(0, Math.max(1, store.job.spec.objectives?.length ?? 1));
  const winner = winnerView(store), rungs = rungsView(store), spent = spentView(store), lineage = lineageView(store, selection), best = configurationView(store);
  const trials = trialsView(store, selection, reading, query, setQuery);
  const curves = curvesView(store, selection, reading, known);
  const parallel = parallelView(store, selection, reading, objectives, known);
  const charts = figures(store, selection);
  const said = notesView(store, main);
  let detail = null, drawn = null;
  const drawJob = () => {
    top.replaceChildren(...head(store.job));
    actions.show(store.job);
    said.show();
    winner.show(detail);
    best.show();
    showDashboard(store.job.dashboard_url);
    setTitle(`${store.job.name}, ${store.job.state}`);
  };
  const counts = paced(() => {
    rungs.show();
    lineage.show();
    spent.show(detail?.spent);
  }, () => COUNT_PAUSE);
  const conclude = async () => {
    if (store.job.best) detail = await store.read(`${store.path}/best`);
    drawJob();
    spent.show(detail?.spent);
    drawn ??= plots(store.path);
    pictures.replaceChildren(make("h3", {}, "Pictures"), drawn.element);
  };
  store.on("job", drawJob);
  store.on("trials", counts.soon);
  store.on("ended", () => {
    if (!wasOver) announce(`${store.job.name}: ${store.job.state}.`);
    conclude().catch((error) => fail(main, error));
  });
  store.on("woken", again);
  store.on("failed", (error) => fail(main, error));
  selection.on((what) => what === "marked" && lineage.show());
  drawJob();
  counts.now();
  learnMetrics(store, known).then(() => known.length && reading.set({})).catch((error) => fail(main, error));
  main.replaceChildren(top, actions.element, said.element, sharing(store.job, main), winner.element, best.element, curves.element, parallel.element, trials.element, rungs.element, lineage.element, spent.element, charts.element, pictures);
  return () => [store, trials, counts, curves, parallel, charts, drawn].forEach((part) => part?.stop());
}
