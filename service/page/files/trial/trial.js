// One trial, live while it runs: #/job/ID/trial/N.
import { connection, get, isAway, post, postOnce } from "../api.js";
import { go, setTitle, showDashboard } from "../page.js";
import { asking } from "../parts/asking.js";
import { commands } from "../parts/commands.js";
import { make, stateMark } from "../parts/elements.js";
import { fail } from "../parts/faces.js";
import { followed } from "../parts/followed.js";
import { curveFigure } from "./curve.js";
import { failureOf, parameterTable, trialFacts, usageFacts } from "./facts.js";
import { historyTable } from "./history.js";
import { trialLog } from "./log.js";
import { undrawn } from "./undrawn.js";

const EVERY_MS = 2000;
const RUNS_AGAIN = ["succeeded", "failed"];

const section = (name, title) => {
  const body = make("div"), id = `${name}-title`;
  return { body, element: make("section", { "aria-labelledby": id }, make("h3", { id }, title), body) };
};

const trialLink = (job, number, text) => make("a", { href: `#/job/${encodeURIComponent(job.id)}/trial/${number}` }, text);

function headOf(job, trial, isLast) {
  const way = make("nav", { "aria-label": "Trials", class: "controls" },
    make("a", { href: `#/job/${encodeURIComponent(job.id)}` }, job.name),
    trial.number > 0 ? trialLink(job, trial.number - 1, `← trial ${trial.number - 1}`) : "",
    isLast ? "" : trialLink(job, trial.number + 1, `trial ${trial.number + 1} →`));
  const best = job.best?.trial === trial.number ? make("span", { class: "badge" }, "best of its job") : "";
  return [way, make("h2", {}, `Trial ${trial.number} `, stateMark(trial.state), " ", best)];
}

// The buttons that run it again, and the same as commands.
function actionsOf(main, job, trial) {
  const { problem, ask } = asking(main);
  const path = `/jobs/${encodeURIComponent(job.id)}`;
  const again = () => ask(async () => {
    const body = await get(`${path}/trials/${trial.number}/request`);
    const { id } = await (await postOnce("/jobs", body)).json();
    go({ view: "job", path: [id] });
  });
  const retry = () => ask(async () => {
    await post(`${path}/retry-failed`);
    go({ view: "job", path: [job.id] });
  });
  const canRetry = trial.state === "failed" && RUNS_AGAIN.includes(job.state);
  const items = [
    ...(trial.parent != null ? [] : [{ label: "Run it again and compare the curves", command: ["argbest", "reproduce", job.id, trial.number], request: { path: `${path}/trials/${trial.number}/request` } }]),
    ...(canRetry ? [{ label: "Retry the failed trials of its job", command: ["argbest", "retry", job.id], request: { method: "POST", path: `${path}/retry-failed` } }] : []),
    { label: "Its log", command: ["argbest", "logs", job.id, "--trial", trial.number], request: { path: `${path}/trials/${trial.number}/log` } },
    { label: "Its curve", command: ["argbest", "curve", job.id, trial.number], request: { path: `${path}/trials/${trial.number}/curve` } },
  ];
  return make("div", { class: "acts" }, make("div", { class: "controls" },
    trial.parent != null ? "" : make("button", { onclick: again, title: "the same code, configuration and seed, as a job of its own" }, "Run again"),
    canRetry ? make("button", { onclick: retry, title: "of the whole job, as further attempts" }, "Retry failed trials") : ""), problem, commands(items));
}

function curvesIn(body) {
  const figures = new Map(), grid = make("div", { class: "curves" });
  return ({ epoch, ...metrics }) => {
    if (!epoch.length) {
      if (!figures.size) body.replaceChildren(make("p", { class: "muted" }, "It has reported no epoch so far."));
      return;
    }
    for (const [metric, values] of Object.entries(metrics)) {
      if (!figures.has(metric)) {
        figures.set(metric, curveFigure(metric));
        grid.append(figures.get(metric).figure);
      }
      figures.get(metric).update(epoch, values);
    }
    if (!grid.isConnected) body.replaceChildren(grid);
  };
}

// Draws a part only when what it shows has changed: what somebody has opened or marked stays.
function drawn(element, of, draw) {
  let last = "";
  return (...given) => {
    const now = JSON.stringify(of(...given));
    if (now === last) return;
    last = now;
    element.replaceChildren(...[draw(...given)].flat());
  };
}

class TrialView {
  #left = new AbortController();
  #read = { epochs: -1, attempts: -1, isBusy: false, isDue: false };

  constructor(main, job, trial, last) {
    Object.assign(this, { main, job, trial, last, path: `/jobs/${encodeURIComponent(job.id)}/trials/${trial.number}` });
    const head = make("div"), facts = make("div"), failure = make("div"), actions = make("div");
    const [curves, parameters, uses, history] = [["curves", "Curves"], ["parameters", "Parameters"], ["usage", "Resources"], ["history", "Attempts"]].map((each) => section(...each));
    this.log = trialLog(job.id, trial.number);
    this.drawCurves = curvesIn(curves.body);
    this.drawHistory = drawn(history.body, (changes) => changes, historyTable);
    this.draws = [
      drawn(head, (j, t) => [j.name, j.best?.trial, t.state, j.progress.trials], (j, t) => headOf(j, t, t.number + 1 >= j.progress.trials)),
      drawn(facts, (j, t) => ({ ...t, usage: 0, metrics: 0 }), (j, t) => trialFacts(t, j)),
      drawn(failure, (j, t) => t.error, (j, t) => failureOf(t)),
      drawn(actions, (j, t) => [j.state, t.state], (j, t) => actionsOf(main, j, t)),
      drawn(parameters.body, (j, t) => [t.parameters, t.defaults], (j, t) => parameterTable(t)),
      drawn(uses.body, (j, t) => [t.usage, t.state], (j, t) => usageFacts(t, j)),
      (j, t) => { uses.element.hidden = !t.usage && t.state !== "running"; },
    ];
    main.replaceChildren(head, facts, failure, actions, curves.element, make("div", { class: "two" }, parameters.element, make("div", {}, uses.element, history.element)), this.log.element);
  }

  draw() {
    for (const each of this.draws) each(this.job, this.trial);
  }

  // Reads again what an event does not bring. What is asked for during a reading is read after it: a trial that ends
  // then asks for the last time.
  async refresh({ isTrialNew = false } = {}) {
    this.#read.isDue = true;
    if (this.#read.isBusy) return;
    this.#read.isBusy = true;
    try {
      for (let isRead = isTrialNew; this.#read.isDue; isRead = false) {
        this.#read.isDue = false;
        if (!isRead) this.trial = { ...this.trial, ...await get(this.path, { signal: this.#left.signal }) };
        await this.#readRest();
      }
    } catch (error) {
      this.#read.isDue = isAway(error);
      this.#failed(error);
    } finally {
      this.#read.isBusy = false;
    }
  }

  // The curve and the changes where there are new ones, what is used, and the log.
  async #readRest() {
    const options = { signal: this.#left.signal }, { epochs, attempts, state } = this.trial;
    const isNew = epochs !== this.#read.epochs || attempts !== this.#read.attempts || state !== this.#read.state;
    if (isNew) {
      const [curve, { items }] = await Promise.all([get(`${this.path}/curve`, options), get(`${this.path}/history`, options)]);
      Object.assign(this.#read, { epochs, attempts, state });
      this.drawCurves(curve);
      this.drawHistory(items);
    }
    this.draw();
    await this.log.read(options.signal);
  }

  // A lost connection is shown by the frame, and what was left needs no words.
  #failed(error) {
    if (!this.#left.signal.aborted && !isAway(error)) fail(this.main, error);
  }

  start() {
    const look = () => { if (!document.hidden && (this.trial.state === "running" || this.#read.isDue)) this.refresh(); };
    const timer = setInterval(look, EVERY_MS);
    const back = () => { if (!connection.isLost) this.refresh(); };
    connection.addEventListener("change", back);
    this.#listen().catch((error) => this.#failed(error));
    return () => {
      clearInterval(timer);
      connection.removeEventListener("change", back);
      this.#left.abort();
    };
  }

  async #listen() {
    const options = { last: this.last, isOver: () => Boolean(this.job.finished_at) };
    for await (const [kind, data] of followed(`/jobs/${encodeURIComponent(this.job.id)}/events`, this.#left.signal, options)) {
      if (kind === "job") {
        this.job = data;
        this.draw();
      }
      if (kind === "trial" && data.number === this.trial.number) {
        const hasMoved = data.state !== this.trial.state;
        this.trial = { ...this.trial, ...data };
        this.draw();
        if (hasMoved) this.refresh();
      }
    }
  }
}

export async function show(main, { path: [id, number] }) {
  const ofJob = `/jobs/${encodeURIComponent(id)}`, path = `${ofJob}/trials/${encodeURIComponent(number)}`;
  let last;
  try {
    ({ last } = await get(`${path}/history`)); // before what it comes after
  } catch (error) {
    if (error.status !== 404) throw error;
    return undrawn(main, await get(ofJob), Number(number), error);
  }
  const [job, trial] = await Promise.all([get(ofJob), get(path)]);
  setTitle(`Trial ${trial.number} of ${job.name}`);
  showDashboard(job.dashboard_url);
  const view = new TrialView(main, job, trial, String(last));
  view.draw();
  await view.refresh({ isTrialNew: true });
  return view.start();
}
