// The data sets: argbest's own and users', with their cards; they are added and removed here.
import { get, postRaw, remove } from "../api.js";
import { commands } from "../parts/commands.js";
import { make, right, table } from "../parts/elements.js";
import { announce } from "../parts/faces.js";
import { bytes, count, moment, number } from "../parts/format.js";
import { asking } from "../parts/asking.js";

const field = (label, attributes = {}) => {
  const input = make("input", { autocomplete: "off", ...attributes });
  return { input, element: make("label", {}, `${label} `, input) };
};

function targetInWords({ name, classes, summary }) {
  if (!classes) return `${name}, ${number(summary.min)} to ${number(summary.max)}, median ${number(summary.median)}`;
  return `${name}: ${count(classes.length, "class").replace("classs", "classes")}`;
}

function cardOf({ title, splits, source, license, card, digest, created_at: made }) {
  const rows = Object.entries(splits).filter(([, amount]) => amount).map(([name, amount]) => `${amount} ${name}`).join(", ");
  const facts = [title, `Rows: ${rows}`, ...(card ? [`Target: ${targetInWords(card.target)}`, `Features: ${card.features}`, `Added ${moment(made)}`, digest] : [`Source: ${source}`, `License: ${license}`])];
  const cautions = card?.cautions ?? [];
  const columns = card?.columns?.length ? table(["Column", "Found", "Used as", "Missing", "Values", "Features", "Note"], card.columns.map((c) => ({ cells: [
    c.name, c.found, c.used_as, right(`${(100 * c.missing).toFixed(1)} %`), right(c.distinct), right(c.features), c.note,
  ] }))) : "";
  return make("div", { class: "card" }, ...facts.filter(Boolean).map((fact) => make("p", {}, fact)),
    cautions.length ? make("ul", { class: "cautions" }, ...cautions.map(({ detail, hint }) => make("li", {}, `${detail}; ${hint}`))) : "", columns);
}

function addForm(ask, added) {
  const file = field("File (CSV, TSV, Parquet, NPZ)", { type: "file", required: "", accept: ".csv,.tsv,.parquet,.npz" });
  const name = field("Name", { required: "", maxlength: 200 }), target = field("Column to predict");
  const task = make("select", {}, ...[["", "found in the data"], ["regression", "regression"], ["classification", "classification"]].map(([value, text]) => make("option", { value }, text)));
  const split = field("Shares of training, validation, test", { placeholder: "0.6,0.2,0.2" }), types = field("Corrected types", { placeholder: "zip code=category,id=ignore" });
  file.input.addEventListener("change", () => { name.input.value ||= (file.input.files[0]?.name ?? "").replace(/\.[^.]*$/, ""); });
  const query = () => {
    const given = { name: name.input.value, target: target.input.value, task: task.value, split: split.input.value, types: types.input.value };
    return new URLSearchParams(Object.entries(given).filter(([, value]) => value));
  };
  const options = () => [["target", target.input.value], ["task", task.value], ["split", split.input.value], ["types", types.input.value]].flatMap(([key, value]) => (value ? [`--${key}`, value] : []));
  const fileName = () => file.input.files[0]?.name ?? "FILE";
  const button = make("button", { class: "main" }, "Add");
  const submit = (event) => {
    event.preventDefault();
    button.disabled = true;
    ask(async () => {
      await postRaw(`/datasets?${query()}`, file.input.files[0], "application/octet-stream");
      announce(`${name.input.value} is added.`);
      added(name.input.value);
    }).finally(() => { button.disabled = false; });
  };
  return make("details", {}, make("summary", {}, "Add a data set"),
    make("form", { class: "fields", onsubmit: submit }, file.element, name.element, target.element, make("label", {}, "Task ", task), split.element, types.element, button),
    commands(() => [{ label: "Add", command: ["argbest", "data", "add", fileName(), "--name", name.input.value || "NAME", ...options()],
      request: { method: "POST", path: `/datasets?${query()}`, type: "application/octet-stream", file: fileName() } }]));
}

export function datasets(main) {
  const list = make("div"), { problem, ask } = asking(main);
  let open = "";
  const removal = (name) => make("button", { "aria-label": `Remove ${name}`, onclick: () => {
    if (!confirm(`Remove the data set ${name}? Jobs that were submitted with it keep their data.`)) return;
    ask(async () => {
      await remove(`/datasets/${encodeURIComponent(name)}`);
      announce(`${name} is removed.`);
      await draw();
    });
  } }, "Remove");
  const place = make("div", { "aria-live": "polite" });
  const showCard = (name) => ask(async () => {
    open = open === name ? "" : name;
    place.replaceChildren(open ? cardOf(await get(`/datasets/${encodeURIComponent(name)}`)) : "");
    await draw();
  });
  const draw = async () => {
    const { items } = await get("/datasets");
    const rows = items.map(({ name, kind, own, available, where, rows: amount, size }) => ({ cells: [
      make("button", { class: "name", "aria-expanded": String(open === name), onclick: () => showCard(name) }, name), kind.replaceAll("_", " "), right(amount), right(bytes(size)),
      available ? "here" : `fetched from ${where || "the web"} when a job needs it`, own ? removal(name) : "",
    ] }));
    list.replaceChildren(table(["Name", "Kind", "Rows", "Size", "Where", ""], rows));
  };
  const added = (name) => {
    open = "";
    return showCard(name);
  };
  const element = make("section", { "aria-labelledby": "datasets-title" }, make("h3", { id: "datasets-title" }, "Data sets"), problem, list, place, addForm(ask, added),
    commands([{ label: "Data sets", command: ["argbest", "data", "list"], request: { path: "/datasets" } }]));
  return { element, read: () => ask(draw) };
}
