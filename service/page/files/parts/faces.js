// What a view shows when it has nothing else to show: loading, empty, an error, a token asked for.
import { make } from "./elements.js";

export const loading = (what = "") => make("p", { class: "face muted" }, `Loading ${what}…`);

// `more` may be a link or a button: what to do next.
export const empty = (text, ...more) => make("div", { class: "face muted" }, make("p", {}, text), ...more);

export function failed(text, again) {
  return make("div", { class: "face" },
    make("p", { role: "alert" }, text),
    make("button", { onclick: again }, "Try again"));
}

// `open` is called with the token.
export function tokenAsked(reason, open) {
  const input = make("input", { type: "password", autocomplete: "off", required: "", "aria-label": "Token" });
  const submit = (event) => {
    event.preventDefault();
    open(input.value);
  };
  return make("div", { class: "face" }, make("h2", {}, "Token"),
    make("form", { onsubmit: submit, class: "controls" }, input, make("button", { class: "main" }, "Open")),
    make("p", { class: "muted" }, `${reason}. On the server's machine, argbest token create NAME makes one, and argbest token local shows that of its user.`));
}

// Tells the frame that the view which `element` belongs to cannot go on: it asks for a token, or shows the error.
// The element of a view that was left is in no document, so that its errors are heard by nobody.
export const fail = (element, error) => element.dispatchEvent(new CustomEvent("failed", { bubbles: true, detail: error }));

// Says a short sentence to readers of the screen.
export const announce = (text) => { document.getElementById("announcement").textContent = text; };
