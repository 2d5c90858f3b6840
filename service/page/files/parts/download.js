// Links to what the API answers: files to fetch.
import { base, hasToken, save, TokenNeeded } from "../api.js";
import { make } from "./elements.js";
import { fail } from "./faces.js";

// A browser sends no token when it follows a link, so with a token the file is fetched and saved under `name`.
// What goes wrong is said behind the link.
export function download(path, text, name) {
  const problem = make("span", { role: "alert" });
  const follow = async (event) => {
    if (!hasToken()) return;
    event.preventDefault();
    problem.remove();
    try {
      await save(path, name);
    } catch (error) {
      if (error instanceof TokenNeeded) return fail(link, error);
      problem.textContent = error.message;
      link.after(problem);
    }
  };
  const link = make("a", { href: base + path, onclick: follow }, text);
  return link;
}
