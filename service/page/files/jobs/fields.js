// A labelled field with room for what the server says of it. Fields know their JSON pointer in the request.
import { make } from "../parts/elements.js";
import { isNumeric, main, read, write } from "./values.js";

let made = 0;

// Shows problems at the fields whose pointers are nearest to theirs, and returns those that have no field.
export class Problems {
  #slots = new Map();

  // Remembers where problems of the pointer are shown; `input`, if given, is marked as wrong.
  register(pointer, slot, input) {
    this.#slots.set(pointer, { slot, input });
  }

  forget(pointer) {
    for (const key of this.#slots.keys()) if (key === pointer || key.startsWith(`${pointer}/`)) this.#slots.delete(key);
  }

  show(problems) {
    for (const { slot, input } of this.#slots.values()) {
      slot.replaceChildren();
      input?.removeAttribute("aria-invalid");
    }
    return problems.filter((problem) => {
      // What is wrong in an inline space stands beside the same field as an override of it.
      const found = this.#nearest(problem.pointer.replace(/^\/search_space(?=\/)/, ""));
      if (!found) return true;
      found.slot.append(make("p", { class: "problem" }, problem.hint ? `${problem.detail}; ${problem.hint}` : problem.detail));
      found.input?.setAttribute("aria-invalid", "true");
      return false;
    });
  }

  #nearest(pointer) {
    for (let place = pointer; place; place = place.slice(0, place.lastIndexOf("/"))) {
      const found = this.#slots.get(place);
      if (found?.slot.isConnected) return found;
    }
    return null;
  }
}

function inputFor(rule, value, attributes) {
  const { enum: choices, type } = main(rule);
  const options = choices ?? (type === "boolean" ? [true, false] : null);
  if (options) {
    const all = options.some((one) => write(one) === write(value)) ? options : [value, ...options];
    return make("select", attributes, ...all.map((one) => make("option", { value: write(one), ...(one === value ? { selected: "" } : {}) }, one === undefined ? "" : write(one))));
  }
  const isLong = type === "object" || type === "array";
  if (isLong) {
    const area = make("textarea", { rows: 2, spellcheck: "false", class: "json", ...attributes });
    area.value = write(value);
    return area;
  }
  return make("input", { value: write(value), autocomplete: "off", spellcheck: "false", ...(isNumeric(rule) ? { inputmode: "decimal", class: "figure" } : {}), ...attributes });
}

// `initial` is what holds if nothing is typed. `read()` returns undefined for an empty field.
export function field({ label, pointer, rule = {}, initial, about = "", problems }) {
  made += 1;
  const id = `field-${made}`;
  const suggested = rule.examples?.filter((one) => typeof one === "string") ?? [];
  const input = inputFor(rule, initial, { id, "aria-describedby": `${id}-about ${id}-problem`, ...(suggested.length ? { list: `${id}-list` } : {}) });
  const slot = make("div", { id: `${id}-problem`, class: "problems" });
  problems.register(pointer, slot, input);
  const element = make("div", { class: "field" }, make("label", { for: id }, label), input,
    suggested.length ? make("datalist", { id: `${id}-list` }, ...suggested.map((value) => make("option", { value }))) : "",
    make("p", { id: `${id}-about`, class: "about" }, about), slot);
  return { element, input, read: () => (input.value.trim() === "" ? undefined : read(input.value, rule)) };
}
