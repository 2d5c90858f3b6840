// Events that go on, and requests that are sent again, when nobody answers for a while.
import { events, isAway } from "../api.js";

const AGAIN = 2000; // ms
// A tab that nobody sees follows for GLANCE ms every UNSEEN ms.
const GLANCE = 3000, UNSEEN = 30_000;

const pause = () => new Promise((resolve) => { setTimeout(resolve, AGAIN); });

// Does `act` again while nobody answers.
export async function untilReached(act, signal) {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (signal.aborted || !isAway(error)) throw error;
    }
    await pause();
  }
}

// Aborted by `signal`, or when nobody has seen the tab for a while.
class Open {
  #unseen = new AbortController();
  #timer = 0;
  #look = () => {
    clearTimeout(this.#timer);
    if (document.hidden) this.#timer = setTimeout(() => this.#unseen.abort(), GLANCE);
  };

  constructor(signal) {
    this.signal = AbortSignal.any([signal, this.#unseen.signal]);
    document.addEventListener("visibilitychange", this.#look);
    this.#look();
  }

  get isUnseen() { return this.#unseen.signal.aborted; }

  end() {
    clearTimeout(this.#timer);
    document.removeEventListener("visibilitychange", this.#look);
  }
}

// Kept when the tab is seen again, at the latest after UNSEEN ms.
const untilSeen = () => new Promise((resolve) => {
  const end = () => {
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", end);
    resolve();
  };
  const timer = setTimeout(end, UNSEEN);
  document.addEventListener("visibilitychange", end);
  if (!document.hidden) end();
});

// Yields the events after the one with the id `last`, as events() does. A stream that breaks off is opened again and
// goes on after the last event; one that ends is opened again unless `isOver()`. A tab that nobody sees has a stream for
// a moment now and then: a browser has six connections to a host for all its tabs, and the seventh would wait for ever.
export async function* followed(path, signal, { last = "", isOver = () => false } = {}) {
  for (;;) {
    const open = new Open(signal);
    try {
      for await (const event of events(path, open.signal, last)) {
        last = event[2] || last;
        yield event;
      }
      if (isOver()) return;
    } catch (error) {
      if (signal.aborted || !(open.isUnseen || isAway(error))) throw error;
    } finally {
      open.end();
    }
    await (open.isUnseen ? untilSeen() : pause());
  }
}
