// The list of jobs.
import { get } from "../api.js";
import { showDashboard } from "../page.js";
import { bar, make, right, stateMark, table, waits } from "../parts/elements.js";
import { empty, fail } from "../parts/faces.js";
import { bestInWords, moment } from "../parts/format.js";

const EVERY_MS = 2000;

const rowOf = (job) => ({ cells: [
  make("a", { href: `#/job/${job.id}` }, job.name), make("span", {}, stateMark(job.state), waits(job)), right(job.slots ?? ""),
  right(job.priority), bar(job), bestInWords(job.best), moment(job.created_at),
] });

export async function show(main) {
  const draw = async () => {
    const { items } = await get("/jobs?limit=100");
    showDashboard(items[0]?.dashboard_url);
    main.replaceChildren(make("h2", {}, "Jobs"), items.length
      ? table(["Name", "State", "Slots", "Priority", "Progress", "Best", "Created"], items.map(rowOf))
      : empty("No jobs yet. POST one to /api/v1/jobs, or run: argbest submit q2_linear_regression"));
  };
  await draw();
  const timer = setInterval(() => draw().catch((error) => {
    // The frame says that the connection is lost, and the next look may find it back.
    if (!(error instanceof TypeError)) fail(main, error);
  }), EVERY_MS);
  return () => clearInterval(timer);
}
