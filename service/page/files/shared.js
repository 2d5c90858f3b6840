// Links that read one job: "#/job/ID?share=SECRET". Browsers send what follows the "#" to no server; the secret is kept
// for the tab, as a token is, and taken out of the address, which others may see.
import { forgetToken, hasToken, keepToken } from "./api.js";

const key = "argbest.shared";
const LINK = /^#\/job\/([^/?#]+)\?share=(argb_[\w-]+)$/;

// A word of an address; as it is where its "%" stand for nothing.
export function decoded(word) {
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
}

// The id of the only job that this tab may read; null where it is not confined to one.
export const sharedJob = () => (hasToken() ? sessionStorage.getItem(key) : null);

// Takes the secret of a link. A tab with a token of its own keeps that: it reads more.
export function takeShared() {
  const [, job, secret] = location.hash.match(LINK) ?? [];
  if (!job) return;
  if (!hasToken() || sharedJob()) {
    forgetToken();
    keepToken(secret);
    sessionStorage.setItem(key, decoded(job));
  }
  history.replaceState(history.state, "", `#/job/${job}`);
}

// A token that somebody gave by hand is for everything again.
export const ownToken = (token) => {
  sessionStorage.removeItem(key);
  keepToken(token);
};
