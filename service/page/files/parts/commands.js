// What a button does, written as a command and as curl, to be copied.
import { base, hasToken } from "../api.js";
import { make } from "./elements.js";

// A word as a POSIX shell reads it.
export const quoted = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${String(word).replaceAll("'", "'\\''")}'`);

export const shell = (words) => words.map((word) => quoted(String(word))).join(" ");

// `body` is JSON, or a text of the media type `type`; `file` is the name of a file to send instead, `output` of one to write.
export function curl({ method = "GET", path, body, type = "application/json", file, output }) {
  const words = ["curl", ...(method === "GET" ? [] : ["-X", method]), quoted(location.origin + base + path)];
  // In double quotes: the shell puts the token in.
  if (hasToken()) words.push("-H", '"Authorization: Bearer $ARGBEST_TOKEN"');
  if (body !== undefined || file) words.push("-H", quoted(`Content-Type: ${type}`));
  if (file) words.push("--data-binary", quoted(`@${file}`));
  else if (body !== undefined) words.push("-d", quoted(typeof body === "string" ? body : JSON.stringify(body)));
  if (output) words.push("-o", quoted(output));
  return words.join(" ");
}

function copied(text, what) {
  const button = make("button", { "aria-label": `Copy ${what}`, onclick: async () => {
    // A browser may forbid it, as in a frame or in a window that has lost the focus.
    button.textContent = await navigator.clipboard.writeText(text).then(() => "Copied", () => "Not allowed");
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  } }, "Copy");
  // Browsers give pages the clipboard on https and on this machine alone.
  return navigator.clipboard ? button : "";
}

export const copyable = (text, what) => make("div", { class: "copyable" }, make("pre", { tabindex: 0, "aria-label": what }, text), copied(text, what));

// `items` are {label, command: [words], request: {method, path, body}}; either may be missing.
// They are written when the list is opened, so that they have what the fields hold then; `write()` of the element that
// is returned writes those of an open list anew.
export function commands(items, summary = "As a command and as curl") {
  const list = make("div");
  const write = () => details.open && list.replaceChildren(...(typeof items === "function" ? items() : items).flatMap(({ label, command, request }) => [
    label ? make("h3", {}, label) : "",
    command ? copyable(shell(command), `${label ?? ""} as a command`.trim()) : "",
    request ? copyable(curl(request), `${label ?? ""} as curl`.trim()) : "",
  ]));
  const details = make("details", { class: "commands", ontoggle: write }, make("summary", {}, summary), list);
  return Object.assign(details, { write });
}
