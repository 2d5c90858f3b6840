// Events that go on, and requests that are sent again, when nobody answers for a while.
import { events } from "../api.js";

const AGAIN = 2000; // ms

const pause = () => new Promise((resolve) => { setTimeout(resolve, AGAIN); });

// Nobody answered, and the view is still there: the service may be starting again.
const isAway = (error, signal) => error instanceof TypeError && !signal.aborted;

// Does `act` again while nobody answers.
export async function untilReached(act, signal) {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (!isAway(error, signal)) throw error;
    }
    await pause();
  }
}

// Yields the events after the one with the id `last`, as events() does. A stream that breaks off is opened again and
// goes on after the last event; one that ends is opened again unless `isOver()`.
export async function* followed(path, signal, { last = "", isOver = () => false } = {}) {
  for (;;) {
    try {
      for await (const event of events(path, signal, last)) {
        last = event[2] || last;
        yield event;
      }
      if (isOver()) return;
    } catch (error) {
      if (!isAway(error, signal)) throw error;
    }
    await pause();
  }
}
