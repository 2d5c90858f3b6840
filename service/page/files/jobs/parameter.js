// One hyperparameter of a search space: fixed, one of several values, or from a range.
import { make } from "../parts/elements.js";
import { field } from "./fields.js";
import { isEqual, readList, write, writeList } from "./values.js";

const KINDS = { fixed: "fixed", list: "one of", range: "from a range" };

const isObject = (domain) => domain !== null && typeof domain === "object" && !Array.isArray(domain);

export function kindOf(domain) {
  if (isObject(domain) && "values" in domain) return "list";
  return isObject(domain) && "low" in domain ? "range" : "fixed";
}

const valueOf = (domain) => (isObject(domain) && "value" in domain ? domain.value : domain);

// What a trainable says of a parameter, in words.
function limits(rule) {
  const bounds = [["minimum", "at least"], ["exclusiveMinimum", "above"], ["maximum", "at most"], ["exclusiveMaximum", "below"]];
  const named = bounds.filter(([key]) => key in rule).map(([key, words]) => `${words} ${rule[key]}`);
  const choices = rule.enum ? [`${rule.enum.map(write).join(", ")}`] : [];
  const standard = "default" in rule ? [`default ${write(rule.default)}`] : [];
  return [rule.description, [...choices, ...named, ...standard].join(", ")].filter(Boolean).join(" · ");
}

// The fields of each kind; `read()` returns the domain as the API has it.
const EDITORS = {
  fixed(domain, rule, at) {
    const value = field({ ...at("value"), label: "Value", rule, initial: kindOf(domain) === "fixed" ? valueOf(domain) : domain.default });
    const read = () => {
      const given = value.read();
      return Array.isArray(given) || at.when ? { value: given, ...at.when } : given;
    };
    return { fields: [value], read };
  },
  list(domain, rule, at) {
    const known = domain.values ?? rule.enum ?? [domain.default ?? valueOf(domain)];
    const values = field({ ...at("values"), label: "Values", initial: writeList(known), about: "with commas between" });
    const standard = field({ ...at("default"), label: "Default", rule: { ...rule, enum: undefined }, initial: domain.default });
    const read = () => ({ values: readList(values.input.value, rule), ...given("default", standard.read()), ...at.when });
    return { fields: [values, standard], read };
  },
  range(domain, rule, at) {
    const number = (name, label, initial, about = "") => field({ ...at(name), label, rule: { type: "number" }, initial, about });
    const low = number("low", "From", domain.low ?? rule.minimum), high = number("high", "To", domain.high ?? rule.maximum);
    const step = number("step", "Step", domain.step), standard = number("default", "Default", domain.default);
    const log = field({ ...at("log"), label: "Scale", rule: { enum: ["even", "logarithmic"] }, initial: domain.log ? "logarithmic" : "even" });
    const read = () => ({
      low: low.read(), high: high.read(), ...given("step", step.read()), ...given("default", standard.read()),
      ...(log.input.value === "logarithmic" ? { log: true } : {}), ...given("type", domain.type), ...at.when,
    });
    return { fields: [low, high, step, log, standard], read };
  },
};

const given = (name, value) => (value === undefined ? {} : { [name]: value });

// What the API writes out, taken away where it says nothing: log: false say.
function plain(domain) {
  if (!isObject(domain)) return domain;
  const { log, ...rest } = domain;
  return log ? domain : rest;
}

// `changed()` is called when another kind is chosen; typing is heard by the form.
export function parameter(name, domain, rule, problems, changed) {
  const pointer = `/parameters/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
  const at = (member) => ({ pointer: `${pointer}/${member}`, problems });
  at.when = isObject(domain) && domain.when ? { when: domain.when } : undefined;
  const members = make("div", { class: "members" }), slot = make("div", { class: "problems" });
  problems.register(pointer, slot);
  let kind = kindOf(domain), editor;
  const draw = () => {
    problems.forget(pointer);
    problems.register(pointer, slot);
    editor = EDITORS[kind](isObject(domain) ? domain : { default: domain, value: domain }, rule, at);
    members.replaceChildren(...editor.fields.map(({ element }) => element));
  };
  draw();
  const first = plain(editor.read());
  const choice = make("select", { "aria-label": `How ${name} is chosen`, onchange: () => {
    kind = choice.value;
    draw();
    changed();
  } }, ...Object.entries(KINDS).map(([key, text]) => make("option", { value: key, ...(key === kind ? { selected: "" } : {}) }, text)));
  const when = at.when ? make("p", { class: "about" }, `exists when ${JSON.stringify(at.when.when)}`) : "";
  const element = make("fieldset", { class: "parameter" }, make("legend", {}, name),
    make("div", { class: "controls" }, choice, make("span", { class: "about" }, limits(rule))), members, when, slot);
  // Undefined where it is as it was.
  const read = () => {
    const now = plain(editor.read());
    return isEqual(now, first) ? undefined : now;
  };
  return { element, read };
}
