// Requests to the API: with the token, where one was given, and events as they happen.
// EventSource and links cannot send a token, so that fetch is used for all.
export const base = "/api/v1";
const key = "argbest.token";

export class TokenNeeded extends Error {}

// What the server refuses: `problems` are {pointer, detail, hint} of single fields, `hint` is for the whole.
export class Refused extends Error {
  constructor(status, { detail, hint = "", errors = [] }) {
    super(hint ? `${detail}; ${hint}` : detail);
    Object.assign(this, { status, detail, hint, problems: errors });
  }
}

// Nobody answered, the answer broke off, or a proxy answered in the place of the service.
export class Away extends Error {
  constructor() { super("the server did not answer"); }
}

// Whether the same may be asked again soon: 503 is what the service says while it cannot answer, as without its database.
export const isAway = (error) => error instanceof Away || error.status === 503;

// Whether the server could be reached; a "change" event says when that changes.
class Connection extends EventTarget {
  isLost = false;
  note(isLost) {
    if (isLost === this.isLost) return;
    this.isLost = isLost;
    this.dispatchEvent(new Event("change"));
  }
}
export const connection = new Connection();

// Kept until the tab is closed, for pages of this origin alone.
export const keepToken = (token) => sessionStorage.setItem(key, token.trim());
export const forgetToken = () => sessionStorage.removeItem(key);
export const hasToken = () => sessionStorage.getItem(key) !== null;

// What comes of `asked`, a fetch or the reading of its answer: both say by a TypeError that nothing came.
export async function reached(asked) {
  try {
    return await asked;
  } catch (error) {
    throw error instanceof TypeError ? new Away() : error;
  }
}

// What a proxy says while the service behind it starts again.
const OF_PROXIES = [502, 503, 504];
const isProblem = ({ headers }) => headers.get("content-type")?.startsWith("application/problem+json");

async function answered(path, options) {
  try {
    const answer = await reached(fetch(base + path, options));
    if (OF_PROXIES.includes(answer.status) && !isProblem(answer)) throw new Away();
    connection.note(false);
    return answer;
  } catch (error) {
    if (error instanceof Away) connection.note(true);
    throw error;
  }
}

export async function request(path, { headers = {}, ...options } = {}) {
  const token = hasToken() ? { Authorization: `Bearer ${sessionStorage.getItem(key)}` } : {};
  const answer = await answered(path, { ...options, headers: { ...headers, ...token } });
  if (answer.ok) return answer;
  const problem = isProblem(answer) ? await answer.json() : { detail: `the server answered ${answer.status}` };
  const refused = new Refused(answer.status, problem);
  throw answer.status === 401 ? new TokenNeeded(refused.message) : refused;
}

export const get = async (path, options) => reached((await request(path, options)).json());

const send = (method, path, body, more = {}) => {
  const json = { headers: { "Content-Type": "application/json", ...more }, body: JSON.stringify(body) };
  return request(path, { method, ...(body ? json : {}) });
};

export const post = (path, body, headers) => send("POST", path, body, headers);
export const patch = (path, body) => send("PATCH", path, body);
export const remove = (path) => send("DELETE", path);

// Keys of requests that nobody has answered yet, by what they ask for.
const unanswered = new Map();

// crypto.randomUUID exists only where the page came by https or from this machine.
const newKey = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(16).padStart(8, "0")).join("");

// Sends a request that must take effect once: it has the same Idempotency-Key each time until the server answers it.
// An answer from 500 on may come from a proxy, and does not say whether the request took effect.
export async function postOnce(path, body) {
  const asked = `${path} ${JSON.stringify(body)}`;
  if (!unanswered.has(asked)) unanswered.set(asked, newKey());
  try {
    const answer = await post(path, body, { "Idempotency-Key": unanswered.get(asked) });
    unanswered.delete(asked);
    return answer;
  } catch (error) {
    if (error instanceof TokenNeeded || error.status < 500) unanswered.delete(asked);
    throw error;
  }
}

// A text or a file, as it is.
export const postRaw = (path, body, type) => request(path, { method: "POST", headers: { "Content-Type": type }, body });

// The answer as an address that an image or a link may have; revoke it when it is drawn.
export async function objectUrl(path) {
  return URL.createObjectURL(await (await request(path)).blob());
}

export function saveBlob(blob, name) {
  const href = URL.createObjectURL(blob);
  Object.assign(document.createElement("a"), { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}

export const save = async (path, name) => saveBlob(await (await request(path)).blob(), name);

// Yields [kind, data, id] of each event after the one with the id `last` ("": from the beginning), as
// https://html.spec.whatwg.org/multipage/server-sent-events.html has them; the id is "" where an event has none.
export async function* events(path, signal, last) {
  const headers = last ? { "Last-Event-ID": last } : {};
  const answer = await request(path, { signal, headers });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reached(reader.read());
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
