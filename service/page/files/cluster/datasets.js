// The data sets: argbest's own and users', with their cards; they are added and removed here.
import { get, remove } from "../api.js";
import { commands } from "../parts/commands.js";
import { dataForm } from "../parts/data_form.js";
import { make, right, table } from "../parts/elements.js";
import { announce } from "../parts/faces.js";
import { bytes, count, moment, number } from "../parts/format.js";
import { asking } from "../parts/asking.js";

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
  const added = ({ name }) => {
    announce(`${name} is added.`);
    open = "";
    return showCard(name);
  };
  const element = make("section", { "aria-labelledby": "datasets-title" }, make("h3", { id: "datasets-title" }, "Data sets"), problem, list, place, dataForm(ask, added),
    commands([{ label: "Data sets", command: ["argbest", "data", "ls"], request: { path: "/datasets" } },
      { label: "Remove", command: ["argbest", "data", "remove", "NAME"], request: { method: "DELETE", path: "/datasets/NAME" } }]));
  return { element, read: () => ask(draw) };
}
