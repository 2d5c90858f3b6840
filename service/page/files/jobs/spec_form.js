// The form of a request: its members from the API's own description, its parameters from the space and the trainable.
import { make } from "../parts/elements.js";
import { field } from "./fields.js";
import { parameter } from "./parameter.js";
import { isEqual, main, write } from "./values.js";

// Members of a request, in the order of the form; those of the second list are folded away.
const FIRST = ["name", "strategy", "trials", "epochs", "seed"];
const MORE = [
  "scheduler", "budget", "repeats", "confirm", "objectives", "constraints", "enqueue", "warm_start",
  "max_concurrent_trials", "resources_per_trial/cpu", "resources_per_trial/gpu", "time_limit_s", "max_failures", "priority", "keep", "tags",
];
// A space has these too: what it says is shown, and a request says what is otherwise.
const OF_SPACE = new Set(["strategy", "trials", "epochs", "scheduler", "budget", "repeats", "confirm", "objectives", "constraints", "enqueue", "warm_start"]);

const titleOf = (key) => {
  const words = { "resources_per_trial/cpu": "CPUs per trial", "resources_per_trial/gpu": "GPUs per trial", time_limit_s: "Time limit in seconds" }[key];
  return words ?? `${key[0].toUpperCase()}${key.slice(1).replaceAll("_", " ")}`;
};

const at = (object, key) => key.split("/").reduce((inner, part) => inner?.[part], object);

function put(object, key, value) {
  const parts = key.split("/"), last = parts.pop();
  let inner = object;
  for (const part of parts) inner = inner[part] ??= {};
  inner[last] = value;
}

function ruleOf(schemas, key) {
  const [first, second] = key.split("/");
  const rule = schemas.JobRequest.properties[first];
  return second ? schemas.Resources.properties[second] : rule;
}

// A member that is an object or a list, or may be a text too (scheduler), is written as JSON.
const describes = (rule) => {
  const { type } = main(rule);
  const isJson = (type === "object" || type === "array") && !rule.examples;
  return [rule.description, isJson ? "as JSON" : ""].filter(Boolean).join(", ");
};

// `request` is {search_space, ...}; `space` is the search space that it names or holds; `trainable` may be null.
export function specForm({ request, space, trainable, schemas, problems, changed }) {
  const members = new Map();
  const memberField = (key) => {
    const rule = ruleOf(schemas, key), inherited = OF_SPACE.has(key) ? space[key] : undefined;
    const initial = at(request, key) ?? inherited ?? (rule.default === null ? undefined : rule.default);
    const shown = initial && typeof initial === "object" && !Object.keys(initial).length ? undefined : initial;
    const made = field({ label: titleOf(key), pointer: `/${key}`, rule, initial: shown, about: describes(rule), problems });
    members.set(key, { ...made, first: made.read(), before: at(request, key) });
    return made.element;
  };
  const rules = trainable?.parameters.properties ?? {};
  const parameters = new Map();
  const list = make("div", { class: "parameters" });
  const addParameter = (name, domain) => {
    const one = parameter(name, domain, main(rules[name]), problems, changed);
    parameters.set(name, one);
    list.append(one.element);
    return one;
  };
  // A cloned request holds a whole space, so that its overrides are part of it.
  for (const [name, domain] of Object.entries({ ...space.parameters, ...request.parameters })) addParameter(name, domain);
  const element = make("div", { oninput: changed },
    make("div", { class: "grid" }, ...FIRST.map(memberField)),
    make("h3", {}, "Parameters"), list, adder(rules, parameters, addParameter, changed),
    make("details", { class: "more" }, make("summary", {}, "More of the search, and what each trial gets"), make("div", { class: "grid" }, ...MORE.map(memberField))));

  function read() {
    const body = structuredClone(request);
    for (const [key, { read: value, first, before }] of members) {
      const now = value();
      if (!isEqual(now, first) && now !== undefined) put(body, key, now);
      // An emptied field: the space's own holds again, or the server's default.
      else if (now === undefined && before !== undefined) put(body, key, undefined);
    }
    const replaced = { ...request.parameters };
    for (const [name, one] of parameters) {
      const now = one.read();
      if (now !== undefined || one.isNew) replaced[name] = now ?? one.domain;
    }
    if (Object.keys(replaced).length) body.parameters = replaced;
    return body;
  }
  return { element, read };
}

// A parameter of the trainable that the space leaves at its default.
function adder(rules, parameters, addParameter, changed) {
  const left = () => Object.keys(rules).filter((name) => !parameters.has(name));
  if (!left().length) return "";
  const choice = make("select", { "aria-label": "A parameter that the space leaves out" });
  const fill = () => choice.replaceChildren(...left().map((name) => make("option", { value: name }, name)));
  const controls = make("div", { class: "controls" }, choice, make("button", { type: "button", onclick: () => {
    const name = choice.value, domain = rules[name].default ?? null;
    Object.assign(addParameter(name, domain), { isNew: true, domain });
    fill();
    controls.hidden = !left().length;
    changed();
  } }, "Add this parameter"));
  fill();
  return controls;
}

// The options of `argbest submit` that say the same; null where the request holds a space, which needs a file.
export function optionsOf(body) {
  if (typeof body.search_space !== "string") return null;
  const words = [];
  const option = (name, value) => value !== undefined && words.push(name, write(value));
  for (const [name, value] of Object.entries(body.parameters ?? {})) words.push("--set", `${name}=${JSON.stringify(value)}`);
  for (const key of ["epochs", "trials", "seed", "strategy", "scheduler", "repeats", "confirm", "max_concurrent_trials", "max_failures", "priority", "keep", "name"]) {
    option(`--${key.replaceAll("_", "-")}`, body[key]);
  }
  option("--cpus", body.resources_per_trial?.cpu);
  option("--gpus", body.resources_per_trial?.gpu);
  option("--time-limit", body.time_limit_s);
  for (const { metric, mode } of body.objectives ?? []) words.push("--objective", `${metric}=${mode}`);
  for (const { metric, at_most: most, at_least: least } of body.constraints ?? []) words.push("--constraint", most === undefined ? `${metric}>=${least}` : `${metric}<=${most}`);
  for (const [name, value] of Object.entries(body.budget ?? {})) words.push("--budget", `${name}=${write(value)}`);
  for (const one of body.enqueue ?? []) words.push("--enqueue", JSON.stringify(one));
  for (const one of body.warm_start ?? []) words.push("--warm-start", one);
  for (const [name, value] of Object.entries(body.tags ?? {})) words.push("--tag", `${name}=${value}`);
  return words;
}
