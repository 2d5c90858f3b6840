// Of very many curves: at each epoch how many trials have a value, and between which values most of them lie.

const QUANTILES = [0.05, 0.25, 0.5, 0.75, 0.95];
// ms of a frame that counting may take: the page stays fluid meanwhile.
const SLICE = 8;

function quantilesOf(values) {
  values.sort();
  return QUANTILES.map((q) => {
    const place = q * (values.length - 1), below = Math.floor(place);
    const next = values[Math.min(below + 1, values.length - 1)];
    return values[below] + (place - below) * (next - values[below]);
  });
}

// The row of one epoch: { epoch, n, values: one for each quantile }; null where nobody has a value.
export function bandAt(curves, epoch) {
  const found = new Float32Array(curves.all.size);
  let n = 0;
  for (const { first, values } of curves.all.values()) {
    const place = (epoch - first) / curves.every;
    if (place >= 0 && place < values.length && Number.isInteger(place) && !Number.isNaN(values[place])) found[n++] = values[place];
  }
  return n ? { epoch, n, values: quantilesOf(found.subarray(0, n)) } : null;
}

// Counts over many frames; `done(rows)` is called when all epochs are counted. Returns what stops it.
export function countBands(curves, epochs, done) {
  const rows = [];
  let next = 0, frame = 0;
  const work = () => {
    const until = performance.now() + SLICE;
    while (next < epochs.length && performance.now() < until) {
      const row = bandAt(curves, epochs[next++]);
      if (row) rows.push(row);
    }
    if (next < epochs.length) frame = requestAnimationFrame(work);
    else done(rows);
  };
  frame = requestAnimationFrame(work);
  return () => cancelAnimationFrame(frame);
}

// At most `most` of the epochs from `low` to `high` that curves have: 1, 1 + every, ...
export function epochsBetween(low, high, every, most) {
  const first = Math.max(0, Math.ceil((low - 1) / every)), last = Math.max(first, Math.floor((high - 1) / every));
  const step = Math.max(1, Math.ceil((last - first + 1) / most));
  const found = [];
  for (let place = first; place <= last; place += step) found.push(1 + place * every);
  if (found.length && found.at(-1) !== 1 + last * every) found.push(1 + last * every);
  return found;
}
