// Requests to the API: with the token, where one was given, and events as they happen.
// EventSource and links cannot send a token, so that fetch is used for all.
export const base = "/api/v1";
const key = "argbest.token";

export class TokenNeeded extends Error {}

// Kept until the tab is closed, for pages of this origin alone.
export const keepToken = (token) => sessionStorage.setItem(key, token.trim());
export const forgetToken = () => sessionStorage.removeItem(key);
export const hasToken = () => sessionStorage.getItem(key) !== null;

async function request(path, { headers = {}, ...options } = {}) {
  const token = hasToken() ? { Authorization: `Bearer ${sessionStorage.getItem(key)}` } : {};
  const answer = await fetch(base + path, { ...options, headers: { ...headers, ...token } });
  if (answer.ok) return answer;
  const isProblem = answer.headers.get("content-type")?.startsWith("application/problem+json");
  const detail = isProblem ? inWords(await answer.json()) : `the server answered ${answer.status}`;
  throw answer.status === 401 ? new TokenNeeded(detail) : new Error(detail);
}

const inWords = ({ detail, hint }) => (hint ? `${detail}; ${hint}` : detail);

export const get = async (path) => (await request(path)).json();

export function post(path, body) {
  const json = { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  return request(path, { method: "POST", ...(body ? json : {}) });
}

// The answer as an address that an image or a link may have; revoke it when it is drawn.
export async function objectUrl(path) {
  return URL.createObjectURL(await (await request(path)).blob());
}

export async function save(path, name) {
  const href = await objectUrl(path);
  Object.assign(document.createElement("a"), { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}

// Yields [kind, data, id] of each event after the one with the id `last` ("": from the beginning), as
// https://html.spec.whatwg.org/multipage/server-sent-events.html has them; the id is "" where an event has none.
export async function* events(path, signal, last) {
  const headers = last ? { "Last-Event-ID": last } : {};
  const answer = await request(path, { signal, headers });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).replaceAll("\r\n", "\n").split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const lines = block.split("\n");
      const field = (name) => lines.filter((l) => l.startsWith(`${name}:`)).map((l) => l.slice(name.length + 1).trim()).join("\n");
      if (field("data")) yield [field("event"), JSON.parse(field("data")), field("id")];
    }
  }
}
