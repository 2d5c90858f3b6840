// One job, live by its events.
import { events, get, objectUrl } from "../api.js";
import { again, showDashboard } from "../page.js";
import { download } from "../parts/download.js";
import { bar, make, right, table, waits } from "../parts/elements.js";
import { fail } from "../parts/faces.js";
import { count, duration, number, parameterValue } from "../parts/format.js";
import { controls } from "./controls.js";
import { sharing } from "./share.js";
import { bestText, conclusion, meansOf, stateCell, stateFilter } from "./trials.js";

// A browser takes seconds to lay out a table of very many rows.
const MOST_ROWS = 500;

// The running trials, the best one, then the others by the rank that the API last gave them.
function inOrder(job, trials, ranks) {
  const place = (t) => {
    if (t.state === "running") return -1;
    return t.number === job.best?.trial ? 0 : (ranks.get(t.number) ?? Infinity);
  };
  const placed = trials.map((t) => [place(t), t]).sort(([a], [b]) => (a < b ? -1 : Number(a > b)));
  return placed.map(([, t]) => t);
}

const epochsOf = (t, job) =>
  `${t.epochs} of ${job.spec.epochs}${t.resumed_from ? `, went on after ${t.resumed_from}` : ""}`;

function trialRows(job, all, ranks, keep) {
  const trials = keep(all), means = job.spec.repeats > 1 ? meansOf(job, all) : null;
  const varied = Object.keys(job.spec.parameters).filter((name) =>
    new Set(trials.map((t) => JSON.stringify(t.parameters[name]))).size > 1);
  const metrics = [...new Set(trials.flatMap((t) => Object.keys(t.metrics)))];
  const drawn = trials.length > MOST_ROWS ? inOrder(job, trials, ranks).slice(0, MOST_ROWS) : trials;
  const value = (t, name) => {
    if (!(name in t.parameters)) return "";
    const text = parameterValue(t.parameters[name]);
    return typeof t.parameters[name] === "number" ? right(text) : text;
  };
  const rows = drawn.map((t) => ({
    best: job.best?.trial === t.number,
    cells: [right(make("span", {}, make("a", { href: `#/job/${job.id}/trial/${t.number}` }, t.number), t.purpose === "confirm" ? `, confirms ${t.configuration}` : "")), stateCell(t), epochsOf(t, job),
      ...varied.map((name) => value(t, name)),
      ...metrics.map((name) => (name in t.metrics ? right(number(t.metrics[name])) : "")),
      ...(means ? [right(t.purpose === "confirm" ? "" : means.get(t.configuration) ?? "")] : []),
      right(duration(t.seconds))],
  }));
  const mean = means ? ["Mean"] : [];
  const drawnTable = table(["Trial", "State", "Epochs", ...varied, ...metrics, ...mean, "Time"], rows);
  if (drawn.length === trials.length) return drawnTable;
  const csv = download(`/jobs/${job.id}/trials?format=csv`, "all as CSV", "trials.csv");
  return make("section", {}, make("p", { class: "muted" },
    `${drawn.length} of ${count(trials.length, "trial")}, the running ones and then the best; `, csv), drawnTable);
}

async function plots(job) {
  const { items } = await get(`/jobs/${job.id}/plots`);
  return make("div", { class: "plots" }, ...await Promise.all(items.map(async (plot) => {
    const path = `/jobs/${job.id}/plots/${encodeURIComponent(plot.name)}.svg`;
    const src = await objectUrl(path);
    const image = make("img", { src, alt: plot.title, onload: () => URL.revokeObjectURL(src) });
    return make("figure", {}, download(path, image, `${plot.name}.svg`), make("figcaption", {}, plot.caption));
  })));
}

// A command's arguments with its code, or the function of the code; nothing of registered trainables.
function programOf({ command, trainable, code }) {
  if (!command && !code) return "";
  return [command ? command.join(" ") : trainable, code?.slice(0, 19)].filter(Boolean).join(" · ");
}

function jobHead(job) {
  const ran = programOf(job.spec);
  const slots = job.slots === null ? "" : `, ${count(job.slots, "slot")}`;
  return [
    make("h2", {}, job.name, " ", make("span", { class: "muted" }, `${job.state}${slots}`)),
    make("p", {}, bar(job), waits(job)),
    ran ? make("p", {}, make("code", {}, ran)) : "",
    job.ended_by ? make("p", {}, `The search ended early: ${job.ended_by}`) : "",
  ];
}

function jobFacts(job) {
  const report = (format) => download(`/jobs/${job.id}/report?format=${format}`, format.toUpperCase(), `report.${format}`);
  return [
    make("p", {}, "Report: ", report("html"), " ", report("pdf"), " ", report("md"), " ", report("json"), " · ",
      download(`/jobs/${job.id}/log`, "log", "log.txt")),
    job.error ? make("pre", {}, job.error.message) : "",
    job.best ? make("pre", {}, bestText(job.best)) : "",
  ];
}

export async function show(main, { path: [id] }) {
  let job = await get(`/jobs/${id}`);
  const trials = new Map(), ranks = new Map();
  let ranked = -1, last = "";
  const [head, facts, verdict, rows, pictures] = Array.from({ length: 5 }, () => make("section"));
  // A stream ends with its job: one that goes on is followed by another.
  const actions = controls(id, () => job.finished_at && again(), (error) => fail(main, error));
  const filter = stateFilter(() => drawSoon());
  main.replaceChildren(head, actions.element, sharing(job, main), facts, verdict, filter.element, rows, pictures);
  let isDue = false;
  const draw = () => {
    isDue = false;
    head.replaceChildren(...jobHead(job));
    actions.show(job);
    facts.replaceChildren(...jobFacts(job));
    const all = [...trials.values()].sort((a, b) => a.number - b.number);
    filter.show(all);
    rows.replaceChildren(trialRows(job, all, ranks, filter.keep));
  };
  // Ranks choose the rows of a long table: they are read again when twice as many trials have ended, and at the end.
  const readRanks = async () => {
    const { finished } = job.progress;
    if (trials.size <= MOST_ROWS || finished === ranked || (finished < 2 * ranked && !job.finished_at)) return;
    ranked = finished;
    const { items } = await get(`/jobs/${id}/trials`);
    for (const { number: trial, rank } of items) if (rank !== null) ranks.set(trial, rank);
    drawSoon();
  };
  // A stream begins with an event per trial: events since the last frame are drawn together.
  const drawSoon = () => {
    if (!isDue) requestAnimationFrame(draw);
    isDue = true;
  };
  showDashboard(job.dashboard_url);
  const left = new AbortController();
  const follow = async () => {
    for await (const [kind, data, change] of events(`/jobs/${id}/events`, left.signal, last)) {
      last = change || last;
      if (kind === "trial") trials.set(data.number, data);
      if (kind === "job") {
        job = data;
        await readRanks();
      }
      drawSoon();
    }
    if (job.finished_at) {
      if (job.best) verdict.replaceChildren(conclusion(await get(`/jobs/${id}/best`)));
      pictures.replaceChildren(await plots(job));
    } else throw new TypeError("the stream broke off");
  };
  const keepFollowing = () => follow().catch((error) => {
    if (left.signal.aborted) return;
    // A network error: the service may be starting again. The new stream goes on after the last change.
    if (error instanceof TypeError) setTimeout(() => left.signal.aborted || keepFollowing(), 2000);
    else fail(main, error);
  });
  keepFollowing();
  return () => left.abort();
}
