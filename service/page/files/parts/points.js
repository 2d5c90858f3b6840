// Curves as `GET /jobs/{id}/points` sends them: words of four bytes, and how they are kept.
// A curve is { first, values }: its first epoch, and a value for each of the following ones (NaN: none).
import { reached } from "../api.js";

// Yields [trial, first epoch, the values of each metric] while the answer comes.
export async function* records(answer, metrics) {
  const reader = answer.body.getReader();
  let rest = new Uint8Array(0);
  for (;;) {
    const { value, done } = await reached(reader.read());
    if (done) return;
    const bytes = new Uint8Array(rest.length + value.length);
    bytes.set(rest);
    bytes.set(value, rest.length);
    const words = bytes.length >> 2;
    const whole = new Uint32Array(bytes.buffer, 0, words), floats = new Float32Array(bytes.buffer, 0, words);
    let at = 0;
    while (at + 3 <= words && at + 3 + whole[at + 2] * metrics <= words) {
      const [trial, first, n] = whole.subarray(at, at + 3);
      const start = at + 3;
      yield [trial, first, Array.from({ length: metrics }, (_, m) => floats.subarray(start + m * n, start + (m + 1) * n))];
      at = start + metrics * n;
    }
    rest = bytes.subarray(at * 4);
  }
}

// The curves of one metric, whose epochs are `every` apart.
export class Curves {
  constructor(every) {
    this.every = every;
    this.all = new Map();
  }
  last(trial) {
    const curve = this.all.get(trial);
    return curve ? curve.first + (curve.values.length - 1) * this.every : 0;
  }
  set(trial, first, values) { if (values.length) this.all.set(trial, { first, values }); }
  delete(trial) { this.all.delete(trial); }
  // Adds values of successive epochs, as they come one by one.
  append(trial, first, values) {
    const { every } = this, added = [];
    const next = this.all.has(trial) ? this.last(trial) + every : first;
    for (let epoch = next; epoch < first + values.length; epoch += every) added.push(epoch < first ? NaN : values[epoch - first]);
    if (!this.all.has(trial)) return this.set(trial, first, Float32Array.from(added));
    if (!added.length) return undefined;
    const curve = this.all.get(trial), length = curve.values.length + added.length;
    // Room for as many again, so that a curve that grows is seldom copied.
    let room = curve.room;
    if (!room || room.length < length) {
      room = new Float32Array(2 * length);
      room.set(curve.values);
    }
    room.set(added, curve.values.length);
    return this.all.set(trial, { first: curve.first, values: room.subarray(0, length), room });
  }
  at(trial, epoch) {
    const curve = this.all.get(trial);
    const place = curve ? Math.floor((epoch - curve.first) / this.every) : -1;
    return place >= 0 && place < curve.values.length ? curve.values[place] : NaN;
  }
  // The best value and its epoch; undefined where there is none.
  best(trial, mode) {
    const curve = this.all.get(trial);
    let best;
    curve?.values.forEach((value, place) => {
      if (Number.isNaN(value) || (best && (mode === "max" ? value <= best.value : value >= best.value))) return;
      best = { value, epoch: curve.first + place * this.every };
    });
    return best;
  }
}
