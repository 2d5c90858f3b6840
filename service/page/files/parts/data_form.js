// The form that sends a data set.
import { postRaw } from "../api.js";
import { commands } from "./commands.js";
import { make } from "./elements.js";

const field = (label, attributes = {}) => {
  const input = make("input", { autocomplete: "off", ...attributes });
  return { input, element: make("label", {}, `${label} `, input) };
};

// `ask` tells what goes wrong, as asking() does; `added(made)` is called with what the server says of the new data set.
export function dataForm(ask, added) {
  const file = field("File (CSV, TSV, Parquet, NPZ)", { type: "file", required: "", accept: ".csv,.tsv,.parquet,.npz,.gz" });
  const name = field("Name", { required: "", maxlength: 200 }), target = field("Column to predict");
  const task = make("select", {}, ...[["", "found in the data"], ["regression", "regression"], ["classification", "classification"]].map(([value, text]) => make("option", { value }, text)));
  const split = field("Shares of training, validation, test", { placeholder: "0.6,0.2,0.2" }), types = field("Corrected types", { placeholder: "zip code=category,id=ignore" });
  file.input.addEventListener("change", () => { name.input.value ||= (file.input.files[0]?.name ?? "").replace(/\.[^.]*$/, ""); });
  const options = () => Object.entries({ target: target.input.value, task: task.value, split: split.input.value, types: types.input.value }).filter(([, value]) => value);
  const path = () => `/datasets?${new URLSearchParams([["name", name.input.value], ...options()].filter(([, value]) => value))}`;
  const fileName = () => file.input.files[0]?.name ?? "FILE";
  const button = make("button", { class: "main" }, "Add");
  const submit = (event) => {
    event.preventDefault();
    button.disabled = true;
    ask(async () => added(await (await postRaw(path(), file.input.files[0], "application/octet-stream")).json())).finally(() => { button.disabled = false; });
  };
  return make("details", { class: "more" }, make("summary", {}, "Add a data set"),
    make("form", { class: "fields", onsubmit: submit }, file.element, name.element, target.element, make("label", {}, "Task ", task), split.element, types.element, button),
    commands(() => [{ label: "Add", command: ["argbest", "data", "add", fileName(), "--name", name.input.value || "NAME", ...options().flatMap(([key, value]) => [`--${key}`, value])],
      request: { method: "POST", path: path(), type: "application/octet-stream", file: fileName() } }]));
}
