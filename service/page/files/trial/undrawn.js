// A trial that does not exist yet: a search that learns from its trials draws them one after another.
import { again, setTitle } from "../page.js";
import { make } from "../parts/elements.js";
import { empty, fail } from "../parts/faces.js";
import { followed } from "../parts/followed.js";

// Shows the trial once it is drawn. `missing` is the server's answer, which is shown where it never will be.
export function undrawn(main, job, number, missing) {
  if (job.finished_at || !(number < job.progress.trials)) throw missing;
  const path = `/jobs/${encodeURIComponent(job.id)}`, left = new AbortController();
  setTitle(`Trial ${number} of ${job.name}`);
  main.replaceChildren(make("nav", { "aria-label": "Trials", class: "controls" }, make("a", { href: `#/job/${encodeURIComponent(job.id)}` }, job.name)),
    make("h2", {}, `Trial ${number}`), empty("It is not drawn yet: the search chooses its parameters when earlier trials have ended."));
  const wait = async () => {
    let isOver = false;
    for await (const [kind, data] of followed(`${path}/events`, left.signal, { isOver: () => isOver })) {
      if (kind === "job") isOver = Boolean(data.finished_at);
      if (kind === "trial" && data.number === number) return again();
    }
    throw missing;
  };
  wait().catch((error) => { if (!left.signal.aborted) fail(main, error); });
  return () => left.abort();
}
