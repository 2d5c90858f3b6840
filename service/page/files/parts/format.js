// Numbers, durations and times as text: the twin of results/formatting.py, which a browser test compares.

// Half-way values go to the even digit, as Python rounds them; toFixed and toExponential round them up.
function halfEven(value, method, digits) {
  const [exact, exponent = ""] = value[method](100).split("e");
  const cut = exact.length - 100 + digits - (digits === 0);
  const isHalf = /^\.?50*$/.test(exact.slice(cut));
  const kept = exact.slice(0, cut);
  if (isHalf && Number(kept.at(-1)) % 2 === 0) return exponent ? `${kept}e${exponent}` : kept;
  return value[method](digits);
}

const withoutZeros = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);

// Python's format "g": significant digits, at least one, no zeros at the end, an exponent of two digits or more.
function general(value, asked) {
  const digits = Math.max(1, asked);
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const [mantissa, power] = halfEven(value, "toExponential", digits - 1).split("e");
  const exponent = Number(power);
  if (exponent >= -4 && exponent < digits) return withoutZeros(halfEven(value, "toFixed", digits - 1 - exponent));
  const sign = exponent < 0 ? "-" : "+";
  return `${withoutZeros(mantissa)}e${sign}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

export function number(value, digits = 4) {
  if (typeof value !== "number" || !Number.isFinite(value)) return "n/a";
  const size = Math.abs(value);
  if (size >= 0.01 && size < 10) return halfEven(value, "toFixed", digits);
  const text = general(value, digits);
  return text.includes("e+") && size < 1e6 ? halfEven(value, "toFixed", 0) : text;
}

// JSON's numbers are all alike here: a whole one is written as such, however large.
export function parameterValue(value) {
  if (typeof value === "string") return value;
  if (typeof value === "number" && !Number.isInteger(value)) return general(value, 6);
  if (Array.isArray(value)) return `[${value.map((item) => JSON.stringify(item)).join(", ")}]`;
  return JSON.stringify(value);
}

const two = (value) => String(value).padStart(2, "0");

export function duration(seconds) {
  if (seconds < 9.95) return `${halfEven(seconds, "toFixed", 1)} s`;
  const whole = Math.round(seconds), minutes = Math.round(seconds / 60), hours = Math.round(seconds / 3600);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
  return `${Math.floor(hours / 24)} d ${two(hours % 24)} h`;
}

export const moment = (time) => (time ? `${new Date(time).toISOString().slice(0, 16).replace("T", " ")} UTC` : "");

export const meanText = (mean, deviation, n) =>
  (n < 2 ? number(mean) : `${number(mean)} ± ${number(deviation)} (n = ${n})`);

// Powers of 1000, as service/cli/text.py has them.
export function bytes(amount) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let place = 0, size = amount;
  for (; size >= 1000 && place < units.length - 1; place += 1) size /= 1000;
  return `${size.toFixed(place ? 1 : 0)} ${units[place]}`;
}

export const count = (amount, noun) => `${amount} ${noun}${amount === 1 ? "" : "s"}`;

// The best value so far with its metric.
export const bestInWords = (best) => (best ? `${best.metric} ${meanText(best.value, best.standard_deviation, best.n ?? 1)}` : "");

// At most so many characters of a text.
export const shortened = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
