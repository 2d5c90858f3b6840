// Sends a data set, or the folder of a program's code.
import { postRaw, TokenNeeded } from "../api.js";
import { asking } from "../parts/asking.js";
import { commands } from "../parts/commands.js";
import { dataForm } from "../parts/data_form.js";
import { make } from "../parts/elements.js";
import { fail } from "../parts/faces.js";
import { count } from "../parts/format.js";
import { filesOf, packed } from "./tar.js";

// `send` is what the button does; what it throws is told beside it.
function sender(label, main, send) {
  const said = make("div", { role: "status" });
  const button = make("button", { type: "button", onclick: async () => {
    button.disabled = true;
    said.replaceChildren("Sending …");
    try {
      said.replaceChildren(await send());
    } catch (error) {
      if (error instanceof TokenNeeded) return fail(main, error);
      said.replaceChildren(make("p", { role: "alert" }, error.message));
    } finally {
      button.disabled = false;
    }
  } }, label);
  return [button, said];
}

const chosen = (input) => {
  if (!input.files.length) throw new Error("choose a file first");
  return input.files;
};

// `added(name)` is called with the name of the new data set.
export function dataUpload(main, added) {
  const { problem, ask } = asking(main), said = make("div", { role: "status" });
  const form = dataForm(ask, ({ name, rows, kind }) => {
    said.replaceChildren(make("p", {}, `${name} has ${count(rows, "row")}; kind ${kind}.`));
    return added(name);
  });
  return make("div", {}, form, problem, said);
}

// `added(digest)` is called with what a search names as its code.
export function codeUpload(main, added) {
  const folder = make("input", { type: "file", "aria-label": "Folder of the code", webkitdirectory: "" });
  const archive = make("input", { type: "file", "aria-label": "Archive of the code", accept: ".tar.gz,.tgz" });
  const post = async (blob, said) => {
    const made = await (await postRaw("/code", blob, "application/gzip")).json();
    added(made.digest);
    return make("p", {}, `${count(made.files, "file")}${said}: `, make("code", {}, made.digest));
  };
  const sendFolder = async () => {
    const { files, leftOut } = filesOf(chosen(folder));
    return post(await packed(files), leftOut ? `, ${leftOut} left out` : "");
  };
  return make("details", { class: "more" }, make("summary", {}, "Send a program's code"),
    make("p", { class: "about" }, "A page packs plain files alone: it follows no .gitignore, keeps no links and no permission to execute. ",
      "It leaves out .git, .venv, node_modules and caches. Where that is not enough, send a .tar.gz, or use argbest submit."),
    make("p", { class: "controls" }, make("label", {}, "A folder ", folder), ...sender("Pack and send", main, sendFolder)),
    make("p", { class: "controls" }, make("label", {}, "A .tar.gz ", archive), ...sender("Send", main, () => post(chosen(archive)[0], ""))),
    commands(() => [{ command: ["argbest", "submit", "FILE.yaml"], request: { method: "POST", path: "/code", type: "application/gzip", file: archive.files[0]?.name ?? "code.tar.gz" } }]));
}

