// The best configuration to run again: as a file, as a command, as curl.
import { request } from "../api.js";
import { copyable, shell } from "../parts/commands.js";
import { make } from "../parts/elements.js";

export function configurationView(store) {
  const content = make("div");
  const details = make("details", { class: "commands", ontoggle: () => details.open && write() }, make("summary", {}, "The best configuration as YAML, curl and commands"), content);
  let written = "";
  const write = async () => {
    const wanted = JSON.stringify(store.job.best);
    if (wanted === written) return;
    written = wanted;
    try {
      const [yaml, curl] = await Promise.all(["yaml", "curl"].map(async (format) => (await request(`${store.path}/best?format=${format}`)).text()));
      content.replaceChildren(
        make("h4", {}, "As a search space"), copyable(yaml, "the best configuration as YAML"),
        make("h4", {}, "Commands"), copyable(`${shell(["argbest", "best", store.id, "--format", "yaml"])} > best.yaml\n${shell(["argbest", "submit", "best.yaml"])}`, "the commands that run it again"),
        make("h4", {}, "curl"), copyable(curl, "the best configuration as curl"));
    } catch (error) {
      written = "";
      content.replaceChildren(make("p", { role: "alert" }, error.message));
    }
  };
  const show = () => {
    details.hidden = !store.job.best;
    if (details.open) write();
  };
  return { element: details, show };
}
