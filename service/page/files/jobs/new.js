// A new job: from a declared space, from a file, or like a job that there is. The plan is shown before the button.
import { get, isAway, post, postOnce, reached, saveBlob, TokenNeeded } from "../api.js";
import { go, setQuery, setTitle } from "../page.js";
import { commands, copyable } from "../parts/commands.js";
import { make } from "../parts/elements.js";
import { fail, loading } from "../parts/faces.js";
import { Problems } from "./fields.js";
import { planOf } from "./plan.js";
import { optionsOf, specForm } from "./spec_form.js";
import { specFile } from "./spec_file.js";
import { codeUpload, dataUpload } from "./uploads.js";

const PLAN_MS = 400, AGAIN_MS = 2000;

// What the forms of all spaces need.
async function catalog() {
  const [spaces, trainables, datasets, described] = await Promise.all(["/search_spaces", "/trainables", "/datasets"].map((path) => get(path)).concat(
    reached(fetch("/openapi.json").then((answer) => answer.json()))));
  return { spaces: spaces.items, broken: spaces.broken, trainables: trainables.items, datasets: datasets.items, schemas: described.components.schemas };
}

export async function show(main, address) {
  setTitle("New job");
  const known = await catalog();
  const from = address.query.get("from");
  const cloned = from ? await get(`/jobs/${encodeURIComponent(from)}/request`) : null;
  const form = new Form(main, known);
  const names = known.spaces.map(({ name }) => name);
  const choice = make("select", { id: "space", onchange: () => choose(choice.value) },
    make("option", { value: "" }, "Choose …"), ...known.spaces.map(({ name, title }) => make("option", { value: name }, title === name ? name : `${name}: ${title}`)));
  const file = specFile({ take: (value, lines) => form.open({ search_space: value }, lines), refuse: (error) => form.refuse(error) });
  const written = make("details", { class: "more" }, make("summary", {}, "From a file: paste, drop or open YAML or JSON"), file.element);
  const choose = (name) => {
    setQuery({ space: name, from: null });
    if (name) form.open({ search_space: name });
  };
  main.replaceChildren(
    make("h2", {}, "New job"), from ? make("p", { class: "muted" }, "As job ", make("a", { href: `#/job/${encodeURIComponent(from)}` }, cloned.name ?? from), ", to be changed before it is sent.") : "",
    make("div", { class: "field" }, make("label", { for: "space" }, "Search space"), choice), written,
    dataUpload(main, (name) => form.addDataset(name)), codeUpload(main, (digest) => form.useCode(digest)), form.element);
  const asked = address.query.get("space") ?? "";
  if (cloned) form.open(cloned);
  else if (names.includes(asked)) {
    choice.value = asked;
    form.open({ search_space: asked });
  }
  return () => form.leave();
}

// The form of one request, with its plan and its button. The server checks it after each change.
class Form {
  element = make("form", { class: "new-job", novalidate: "", hidden: "" });
  #others = make("div", { id: "others" });
  #plan = make("section", { "aria-label": "Plan", class: "plan", "aria-busy": "false" });
  #timer = 0;
  #asked = 0;
  #lines = {};

  constructor(main, known) {
    this.main = main;
    this.known = known;
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  leave() {
    clearTimeout(this.#timer);
    this.#asked += 1;
  }

  // `lines` has the line of each member of a space that comes from a file.
  open(request, lines = {}) {
    const held = request.search_space;
    const space = typeof held === "string" ? this.known.spaces.find(({ name }) => name === held) : held;
    this.#lines = lines;
    this.element.hidden = false;
    if (space === null || typeof space !== "object" || Array.isArray(space)) {
      return this.refuse(new Error("the text is no search space: it holds no mapping"));
    }
    // A request that was saved as a file.
    if (typeof held === "object" && "search_space" in held) return this.open(held, {});
    this.request = request;
    this.space = { ...space, parameters: isMapping(space.parameters) ? space.parameters : {} };
    this.#draw();
    this.#check();
  }

  #draw() {
    this.problems = new Problems();
    const trainable = this.known.trainables.find(({ name }) => name === this.space.trainable) ?? null;
    this.form = specForm({ request: this.request, space: this.space, trainable, schemas: this.known.schemas, problems: this.problems, changed: () => this.#checkIn(PLAN_MS) });
    this.button = make("button", { class: "main", disabled: "" }, "Submit");
    this.element.replaceChildren(
      make("p", {}, make("strong", {}, this.space.title ?? this.space.name ?? ""), " ", this.space.description ?? ""),
      make("p", { class: "controls" }, make("span", {}, `Trains ${this.space.trainable ?? this.space.command ?? ""}`), this.#datasetField()),
      this.form.element, this.#others, make("h3", {}, "Plan"), this.#plan,
      make("p", { class: "controls" }, this.button),
      commands(() => this.#commands()), this.#asText());
  }

  // Another data set makes the space one of its own: a request cannot replace it.
  #datasetField() {
    if (!this.space.dataset || this.space.dataset === "none") return "";
    const fitting = this.known.datasets.filter(({ name, kind }) => {
      const trainable = this.known.trainables.find((one) => one.name === this.space.trainable);
      return name === this.space.dataset || !trainable || trainable.datasets.includes(name) || trainable.kinds.includes(kind);
    });
    const names = [...new Set([this.space.dataset, ...fitting.map(({ name }) => name)])];
    const choice = make("select", { id: "dataset", onchange: () => {
      const body = this.form.read();
      this.open({ ...body, search_space: { ...this.space, dataset: choice.value } });
    } }, ...names.map((name) => make("option", { value: name, ...(name === this.space.dataset ? { selected: "" } : {}) }, name)));
    const slot = make("div", { class: "problems" });
    this.problems.register("/dataset", slot, choice);
    return make("label", {}, "on ", choice, slot);
  }

  async addDataset(name) {
    this.known.datasets = (await get("/datasets")).items;
    if (this.request) this.open(this.form.read());
  }

  useCode(digest) {
    if (this.request && this.space.command) this.open({ ...this.form.read(), search_space: { ...this.space, code: digest } });
  }

  // What stands in the way of reading the text at all.
  refuse(error) {
    if (error instanceof TokenNeeded) return fail(this.main, error);
    this.element.hidden = false;
    this.element.replaceChildren(make("p", { role: "alert" }, error.message));
  }

  #checkIn(ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#check(), ms);
  }

  async #check() {
    this.#asked += 1;
    const mine = this.#asked, body = this.form.read();
    this.#plan.setAttribute("aria-busy", "true");
    if (!this.#plan.firstChild) this.#plan.replaceChildren(loading("the plan "));
    try {
      const plan = await (await post("/jobs?dry_run=true", body)).json();
      if (mine !== this.#asked) return;
      this.#tell([]);
      this.#plan.replaceChildren(planOf(plan));
      this.button.disabled = false;
    } catch (error) {
      if (mine === this.#asked) this.#refused(error);
      if (mine === this.#asked && isAway(error)) this.#checkIn(AGAIN_MS);
    }
    this.#plan.setAttribute("aria-busy", "false");
  }

  #refused(error) {
    if (error instanceof TokenNeeded) return fail(this.main, error);
    this.button.disabled = true;
    this.#plan.replaceChildren(make("p", { class: "muted" }, "There is a plan as soon as nothing is wrong."));
    this.#tell(error.problems?.length ? error.problems : [{ pointer: "", detail: error.message }]);
  }

  // Beside their fields; those that have none are listed, with the line of the file where there is one.
  #tell(problems) {
    const left = this.problems.show(problems);
    const line = ({ pointer }) => this.#lines[pointer.replace(/^\/search_space/, "")];
    this.#others.replaceChildren(...(left.length ? [make("div", { role: "alert" }, ...left.map((problem) => make("p", {},
      [line(problem) ? `line ${line(problem)}: ` : "", problem.pointer ? `${problem.pointer}: ` : "", problem.detail, problem.hint ? `; ${problem.hint}` : ""].join(""))))] : []));
  }

  async #submit() {
    if (this.button.disabled) return;
    this.button.disabled = true;
    this.leave(); // a check that ends later would take away what is said of this request
    this.#plan.setAttribute("aria-busy", "false");
    try {
      const job = await (await postOnce("/jobs", this.form.read())).json();
      go({ view: "job", path: [job.id] });
    } catch (error) {
      if (error instanceof TokenNeeded || error.status < 500) this.#refused(error);
      else this.#unanswered(error);
    }
  }

  // The next click sends the request with the same key.
  #unanswered(error) {
    this.button.disabled = false;
    this.#tell([{ pointer: "", detail: error.message, hint: "submit again: a job that was made is not made twice" }]);
  }

  #commands() {
    const body = this.form.read(), options = optionsOf(body);
    const name = options ? body.search_space : "request.json";
    return [{ label: "Plan", command: ["argbest", "plan", name, ...(options ?? [])], request: { method: "POST", path: "/jobs?dry_run=true", body } },
      { label: "Submit", command: ["argbest", "submit", name, ...(options ?? [])], request: { method: "POST", path: "/jobs", body } }];
  }

  // The request, as the file that the command line takes.
  #asText() {
    const place = make("div");
    const details = make("details", { class: "commands", ontoggle: () => {
      const text = JSON.stringify(this.form.read(), null, 2);
      const save = make("button", { type: "button", onclick: () => saveBlob(new Blob([text], { type: "application/json" }), "request.json") }, "Save as request.json");
      place.replaceChildren(copyable(text, "the request"), save);
    } }, make("summary", {}, "The request as a file"), place);
    return details;
  }
}

const isMapping = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
