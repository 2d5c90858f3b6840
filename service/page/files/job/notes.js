// What people say of a job: its tags and its note, and a new job like it.
import { patch } from "../api.js";
import { sharedJob } from "../shared.js";
import { asking } from "../parts/asking.js";
import { commands } from "../parts/commands.js";
import { make } from "../parts/elements.js";

const tagText = ([name, value]) => (value ? `${name}=${value}` : name);

export function notesView(store, main) {
  const { id } = store.job, isOurs = !sharedJob();
  const { problem, ask } = asking(main);
  const tags = make("span", { class: "tags" }), note = make("p", { class: "note-text" });
  const change = (body) => ask(async () => {
    const job = await (await patch(`/jobs/${id}`, body)).json();
    draw(job);
  });
  const added = make("input", { "aria-label": "A tag to add", placeholder: "name=value", required: "", autocomplete: "off" });
  const addTag = (event) => {
    event.preventDefault();
    const [name, ...rest] = added.value.split("=");
    change({ tags: { [name.trim()]: rest.join("=").trim() } });
    added.value = "";
  };
  const text = make("textarea", { rows: 4, "aria-label": "Note" });
  const save = (event) => {
    event.preventDefault();
    change({ notes: text.value });
    editor.open = false;
  };
  const editor = make("details", { class: "commands" }, make("summary", {}, "Write a note"),
    make("form", { class: "field", onsubmit: save }, text, make("button", {}, "Save the note")));
  let drawn = "";
  const draw = (job) => {
    const wanted = JSON.stringify([job.tags, job.notes]);
    if (wanted === drawn) return;
    drawn = wanted;
    tags.replaceChildren(...Object.entries(job.tags).map((pair) => make("span", { class: "chip" }, make("bdi", {}, tagText(pair)),
      isOurs ? make("button", { class: "plain", "aria-label": `Take the tag ${pair[0]} away`, onclick: () => change({ tags: { [pair[0]]: null } }) }, "×") : "")));
    note.replaceChildren(job.notes);
    note.hidden = !job.notes;
    // What is being written is not taken away.
    if (!editor.open) text.value = job.notes;
  };
  const told = () => [
    { label: "Tag", command: ["argbest", "tag", id, added.value || "name=value"], request: { method: "PATCH", path: `/jobs/${id}`, body: { tags: { name: "value" } } } },
    { label: "Note", command: ["argbest", "note", id, text.value || "text"], request: { method: "PATCH", path: `/jobs/${id}`, body: { notes: text.value || "text" } } },
    { label: "A job like this", command: ["argbest", "request", id], request: { path: `/jobs/${id}/request` } },
  ];
  const element = make("section", { "aria-label": "Tags and notes" },
    make("div", { class: "controls" }, isOurs ? make("a", { class: "button", href: `#/new?from=${id}` }, "New job like this") : "", tags,
      isOurs ? make("form", { class: "controls", onsubmit: addTag }, added, make("button", {}, "Add the tag")) : ""),
    note, problem, ...(isOurs ? [editor, commands(told)] : []));
  draw(store.job);
  return { element, show: () => draw(store.job) };
}
