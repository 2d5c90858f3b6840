// Which trials are marked, in all views of a job alike, and which one the pointer is over.
// `marked` is a Set of numbers, null while nothing is marked; it is empty where a range holds no trial. Listeners get the name of the view that changed it.
export function makeSelection() {
  const listeners = new Set();
  const selection = {
    marked: null,
    hovered: null,
    by: "",
    // Marks these trials and no others; with null nothing is marked any more. `by` names the view.
    mark(numbers, by = "") {
      Object.assign(selection, { marked: numbers === null ? null : new Set(numbers), by });
      tell("marked");
    },
    toggle(number, by = "") {
      const marked = new Set(selection.marked ?? []);
      if (!marked.delete(number)) marked.add(number);
      selection.mark(marked.size ? marked : null, by);
    },
    hover(number) {
      if (number === selection.hovered) return;
      selection.hovered = number;
      tell("hovered");
    },
    isMarked: (number) => selection.marked?.has(number) ?? false,
    // Calls `listener(what)` with "marked" or "hovered"; returns what ends that.
    on(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const tell = (what) => listeners.forEach((listener) => listener(what));
  return selection;
}
