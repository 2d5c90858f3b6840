// The fields above the list: words, states, tags, order. Each change is another address.
// The frame draws the list anew for it; words are searched while the field stays, for whoever goes on typing.
import { make } from "../parts/elements.js";
import { SORTS, STATES } from "./asked.js";

const TYPED_MS = 400;

const toggled = (list, one) => (list.includes(one) ? list.filter((other) => other !== one) : [...list, one]);

// `search(words)` is called when they have changed.
export function filters(list, search) {
  const to = (changes) => { location.hash = list.at(changes); };
  const words = make("input", { type: "search", id: "words", value: list.words, placeholder: "name, tag, note, data set, id" });
  let timer = 0;
  const take = () => words.value.trim() === list.words || search(words.value.trim());
  words.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => words.isConnected && take(), TYPED_MS);
  });
  const submit = (event) => {
    event.preventDefault();
    take();
  };
  const sort = make("select", { id: "sort", onchange: () => to({ sort: sort.value }) },
    ...Object.entries(SORTS).map(([key, text]) => make("option", { value: key, ...(key === list.sort ? { selected: "" } : {}) }, text)));
  const states = STATES.map((state) => make("button", {
    type: "button", id: `only-${state}`, class: `chip state state-${state}`, "aria-pressed": String(list.states.includes(state)),
    onclick: () => to({ state: toggled(list.states, state) }),
  }, state));
  const tags = list.tags.map((tag) => make("button", {
    type: "button", class: "chip", "aria-label": `Leave out the tag ${tag}`, onclick: () => to({ tag: toggled(list.tags, tag) }),
  }, `${tag} ×`));
  return make("form", { role: "search", class: "filters", onsubmit: submit },
    make("label", { for: "words" }, "Search"), words,
    make("label", { for: "sort" }, "Order"), sort,
    make("div", { class: "controls", role: "group", "aria-label": "States" }, ...states),
    tags.length ? make("div", { class: "controls", role: "group", "aria-label": "Tags" }, ...tags) : "");
}
