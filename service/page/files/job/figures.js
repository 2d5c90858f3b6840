// The figures of a job that plotly draws, each when it is opened: history, slices, contours and so on.
import { get, TokenNeeded } from "../api.js";
import { chart } from "../parts/chart.js";
import { download } from "../parts/download.js";
import { make } from "../parts/elements.js";
import { fail, failed, loading } from "../parts/faces.js";
import { paced } from "../parts/paced.js";

// While a job runs, open figures are drawn again when trials have ended, at most this often.
const REDRAWN_MS = 15_000;

const addressOf = (id, name, parameters = []) => {
  const query = new URLSearchParams(parameters.map((one) => ["parameter", one])).toString();
  return `/jobs/${id}/figures/${encodeURIComponent(name)}${query ? `?${query}` : ""}`;
};

function option(name, isChosen) {
  return make("option", { value: name, ...(isChosen ? { selected: "" } : {}) }, name);
}

// Two parameters: one for each axis. They stay different.
function pairChooser({ parameters }, chosen, change) {
  const fields = ["First parameter", "Second parameter"].map((label, place) => {
    const field = make("select", { onchange: () => {
      const other = fields[1 - place];
      if (other.value === field.value) other.value = parameters.find((name) => name !== field.value);
      change(fields.map(({ value }) => value));
    } }, ...parameters.map((name) => option(name, name === chosen[place])));
    field.title = label;
    return field;
  });
  return make("div", { class: "controls" }, ...fields.map((field) => make("label", {}, `${field.title} `, field)));
}

function severalChooser({ parameters, least, most }, chosen, change) {
  const boxes = parameters.map((name) => make("input", { type: "checkbox", value: name, ...(chosen.includes(name) ? { checked: "" } : {}), onchange: () => {
    const now = boxes.filter((box) => box.checked);
    for (const box of boxes) box.disabled = !box.checked && now.length >= most;
    if (now.length >= least) change(now.map((box) => box.value));
  } }));
  return make("fieldset", { class: "choices" }, make("legend", {}, `Parameters (at most ${most})`),
    ...boxes.map((box) => make("label", {}, box, ` ${box.value}`)));
}

const chooser = (info, chosen, change) => {
  if (info.parameters.length <= info.least || info.parameters.length < 2) return "";
  return info.most === 2 ? pairChooser(info, chosen, change) : severalChooser(info, chosen, change);
};

// One figure behind its title. It is fetched when it is opened.
function folded(id, info, selection) {
  const place = make("div"), choice = make("div"), links = make("p", { class: "muted" });
  let drawn = null, chosen = [], asked = 0;
  const draw = async () => {
    const mine = asked += 1;
    // Closed, or asked for anew, while this one was on its way.
    const isOld = () => mine !== asked;
    try {
      const figure = await get(addressOf(id, info.name, chosen));
      if (isOld()) return;
      // The zoom stays while the figure grows, and goes where it shows other parameters.
      figure.layout.uirevision = JSON.stringify(chosen);
      if (drawn) await drawn.show(figure);
      else {
        const element = make("div");
        place.replaceChildren(make("div", { class: "scroll" }, element));
        const made = await chart(element, figure, selection);
        if (isOld()) return made.leave();
        drawn = made;
        choice.replaceChildren(chooser(info, figure.layout.meta.parameters, choose));
      }
      links.replaceChildren(download(addressOf(id, info.name, chosen), "as plotly's JSON", `${info.name}.json`));
    } catch (error) {
      if (isOld()) return;
      if (error instanceof TokenNeeded) return fail(place, error);
      close();
      place.replaceChildren(failed(error.message, draw));
    }
  };
  const choose = (names) => {
    chosen = names;
    return draw();
  };
  const close = () => {
    asked += 1;
    drawn?.leave();
    drawn = null;
  };
  const toggle = () => {
    if (!details.open) return close();
    place.replaceChildren(loading());
    draw();
  };
  const details = make("details", { class: "figure", ontoggle: toggle },
    make("summary", {}, info.title), make("p", { class: "muted" }, info.caption), choice, place, links);
  return { element: details, name: info.name, again: () => details.open && draw(), close };
}

// The section of a job's figures.
export function figures(jobStore, selection) {
  const list = make("div", { class: "figures" }), missing = make("div");
  const section = make("section", { "aria-label": "Figures" }, make("h3", {}, "Figures"), list, missing);
  let shown = [], isSeen = false, isLeft = false, drawnFor = null;

  // What figures follow from.
  const now = () => `${jobStore.job.progress.finished} ${jobStore.job.finished_at}`;
  // Figures that are open stay, and are drawn again.
  const update = async () => {
    const { job } = jobStore;
    drawnFor = now();
    const { items } = await get(`/jobs/${job.id}/figures`);
    if (isLeft) return;
    const old = new Map(shown.map((one) => [one.name, one]));
    shown = items.filter(({ why_not: why }) => !why).map((info) => (old.get(info.name)?.element.open ? old.get(info.name) : folded(job.id, info, selection)));
    list.replaceChildren(...shown.map(({ element }) => element));
    for (const one of old.values()) one.again();
    const others = items.filter(({ why_not: why }) => why);
    missing.replaceChildren(others.length ? make("details", { class: "commands" }, make("summary", {}, `${others.length} more that this job does not have`),
      make("ul", {}, ...others.map(({ title, why_not: why }) => make("li", {}, `${title}: ${why}.`)))) : "");
  };
  const tryUpdate = () => update().catch((error) => {
    if (error instanceof TokenNeeded) fail(section, error);
    else missing.replaceChildren(failed(error.message, tryUpdate));
  });
  const isDue = () => isSeen && !document.hidden && drawnFor !== now();
  const redrawn = paced(() => isDue() && tryUpdate(), () => REDRAWN_MS);
  const updateSoon = () => isDue() && (jobStore.job.finished_at ? redrawn.now() : redrawn.soon());
  // What has changed while nobody saw the tab is drawn at once.
  const look = () => isDue() && redrawn.now();
  const watcher = new IntersectionObserver((entries) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    isSeen = true;
    watcher.disconnect();
    updateSoon();
  });
  watcher.observe(section);
  jobStore.on("job", updateSoon);
  document.addEventListener("visibilitychange", look);
  const stop = () => {
    isLeft = true;
    watcher.disconnect();
    redrawn.stop();
    document.removeEventListener("visibilitychange", look);
    for (const one of shown) one.close();
  };
  return { element: section, stop };
}
