// Links to what the API answers: files to fetch.
import { base, hasToken, save } from "../api.js";
import { make } from "./elements.js";
import { fail } from "./faces.js";

// A browser sends no token when it follows a link, so with a token the file is fetched and saved under `name`.
export function download(path, text, name) {
  const follow = (event) => {
    if (!hasToken()) return;
    event.preventDefault();
    save(path, name).catch((error) => fail(link, error));
  };
  const link = make("a", { href: base + path, onclick: follow }, text);
  return link;
}
