// The curves of every metric while they grow: a panel for each. Of many trials bands of quantiles are drawn, and the
// best, the running and the marked ones as lines.
import { make } from "../parts/elements.js";
import { Panel } from "./panel.js";
import { readingFields } from "./reading.js";

// The metrics that the job has reported, its objectives first.
export function metricsOf(store) {
  const { spec } = store.job;
  const first = (spec.objectives ?? [{ metric: spec.metric }]).map(({ metric }) => metric);
  const reported = new Set();
  for (const { metrics } of store.trials.values()) for (const name in metrics) reported.add(name);
  return [...first.filter((name) => reported.has(name)), ...[...reported].filter((name) => !first.includes(name)).sort()];
}

export function curvesView(store, selection, reading, known) {
  const panels = new Map();
  const options = { isLog: false };
  const grid = make("div", { class: "panels" });
  const none = make("p", { class: "muted" }, "No trial has reported yet.");
  // A panel reads its curves when it comes into sight.
  const seen = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) if (isIntersecting) {
      seen.unobserve(target);
      panels.get(target.dataset.metric)?.load();
    }
  }, { rootMargin: "200px" });
  const log = make("input", { type: "checkbox", onchange: ({ target }) => {
    options.isLog = target.checked;
    panels.forEach((panel) => panel.reset());
  } });
  const legend = make("p", { class: "legend muted" },
    ...[["running", "●"], ["paused", "○"], ["stopped", "■"], ["failed", "✕"], ["cancelled", "|"]].map(([state, sign]) =>
      make("span", { class: `state-${state}` }, make("span", { class: "sign", "aria-hidden": "true" }, sign), ` ${state}`)),
    " Drag to zoom, double-click for all.");
  const element = make("section", { "aria-label": "Curves" }, make("h3", {}, "Curves"),
    make("div", { class: "controls" }, make("label", {}, log, " logarithmic"), readingFields(store, reading, () => metricsOf(store))), legend, none, grid);
  const show = () => {
    const metrics = metricsOf(store);
    none.hidden = metrics.length > 0;
    for (const metric of metrics) if (!panels.has(metric)) {
      const panel = new Panel(store, metric, { selection, options, known });
      panels.set(metric, panel);
      grid.append(panel.element);
      seen.observe(panel.element);
    }
  };
  const redraw = () => panels.forEach((panel) => panel.changed());
  const off = [store.on("curves", redraw), reading.on(redraw), store.on("trials", () => { show(); redraw(); }),
    selection.on(() => panels.forEach((panel) => panel.marked()))];
  show();
  const stop = () => {
    off.forEach((end) => end());
    seen.disconnect();
    panels.forEach((panel) => panel.stop());
  };
  return { element, stop };
}
