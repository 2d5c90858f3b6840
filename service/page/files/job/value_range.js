// The range of a metric's axis. One trial that nearly diverges would flatten all others, so that where a few lines reach
// very much farther in the bad direction than the middle one does, the axis leaves out what lies there.

// How many times as far as the middle line a line may reach.
const FAR = 10;

const worstFirst = (mode) => (mode === "min" ? (a, b) => b - a : (a, b) => a - b);

// `lines` has { low, high } of each line that is drawn. Returns { low, high, outside }: how many lines reach farther.
export function wholeRange(lines) {
  return {
    low: lines.reduce((least, { low }) => Math.min(least, low), Infinity),
    high: lines.reduce((most, { high }) => Math.max(most, high), -Infinity),
    outside: 0,
  };
}

// The good direction is always whole.
export function usualRange(lines, mode) {
  const whole = wholeRange(lines), isMin = mode === "min";
  const worst = lines.map(({ low, high }) => (isMin ? high : low)).sort(worstFirst(mode));
  const best = isMin ? whole.low : whole.high;
  const reach = Math.abs(worst[Math.floor(worst.length / 2)] - best);
  const kept = worst.filter((value) => Math.abs(value - best) <= FAR * reach);
  if (!kept.length || reach === 0) return whole;
  return { ...whole, [isMin ? "high" : "low"]: kept[0], outside: worst.length - kept.length };
}

// The lowest and the highest of the values from one place to another, null where there is none.
export function extent(values, from, to, isAllowed) {
  let low = Infinity, high = -Infinity;
  for (let place = Math.max(0, from); place <= Math.min(values.length - 1, to); place += 1) {
    const value = values[place];
    if (value < low && isAllowed(value)) low = value;
    if (value > high && isAllowed(value)) high = value;
  }
  return high >= low ? { low, high } : null;
}
