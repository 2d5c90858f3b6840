// A search space as a text: pasted, dropped or chosen. The server reads it, YAML and JSON alike.
import { postRaw } from "../api.js";
import { make } from "../parts/elements.js";

const WAIT_MS = 500;

// `take(value, lines)` is called with what the text holds and the line of each member, by pointer; `refuse(error)` with
// why it cannot be read.
export function specFile({ take, refuse }) {
  const area = make("textarea", { id: "spec", rows: 18, spellcheck: "false", "aria-describedby": "spec-about", placeholder: "name: my_search\ntrainable: numpy_mlp\n…" });
  const file = make("input", { type: "file", "aria-label": "A file to open", accept: ".yaml,.yml,.json" });
  let timer = 0, asked = 0;
  const read = async () => {
    asked += 1;
    const mine = asked;
    if (!area.value.trim()) return;
    try {
      const found = await (await postRaw("/yaml", area.value, "application/yaml")).json();
      if (mine === asked) take(found.search_space, found.lines);
    } catch (error) {
      if (mine === asked) refuse(error);
    }
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(() => area.isConnected && read(), WAIT_MS);
  };
  const open = async (blob) => {
    area.value = await blob.text();
    read();
  };
  area.addEventListener("input", soon);
  file.addEventListener("change", () => file.files.length && open(file.files[0]));
  area.addEventListener("dragover", (event) => event.preventDefault());
  area.addEventListener("drop", (event) => {
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    open(event.dataTransfer.files[0]);
  });
  const element = make("div", { class: "field" }, make("label", { for: "spec" }, "Search space, YAML or JSON"), area,
    make("p", { id: "spec-about", class: "about" }, "Paste it, drop a file on it, or open one: ", file));
  return { element };
}
