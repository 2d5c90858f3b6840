// What a part of a view asks of the API: its errors are shown in that part, and the view stays.
import { TokenNeeded } from "../api.js";
import { make } from "./elements.js";
import { fail } from "./faces.js";

// `ask(act)` returns whether it was done.
export function asking(main) {
  const problem = make("div");
  const ask = async (act) => {
    problem.replaceChildren();
    try {
      await act();
      return true;
    } catch (error) {
      if (error instanceof TokenNeeded) fail(main, error);
      else problem.replaceChildren(make("p", { role: "alert" }, error.message));
      return false;
    }
  };
  return { problem, ask };
}
