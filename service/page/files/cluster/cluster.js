// The cluster: what it has, what occupies it, what waits, and the state of the service's parts.
import { get, isAway } from "../api.js";
import { setTitle, showDashboard } from "../page.js";
import { commands } from "../parts/commands.js";
import { make, right, stateMark, table } from "../parts/elements.js";
import { empty, fail } from "../parts/faces.js";
import { bytes, count, duration, moment } from "../parts/format.js";
import { repeated } from "../parts/repeated.js";
import { datasets } from "./datasets.js";
import { tokens } from "./tokens.js";

const EVERY_MS = 3000;
// Rows of running trials that are drawn.
const MOST_TRIALS = 200;
const COLORS = 8;

const jobLink = ({ id, name }) => make("a", { href: `#/job/${encodeURIComponent(id)}` }, name);
const since = (time, now) => (time ? duration(Math.max(0, (now - new Date(time)) / 1000)) : "");
const part = (title, ...children) => {
  const id = `${title.toLowerCase().replaceAll(" ", "-")}-title`;
  return make("section", { "aria-labelledby": id }, make("h3", { id }, title), ...children);
};

// A part of the service with its state: `problem` is "" where all is well.
const tile = (name, value, problem, more = "") => make("div", { class: problem ? "tile is-bad" : "tile" },
  make("dt", {}, name), make("dd", {}, make("b", {}, value), more ? make("span", { class: "muted" }, ` ${more}`) : "",
    problem ? make("span", { class: "wrong" }, problem) : ""));

function parts({ address, nodes, nodes_problem: problem, capacity, jobs, queued, database, disk, controllers }) {
  const running = jobs.reduce((sum, job) => sum + job.running, 0);
  const seen = controllers.map(({ host, seconds_ago: ago }) => `${host}, ${duration(ago)} ago`).join("; ");
  const latest = Math.min(...controllers.map(({ seconds_ago: ago }) => ago));
  const disks = disk.total ? `of ${bytes(disk.total)} in ${disk.folder}` : disk.folder;
  return make("dl", { class: "tiles" },
    tile("Ray", nodes || !problem ? "answers" : "waiting for Ray", problem, address),
    tile("Processors", capacity ? String(capacity.cpu) : "not known yet", "", capacity?.gpu ? count(capacity.gpu, "GPU") : ""),
    tile("Running", count(running, "trial"), "", `of ${count(jobs.length, "job")}`),
    tile("Queue", count(queued, "job"), ""),
    tile("Controllers", String(controllers.length), latest > 30 ? "none was seen at work in the last 30 s: queued jobs wait" : "", seen),
    tile("Database", database.kind || "away", database.problem, database.size === null ? "" : bytes(database.size)),
    tile("Disk", disk.free === null ? "away" : `${bytes(disk.free)} free`, disk.problem, disks));
}

// A bar with a part for each job, as wide as the processors that its trials occupy.
function occupied({ capacity, jobs }) {
  const total = Math.max(capacity?.cpu ?? 0, jobs.reduce((sum, { running, cpu }) => sum + running * cpu, 0));
  const used = jobs.map((job, place) => ({ name: job.name, amount: job.running * job.cpu, color: `is-series-${(place % COLORS) + 1}` })).filter(({ amount }) => amount > 0);
  const free = total - used.reduce((sum, { amount }) => sum + amount, 0);
  const words = [...used.map(({ name, amount }) => `${name} ${amount}`), `free ${free}`].join(", ");
  const bar = make("div", { class: "occupied", role: "img", "aria-label": `${total} processors: ${words}` });
  for (const { name, amount, color } of [...used, { name: "free", amount: free, color: "is-free" }]) {
    if (!amount) continue;
    const piece = make("span", { class: color, title: `${name}: ${amount}` });
    piece.style.flexGrow = amount;
    bar.append(piece);
  }
  return total ? bar : "";
}

function occupants(usage) {
  if (!usage.jobs.length) return make("p", { class: "muted" }, "No job has a share of the cluster now.");
  const rows = usage.jobs.map((job, place) => ({ cells: [
    make("span", { class: `swatch is-series-${(place % COLORS) + 1}` }), jobLink(job), stateMark(job.state), right(job.slots), right(job.running),
    right(`${job.cpu} CPU${job.gpu ? `, ${job.gpu} GPU` : ""}`), right(job.priority),
  ] }));
  return make("div", {}, occupied(usage), table(["", "Job", "State", "Slots", "Running", "Each trial takes", "Priority"], rows));
}

function runningTrials({ trials, jobs }, now) {
  if (!trials.length) return "";
  const names = new Map(jobs.map(({ id, name }) => [id, name]));
  const rows = trials.slice(0, MOST_TRIALS).map(({ job_id: id, number, node, started_at: began, usage }) => ({ cells: [
    make("a", { href: `#/job/${encodeURIComponent(id)}/trial/${number}` }, `Trial ${number}`), names.get(id) ?? id, node ?? "", right(since(began, now)),
    usage ? right(usage.cpu.toFixed(2)) : "", usage ? right(bytes(usage.memory)) : "", usage?.gpu != null ? right(`${Math.round(100 * usage.gpu)} %`) : "",
  ] }));
  const more = trials.length > MOST_TRIALS ? make("p", { class: "muted" }, `The first ${MOST_TRIALS} of ${trials.length} trials.`) : "";
  return make("div", { class: "running-trials" }, table(["Trial", "Job", "Node", "For", "Processors busy", "Memory", "GPU"], rows), more);
}

function nodesTable({ nodes, nodes_problem: problem, trials }) {
  if (!nodes) return make("p", { class: "muted" }, problem);
  if (!nodes.length) return make("p", { class: "muted" }, "Ray has no node.");
  const rows = nodes.map(({ host, address, state, is_head: isHead, resources, cpu_percent: busy, memory_bytes: memory }) => ({ cells: [
    `${host ?? "unknown"}${isHead ? ", the head" : ""}`, address ?? "", make("span", { class: `state state-${state === "alive" ? "succeeded" : "failed"}` }, state),
    right(resources.CPU ?? 0), right(resources.GPU ?? 0), busy === null ? "" : right(`${Math.round(busy)} %`), memory === null ? "" : right(bytes(memory)),
    right(trials.filter(({ node }) => node === host).length),
  ] }));
  return table(["Node", "Address", "State", "CPUs", "GPUs", "Busy", "Memory", "Trials"], rows);
}

function queueTable({ queue, queued }, now) {
  if (!queue.length) return make("p", { class: "muted" }, "No job waits.");
  const rows = queue.map((job, place) => ({ cells: [right(place + 1), jobLink(job), right(job.priority), right(since(job.created_at, now))] }));
  const more = queued > queue.length ? `The first ${queue.length} of ${queued}. ` : "";
  return make("div", {}, table(["", "Job", "Priority", "Waits for"], rows),
    make("p", {}, more, make("a", { href: "#/jobs?state=queued&sort=queue" }, "The queue among the jobs")));
}

const LOOKS = [
  { label: "The parts of the service", command: ["argbest", "doctor"], request: { path: "/cluster/usage" } },
  { label: "The queue", command: ["argbest", "ls", "--state", "queued"], request: { path: "/jobs?state=queued" } },
];

export async function show(main) {
  setTitle("Cluster");
  const live = make("div"), seen = make("p", { class: "muted" });
  const lists = [datasets(main), tokens(main)];
  const draw = async () => {
    const usage = await get("/cluster/usage"), now = new Date();
    showDashboard(usage.dashboard_url);
    const dashboard = usage.dashboard_url ? make("p", {}, make("a", { href: usage.dashboard_url }, "Ray dashboard"), make("span", { class: "muted" }, " asks for the token in <data folder>/ray/token")) : "";
    live.replaceChildren(parts(usage), part("What occupies it", occupants(usage), runningTrials(usage, now)), part("Queue", queueTable(usage, now)), part("Nodes", nodesTable(usage), dashboard));
    seen.textContent = `As of ${moment(now)}.`;
    return usage;
  };
  const first = await draw();
  main.replaceChildren(make("h2", {}, "Cluster"), seen, live, commands(LOOKS), ...lists.map(({ element }) => element));
  for (const { read } of lists) read(first);
  const reading = repeated(async () => {
    try {
      // Somebody who reads a table with the keyboard keeps the place; a click gives a table the focus too, but shows none.
      if (!document.hidden && !live.querySelector(":focus-visible")) await draw();
    } catch (error) {
      if (!isAway(error)) fail(main, error);
    }
    return EVERY_MS;
  });
  reading.within(EVERY_MS);
  return reading.stop;
}
