// How long a running job still takes.
import { expectedEpochs } from "../parts/elements.js";

// Returns a function that is called with each reading of a job, and the time of that in ms: it returns the seconds left
// at the pace between the first reading that showed progress and the last one, null while they are the same. The time since
// the job's start would not do: meanwhile it may have been paused, or have ended and been extended.
export function timeLeft() {
  let known = null, first = null, last = null;
  return ({ state, progress }, at) => {
    const done = progress.epochs_done, total = expectedEpochs(progress);
    if (state !== "running") known = first = last = null;
    else if (done !== known) {
      // When the epochs of the very first reading were done, nobody knows.
      if (known !== null) last = { done, at };
      first ??= last;
      known = done;
    }
    if (last === first || last.done <= first.done || done >= total) return null;
    return ((last.at - first.at) / 1000) * ((total - done) / (last.done - first.done));
  };
}
