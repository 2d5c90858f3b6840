// Work that follows many events and need not be done for each of them.

// `soon()` calls `act` once, no sooner than `pause()` ms after the last time; `now()` calls it at once.
export function paced(act, pause) {
  let timer = 0, last = -Infinity;
  const now = () => {
    clearTimeout(timer);
    timer = 0;
    last = performance.now();
    act();
  };
  const soon = () => { timer ||= setTimeout(now, Math.max(0, last + pause() - performance.now())); };
  return { now, soon, stop: () => clearTimeout(timer) };
}
