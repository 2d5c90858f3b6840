// Makes links that let somebody without a token read this job.
import { hasToken, post } from "../api.js";
import { sharedJob } from "../shared.js";
import { commands, copyable } from "../parts/commands.js";
import { make } from "../parts/elements.js";
import { moment } from "../parts/format.js";
import { asking } from "../parts/asking.js";

// "" where no token is asked for: there the address itself is the link.
export function sharing(job, main) {
  if (!hasToken() || sharedJob()) return "";
  const days = make("input", { type: "number", min: 1, max: 90, value: 7, required: "" });
  const link = make("div", { "aria-live": "polite" }), { problem, ask } = asking(main);
  const submit = (event) => {
    event.preventDefault();
    ask(async () => {
      const { path, name, expires_at: end } = await (await post(`/jobs/${job.id}/share`, { days: Number(days.value) })).json();
      link.replaceChildren(copyable(location.origin + path, "the link"),
        make("p", { class: "muted" }, `It reads this job and nothing else until ${moment(end)}. argbest token revoke ${name} ends it before.`));
    });
  };
  return make("details", { class: "share" }, make("summary", {}, "Share"),
    make("form", { class: "controls", onsubmit: submit }, make("label", {}, "Days until the link expires ", days), make("button", {}, "Make a link")), problem, link,
    commands(() => [{ command: ["argbest", "share", job.id, "--days", days.value], request: { method: "POST", path: `/jobs/${job.id}/share`, body: { days: Number(days.value) } } }]));
}
