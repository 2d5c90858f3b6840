// What is read again and again, one reading at a time.

// `read` returns in how many ms it is to be called again. `within(ms)` has it called sooner: a wish never puts off an
// earlier one, and one that comes while it reads is met by the next reading.
export function repeated(read) {
  let timer = 0, due = Infinity, isReading = false, isStopped = false;
  const within = (ms) => {
    due = Math.min(due, performance.now() + ms);
    clearTimeout(timer);
    if (!isReading && !isStopped) timer = setTimeout(run, due - performance.now());
  };
  const run = async () => {
    due = Infinity;
    isReading = true;
    const rest = await read();
    isReading = false;
    within(rest);
  };
  const stop = () => {
    isStopped = true;
    clearTimeout(timer);
  };
  return { within, stop };
}
