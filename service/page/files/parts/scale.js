// From values to places on a canvas and back, with round numbers for the ticks of an axis.

const STEPS = [1, 2, 2.5, 5, 10];

// About `amount` round numbers from `low` to `high`.
export function ticks(low, high, amount = 5) {
  if (!(high > low)) return [low];
  const rough = (high - low) / amount, size = 10 ** Math.floor(Math.log10(rough));
  const step = size * STEPS.find((each) => each * size >= rough);
  const first = Math.ceil(low / step), last = Math.floor(high / step);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, place) => (first + place) * step);
}

// Powers of ten, with 2 and 5 between them where these are few; round numbers within one power.
export function logTicks(low, high, amount = 5) {
  const first = Math.floor(Math.log10(low)), last = Math.ceil(Math.log10(high));
  const powers = Array.from({ length: last - first + 1 }, (_, place) => 10 ** (first + place));
  const within = (values) => values.filter((value) => value >= low * 0.999999 && value <= high * 1.000001);
  const tens = within(powers);
  if (tens.length > amount) return tens.filter((_, place) => place % Math.ceil(tens.length / amount) === 0);
  if (tens.length >= 3) return tens;
  const more = within(powers.flatMap((power) => [power, 2 * power, 5 * power]));
  return more.length >= 2 ? more : ticks(low, high, amount);
}

// `from` and `to` are places in px: low values lie at `from`.
export function scale(low, high, from, to, isLog = false) {
  const forward = isLog ? Math.log : (value) => value, backward = isLog ? Math.exp : (value) => value;
  const a = forward(low), b = forward(high), span = b - a || 1;
  return {
    low, high, isLog,
    place: (value) => from + ((forward(value) - a) / span) * (to - from),
    value: (place) => backward(a + ((place - from) / (to - from)) * span),
    ticks: (amount) => (isLog ? logTicks(low, high, amount) : ticks(low, high, amount)),
  };
}

// A short text for a tick: 0.0001, 12.5, 1e-7, 20k.
export function tickText(value) {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(1).replace(".0e", "e").replace("e+", "e");
  return String(Number(value.toPrecision(4)));
}
