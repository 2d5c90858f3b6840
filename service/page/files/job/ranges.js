// The ranges of the parallel coordinates as fields: for the keyboard, and for exact values.
import { make } from "../parts/elements.js";
import { parameterValue } from "../parts/format.js";
import { tickText } from "../parts/scale.js";

// `brushes` has [low, high] by the name of an axis, places from 0 to 1; `onChange` is called when one was changed here.
export function ranges(axes, brushes, onChange) {
  const list = make("div", { class: "ranges" });
  const add = make("select", { "aria-label": "Mark a range of", onchange: () => {
    if (add.value) change(add.value, [0, 1]);
    add.value = "";
  } });
  const element = make("div", { class: "controls" }, add, list);
  const change = (name, range) => {
    if (range) brushes.set(name, range); else brushes.delete(name);
    show();
    onChange();
  };
  const bounds = (axis, [low, high]) => {
    const field = (edge, label) => {
      const value = axis.value(Math.min(1, Math.max(0, edge ? high : low)));
      return make("input", { type: "number", step: "any", value: tickText(value), "aria-label": `${axis.title}, ${label}`, onchange: ({ target }) => {
        const at = axis.place(Number(target.value));
        change(axis.name, (edge ? [low, at] : [at, high]).sort((a, b) => a - b));
      } });
    };
    return [field(0, "from"), " to ", field(1, "to")];
  };
  const values = (axis, [low, high]) => {
    const found = axis.values.filter((value) => axis.place(value) >= low && axis.place(value) <= high);
    const chosen = found.length === 1 ? JSON.stringify(found[0]) : "";
    const select = make("select", { "aria-label": axis.title, onchange: () => {
      const value = axis.values.find((one) => JSON.stringify(one) === select.value);
      const at = value === undefined ? null : axis.place(value);
      change(axis.name, at === null ? [0, 1] : [at - 0.001, at + 0.001]);
    } }, make("option", { value: "" }, found.map(parameterValue).join(", ") || "none"),
      ...axis.values.map((value) => make("option", { value: JSON.stringify(value) }, parameterValue(value))));
    select.value = chosen;
    return [select];
  };
  const show = () => {
    add.replaceChildren(make("option", { value: "" }, "Mark a range of …"), ...axes().map(({ name, title }) => make("option", { value: name }, title)));
    list.replaceChildren(...axes().filter(({ name }) => brushes.has(name)).map((axis) => make("span", { class: "range" }, `${axis.title} `,
      ...(axis.isNumber ? bounds : values)(axis, brushes.get(axis.name)),
      make("button", { "aria-label": `Unmark the range of ${axis.title}`, onclick: () => change(axis.name, null) }, "✕"))));
  };
  return { element, show };
}
