// One job as it is now: the job, its trials and their curves, read once in few bytes and then kept up by its events.
// Views read `job`, `trials` (a Map by number, of trials as the API shows one) and `curves(metric)`, and listen with
// `on("job" | "trials" | "curves" | "ended" | "woken" | "failed", fn)`. What changes within a frame is told together.
import { get, isAway, request } from "../api.js";
import { sharedJob } from "../shared.js";
import { followed, untilReached } from "./followed.js";
import { Curves, records } from "./points.js";

// New points of at most so many trials are asked for at a time, and no sooner than after so many ms.
const MOST_KNOWN = 400;
const PAUSE = 1000;
// Values of one metric that are read at most: of longer curves every 2nd, 3rd ... epoch is read.
const MOST_VALUES = 2_000_000;
// Of more values every so many epochs are read first, that are about so many values: a first picture comes soon.
const FIRST_VALUES = 100_000;
// Metrics that one request may name.
const MOST_METRICS = 50;
// Ranks are read again after so many times as long as reading them took, and no sooner than after so many ms.
const REST = 50, LEAST_REST = 2000;

const namesOf = (metrics) => metrics.map((metric) => `metric=${encodeURIComponent(metric)}`).join("&");
const instant = (seconds) => (seconds === null ? null : new Date(seconds * 1000).toISOString());

// Trials as the API shows one each, from the columns that it sends of all.
export function fromColumns({ trials, columns, parameters, metrics, errors, violations, scores }) {
  const reader = (column) => (Array.isArray(column) ? (row) => column[row] : () => column.all);
  const plain = Object.entries(columns).map(([name, column]) => [name, reader(column)]);
  const members = (named, row) => {
    const found = {};
    for (const [name, read] of named) if (read(row) !== null) found[name] = read(row);
    return found;
  };
  const readers = (named) => Object.entries(named).map(([name, column]) => [name, reader(column)]);
  const given = readers(parameters), measured = readers(metrics);
  return Array.from({ length: trials }, (_, row) => {
    const trial = {};
    for (const [name, read] of plain) trial[name] = read(row);
    trial.started_at = instant(trial.started_at);
    trial.finished_at = instant(trial.finished_at);
    trial.parameters = members(given, row);
    trial.metrics = members(measured, row);
    trial.error = errors[trial.number] ?? null;
    trial.violations = violations[trial.number] ?? [];
    trial.score = scores[trial.number] ?? null;
    return trial;
  });
}

// Calls `act` in the next frame. A tab that nobody sees has no frames, but its title is read: there a timer calls it.
function inFrame(act) {
  const now = () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    act();
  };
  const frame = requestAnimationFrame(now), timer = setTimeout(now, PAUSE);
}

// Calls each listener once in a frame, however often a kind is told.
function teller() {
  const listeners = new Map(), due = new Map();
  let isDue = false;
  const tellAll = () => {
    isDue = false;
    const now = [...due];
    due.clear();
    for (const [kind, about] of now) listeners.get(kind)?.forEach((listener) => listener(about));
  };
  return {
    on(kind, listener) {
      if (!listeners.has(kind)) listeners.set(kind, new Set());
      listeners.get(kind).add(listener);
      return () => listeners.get(kind).delete(listener);
    },
    tell(kind, about) {
      due.set(kind, about);
      if (!isDue) inFrame(tellAll);
      isDue = true;
    },
  };
}

// Reads the job and returns its store; throws where it cannot be read.
export async function follow(id) {
  const store = new JobStore(id);
  try {
    await store.begin();
  } catch (error) {
    store.stop();
    throw error;
  }
  return store;
}

class JobStore {
  job = null;
  trials = new Map();
  #curves = new Map(); // by metric
  #loads = new Map(); // by metric: the promise that its curves are read
  #asked = null; // the metrics whose curves are read next, and the promise that they are
  #dirty = new Set(); // trials that have reported since their curves were read
  #restarted = new Set(); // trials that have begun anew, so that what was being read of them may be old
  #left = new AbortController();
  #rank = { finished: -1, restUntil: 0, timer: 0 };
  #teller = teller();

  constructor(id) {
    this.id = id;
    this.path = `/jobs/${encodeURIComponent(id)}`;
    this.timer = setInterval(() => this.#readNew().catch((error) => this.#fail(error)), PAUSE);
  }

  on(kind, listener) { return this.#teller.on(kind, listener); }

  async begin() {
    const [job, columns] = await Promise.all([this.#get(this.path), this.#readColumns()]);
    this.job = job;
    this.#rank.finished = job.progress.finished;
    for (const trial of fromColumns(columns)) this.trials.set(trial.number, trial);
    this.#listen(String(columns.last)).catch((error) => this.#fail(error));
  }

  stop() {
    this.#left.abort();
    clearInterval(this.timer);
    clearTimeout(this.#rank.timer);
  }

  // The curves of a metric as far as they are read; undefined until they are asked for.
  curves(metric) { return this.#curves.get(metric); }

  // Reads the curves of a metric, once, and keeps them up; the promise is kept when all are read. What is asked for
  // at the same time is read together: the service reads every metric of a report anyway.
  load(metric) {
    const known = this.#loads.get(metric);
    if (known) return known;
    this.#asked ??= { metrics: [], read: Promise.resolve().then(() => this.#readAsked()) };
    this.#asked.metrics.push(metric);
    this.#loads.set(metric, this.#asked.read);
    return this.#asked.read;
  }

  async #readAsked() {
    const { metrics } = this.#asked;
    this.#asked = null;
    while (metrics.length) {
      const some = metrics.splice(0, MOST_METRICS);
      await untilReached(() => this.#readCurves(some), this.#left.signal).catch((error) => {
        for (const metric of some) [this.#curves, this.#loads].forEach((each) => each.delete(metric));
        this.#fail(error);
      });
    }
  }

  async #readCurves(metrics) {
    const values = this.#values(), every = Math.max(1, Math.ceil(values / MOST_VALUES));
    const first = Math.ceil(values / FIRST_VALUES);
    if (first > 2 * every) await this.#readEvery(first, metrics, true);
    const found = await this.#readEvery(every, metrics, first <= 2 * every);
    for (const number of this.#restarted) found.forEach((each) => each.delete(number));
    metrics.forEach((metric, place) => this.#curves.set(metric, Object.assign(found[place], { isWhole: true })));
    for (const { number, epochs } of this.trials.values()) if (epochs - found[0].last(number) >= every) this.#dirty.add(number);
    this.#teller.tell("curves");
  }

  // Returns the curves of each metric at every so many epochs; with `isSeen` they are shown as they come.
  async #readEvery(every, metrics, isSeen) {
    const found = metrics.map(() => new Curves(every));
    if (isSeen) metrics.forEach((metric, place) => this.#curves.set(metric, found[place]));
    const answer = await this.#request(`${this.path}/points?${namesOf(metrics)}&every=${every}`);
    for await (const [trial, first, values] of records(answer, metrics.length)) {
      found.forEach((each, place) => each.set(trial, first, values[place]));
      if (isSeen) this.#teller.tell("curves");
    }
    return found;
  }

  // Values of one metric, about.
  #values() {
    const { trials, epochs } = this.job.spec;
    return Math.max(trials, this.trials.size) * epochs;
  }

  async #readNew() {
    const whole = [...this.#curves].filter(([, { isWhole }]) => isWhole);
    if (!whole.length || !this.#dirty.size || document.hidden) return;
    const known = this.#knownOf(whole.map(([, each]) => each));
    if (!known.length) return;
    try {
      const answer = await this.#request(`${this.path}/points?${namesOf(whole.map(([metric]) => metric))}&known=${known.join(",")}`);
      for await (const [trial, first, values] of records(answer, whole.length)) whole.forEach(([, each], place) => each.append(trial, first, values[place]));
    } catch (error) {
      known.forEach((one) => this.#dirty.add(parseInt(one, 10)));
      throw error;
    }
    this.#teller.tell("curves");
  }

  // Takes the next trials that have reported: "trial:epoch" with the last epoch that all curves have.
  #knownOf(curves) {
    const known = [];
    for (const number of [...this.#dirty].slice(0, MOST_KNOWN)) {
      this.#dirty.delete(number);
      const after = Math.min(...curves.map((each) => each.last(number)));
      if ((this.trials.get(number)?.epochs ?? 0) > after) known.push(`${number}:${after}`);
    }
    return known;
  }

  // After the change with the id `last`.
  async #listen(last) {
    const options = { last, isOver: () => Boolean(this.job.finished_at) };
    let seen = last;
    for await (const [kind, data, event] of followed(`${this.path}/events`, this.#left.signal, options)) {
      seen = event || seen;
      this.#take(kind, data);
    }
    this.#teller.tell("ended");
    if (!sharedJob()) await this.#listenOn(seen);
  }

  // A job that has ended may go on, or be deleted, by another tab or a command: the changes of all jobs tell of it, as
  // its own stream is at its end. A link to one job may not read them.
  async #listenOn(last) {
    for await (const [, { job_id: changed }] of followed("/events", this.#left.signal, { last })) {
      if (changed !== this.id) continue;
      const job = await this.read(this.path);
      if (job.finished_at !== this.job.finished_at) this.#teller.tell("woken");
    }
  }

  #take(kind, data) {
    if (kind === "trial") this.#takeTrial(data);
    if (kind !== "job") return;
    this.job = data;
    this.#teller.tell("job");
    this.#refreshRanks();
  }

  #takeTrial(trial) {
    const known = this.trials.get(trial.number);
    // An event has no rank: it is read with the columns.
    if (known) for (const name of ["rank", "score", "violations"]) trial[name] = known[name];
    if (known && known.attempts !== trial.attempts) {
      this.#restarted.add(trial.number);
      for (const each of this.#curves.values()) each.delete(trial.number);
    }
    this.trials.set(trial.number, trial);
    if (this.#curves.size && trial.epochs) this.#dirty.add(trial.number);
    this.#teller.tell("trials");
  }

  async #readColumns() {
    const began = performance.now();
    const answer = await this.#get(`${this.path}/columns`);
    const now = performance.now();
    this.#rank.restUntil = now + Math.max(LEAST_REST, REST * (now - began));
    return answer;
  }

  // Ranks follow from all trials: they are read again while trials finish, the seldomer the longer that takes.
  #refreshRanks() {
    const { finished, timer, restUntil } = this.#rank;
    if (this.job.progress.finished === finished || timer) return;
    const wait = this.job.finished_at ? 0 : Math.max(0, restUntil - performance.now());
    this.#rank.timer = setTimeout(() => this.#readRanks().catch((error) => this.#fail(error)), wait);
  }

  async #readRanks() {
    const { finished } = this.job.progress;
    try {
      // Of a job that has ended no event comes by which they would be read again.
      const found = fromColumns(await untilReached(() => this.#readColumns(), this.#left.signal));
      for (const { number, rank, score, violations } of found) Object.assign(this.trials.get(number) ?? {}, { rank, score, violations });
      this.#rank.finished = finished;
    } finally {
      this.#rank.timer = 0;
    }
    this.#teller.tell("trials");
    this.#refreshRanks();
  }

  // What the job's view asks for besides; a service that is away for a while is asked again.
  read(path) { return untilReached(() => this.#get(path), this.#left.signal); }

  #get(path) { return get(path, { signal: this.#left.signal }); }
  #request(path) { return request(path, { signal: this.#left.signal }); }

  // What was left needs no words, and a lost connection is shown by the frame.
  #fail(error) {
    if (!this.#left.signal.aborted && !isAway(error)) this.#teller.tell("failed", error);
  }
}
