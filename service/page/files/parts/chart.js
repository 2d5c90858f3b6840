// Draws figures with plotly, which is loaded when the first one is drawn, in the page's own colors.
import { color, onColors } from "./canvas.js";
import { make } from "./elements.js";

// The lead to the script with its version; it is kept for ever by the browser.
const SCRIPT = "/page/plotly.js";
const CONFIG = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["autoScale2d", "zoomIn2d", "zoomOut2d"] };
let loaded;

function plotly() {
  loaded ??= new Promise((resolve, reject) => {
    const script = make("script", { src: SCRIPT });
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => {
      loaded = undefined;
      script.remove();
      reject(new Error("the script that draws figures could not be loaded"));
    };
    document.head.append(script);
  });
  return loaded;
}

// Plotly shows a part of HTML in texts, links included: `&lt;` is a `<` that is shown.
export const plainly = (text) => String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

function template() {
  const text = color("text"), line = color("line");
  const axis = { automargin: true, gridcolor: color("grid-line"), linecolor: line, zerolinecolor: line, ticks: "outside", tickcolor: line, exponentformat: "e", title: { standoff: 8 } };
  const scale = { outlinewidth: 0, thickness: 12, ticks: "outside", tickcolor: line };
  return {
    layout: {
      autosize: true, hovermode: "closest", margin: { l: 16, r: 16, t: 32, b: 16 },
      colorway: [1, 2, 3, 4, 5, 6, 7, 8].map((place) => color(`series-${place}`)),
      font: { family: color("words"), size: 13, color: text },
      paper_bgcolor: color("page"), plot_bgcolor: color("page"),
      hoverlabel: { align: "left", bgcolor: color("raised"), bordercolor: line, font: { color: text } },
      modebar: { bgcolor: "#00000000", color: color("muted"), activecolor: color("accent") },
      legend: { orientation: "h", x: 0, y: 1, yanchor: "bottom" },
      xaxis: axis, yaxis: axis,
    },
    data: { scatter: [{ marker: { size: 7 } }], contour: [{ colorbar: scale }] },
  };
}

// A trace says which color of the page it wants ("--series-1"), and whether the band down to the trace before it is filled.
function colored(trace) {
  const { color: wanted, band } = trace.meta ?? {};
  if (!wanted) return trace;
  const value = color(wanted.slice(2)), line = trace.type === "bar" ? {} : { line: { ...trace.line, color: value } };
  return { ...trace, ...line, marker: { ...trace.marker, color: value }, ...(band ? { fill: "tonexty", fillcolor: `${value}33` } : {}) };
}

// Axes side by side need a width of their own; what is wider than the window scrolls.
const columns = (figure) => Object.keys(figure.layout).filter((name) => name.startsWith("xaxis")).length;

const hasTrials = (figure) => figure.data.some(({ customdata }) => customdata);

const placesOf = (figure, isMeant) => figure.data.map((_, place) => place).filter((place) => isMeant(figure.data[place]));

// Which points of each trace are marked; all look alike while nothing is (`marked` is null then).
function marking(figure, marked) {
  const places = placesOf(figure, ({ customdata }) => customdata);
  const points = places.map((place) => marked && figure.data[place].customdata.flatMap((trial, index) => (marked.has(trial) ? [index] : [])));
  return [{ selectedpoints: points }, places];
}

// Lines that are a trial each.
function fading(figure, marked) {
  const places = placesOf(figure, ({ meta }) => meta?.trial !== undefined);
  return [{ opacity: places.map((place) => (marked && !marked.has(figure.data[place].meta.trial) ? 0.15 : 1)) }, places];
}

// Draws `figure` ({data, layout}) in `element`. With a selection, a brush over its points marks their trials, and
// trials that are marked elsewhere stand out. Returns `show(figure)` and `leave()`.
export async function chart(element, first, selection) {
  const Plotly = await plotly();
  let figure = first, isLeft = false, drawing = null;
  element.classList.add("chart");

  const mark = () => {
    const { marked } = selection;
    const changes = [marking(figure, marked), fading(figure, marked)].filter(([, places]) => places.length);
    return Promise.all(changes.map(([change, places]) => Plotly.restyle(element, change, places)));
  };
  const drawNow = async () => {
    element.style.minWidth = columns(figure) > 1 ? `${14 * columns(figure)}rem` : "";
    const layout = { ...figure.layout, template: template(), dragmode: selection && hasTrials(figure) ? "select" : "zoom" };
    await Plotly.react(element, figure.data.map(colored), layout, CONFIG);
    if (selection && !isLeft) await mark();
  };
  const draw = () => drawing = drawNow();
  const show = (next) => {
    figure = next;
    return draw();
  };
  await draw();
  let unmark = () => {};
  if (selection) {
    const numbers = ({ points }) => points.map(({ customdata }) => customdata).filter(Number.isInteger);
    element.on("plotly_selected", (event) => selection.mark(event ? numbers(event) : null, "figure"));
    element.on("plotly_deselect", () => selection.mark(null, "figure"));
    unmark = selection.on((what) => what === "marked" && (drawing = mark()));
  }
  const uncolor = onColors(draw);
  const leave = () => {
    isLeft = true;
    uncolor();
    unmark();
    // Plotly fails at a figure that is taken from it while it draws.
    const purge = () => Plotly.purge(element);
    drawing.then(purge, purge);
  };
  return { show, leave };
}
