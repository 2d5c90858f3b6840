// The axes of the parallel coordinates: a parameter or a metric each, and where each trial lies on it (0: low, 1: high).
import { parameterValue } from "../parts/format.js";
import { scale, tickText } from "../parts/scale.js";

// Where a trial lies that lacks the parameter.
export const NOT_SET = -0.07;
const MOST_CATEGORIES = 30;

const isPlain = (value) => typeof value === "number";

function range(values) {
  let low = Infinity, high = -Infinity;
  for (const value of values) if (isPlain(value)) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return [low, high];
}

// An axis of numbers: `place(value)` is from 0 to 1.
function numeric(name, title, [low, high], isLog) {
  const [from, to] = high > low ? [low, high] : [low - 0.5, high + 0.5];
  const on = scale(from, to, 0, 1, isLog && from > 0);
  return {
    name, title, isNumber: true, low: from, high: to,
    place: (value) => (isPlain(value) ? on.place(value) : NaN),
    value: on.value,
    ticks: () => on.ticks(5).map((value) => [on.place(value), tickText(value)]),
  };
}

function categorical(name, title, values) {
  const keys = new Map(values.map((value, index) => [JSON.stringify(value), index]));
  const place = (index) => (values.length > 1 ? index / (values.length - 1) : 0.5);
  return {
    name, title, isNumber: false, values,
    place: (value) => (keys.has(JSON.stringify(value)) ? place(keys.get(JSON.stringify(value))) : NaN),
    value: (at) => values[Math.round(at * (values.length - 1))],
    ticks: () => values.map((value, index) => [place(index), parameterValue(value)]),
  };
}

function parameterAxis(name, declared, trials) {
  const found = new Map();
  for (const { parameters } of trials) if (name in parameters && found.size <= MOST_CATEGORIES) found.set(JSON.stringify(parameters[name]), parameters[name]);
  const values = [...found.values()];
  const isNumeric = values.every(isPlain), listed = declared?.values;
  if (listed || !isNumeric) return categorical(name, name, (listed ?? values).toSorted((a, b) => (isPlain(a) && isPlain(b) ? a - b : 0)));
  const given = [declared?.low, declared?.high].every(isPlain) ? [declared.low, declared.high] : range(trials.map(({ parameters }) => parameters[name]));
  return numeric(name, name, given, declared?.log);
}

// The parameters that differ between trials.
export function varied(trials) {
  const first = new Map(), found = new Set();
  for (const { parameters } of trials) for (const name in parameters) {
    const text = isPlain(parameters[name]) ? parameters[name] : JSON.stringify(parameters[name]);
    if (!first.has(name)) first.set(name, text);
    else if (first.get(name) !== text) found.add(name);
  }
  return [...first.keys()].filter((name) => found.has(name));
}

// Each axis has `at`: a Float32Array with the place of each trial.
export function axesOf(job, trials, metrics, reading) {
  const placed = (axis, read) => ({ ...axis, at: Float32Array.from(trials, (trial) => axis.place(read(trial))) });
  const parameters = varied(trials).map((name) => {
    const axis = parameterAxis(name, job.spec.parameters[name], trials);
    return placed(axis, ({ parameters: own }) => own[name]);
  });
  for (const axis of parameters) trials.forEach((trial, row) => { if (!(axis.name in trial.parameters)) axis.at[row] = NOT_SET; });
  const values = metrics.map((metric) => {
    const read = (trial) => reading.of(trial, metric);
    const found = range(trials.map(read));
    return found[1] >= found[0] ? placed({ ...numeric(metric, reading.title(metric), found, false), isMetric: true }, read) : null;
  });
  return [...parameters, ...values.filter(Boolean)];
}
