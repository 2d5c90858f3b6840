// The tokens, for an admin: who may do what, the links to single jobs, new ones, and their end.
import { get, post, remove } from "../api.js";
import { commands, copyable } from "../parts/commands.js";
import { make, table } from "../parts/elements.js";
import { announce } from "../parts/faces.js";
import { moment } from "../parts/format.js";
import { asking } from "../parts/asking.js";

const SCOPES = { read: "reads everything", submit: "also runs and cancels jobs", code: "also sends programs", admin: "also deletes, and manages tokens" };

function scopeOf({ scope, job }) {
  return job ? make("span", {}, "reads ", make("a", { href: `#/job/${encodeURIComponent(job)}` }, "one job")) : scope;
}

function newForm(ask, made) {
  const name = make("input", { required: "", maxlength: 64, pattern: "[A-Za-z0-9][A-Za-z0-9._@\\-]*", title: "letters, digits and . _ @ -", autocomplete: "off" });
  const scope = make("select", {}, ...Object.entries(SCOPES).map(([value, what]) => make("option", { value }, `${value}: ${what}`)));
  const days = make("input", { type: "number", min: 1, max: 36500, value: 90 });
  const body = () => ({ name: name.value, scope: scope.value, ...(days.value ? { days: Number(days.value) } : {}) });
  const submit = (event) => {
    event.preventDefault();
    ask(async () => {
      made(await (await post("/tokens", body())).json());
      name.value = "";
    });
  };
  return make("details", {}, make("summary", {}, "Make a token"),
    make("form", { class: "fields", onsubmit: submit }, make("label", {}, "Name ", name), make("label", {}, "Scope ", scope),
      make("label", {}, "Days until it expires (empty: never) ", days), make("button", { class: "main" }, "Make")),
    commands(() => [{ label: "Make", command: ["argbest", "token", "create", name.value || "NAME", "--scope", scope.value, ...(days.value ? ["--expires-in", days.value] : [])],
      request: { method: "POST", path: "/tokens", body: body() } }]));
}

export function tokens(main) {
  const list = make("div"), secret = make("div"), { problem, ask } = asking(main);
  const revoke = (name) => make("button", { "aria-label": `Revoke ${name}`, onclick: () => {
    if (!confirm(`Revoke ${name}? The next request with it is refused.`)) return;
    ask(async () => {
      await remove(`/tokens/${encodeURIComponent(name)}`);
      announce(`${name} is revoked.`);
      await draw();
    });
  } }, "Revoke");
  const draw = async () => {
    const { items } = await get("/tokens");
    const now = new Date();
    const end = (one) => (one.expires_at === null ? "never" : `${moment(one.expires_at)}${new Date(one.expires_at) < now ? ", expired" : ""}`);
    const rows = items.map((one) => ({ cells: [one.name, scopeOf(one), `${one.prefix}…`, moment(one.created_at), one.made_by, end(one), one.last_used_at ? moment(one.last_used_at) : "never", revoke(one.name)] }));
    list.replaceChildren(table(["Name", "Scope", "Begins", "Made", "Made by", "Expires", "Last used", ""], rows));
  };
  const made = (token) => {
    secret.replaceChildren(make("div", { class: "card" }, make("p", {}, `The token ${token.name}. It is shown only now: `), copyable(token.secret, `the token ${token.name}`)));
    return draw();
  };
  const element = make("section", { "aria-labelledby": "tokens-title", hidden: "" }, make("h3", { id: "tokens-title" }, "Tokens"), problem, list, secret, newForm(ask, made),
    commands([{ label: "Tokens", command: ["argbest", "token", "ls"], request: { path: "/tokens" } },
      { label: "Revoke", command: ["argbest", "token", "revoke", "NAME"], request: { method: "DELETE", path: "/tokens/NAME" } }]));
  // Where no token is asked for there are none to manage, and others than admins see none.
  const read = ({ token }) => ask(async () => {
    if (token?.scope !== "admin") return;
    element.hidden = false;
    await draw();
  });
  return { element, read };
}
