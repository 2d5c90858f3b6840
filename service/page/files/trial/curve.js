// One metric of one trial by epoch, as a small picture: the pointer and the arrow keys read its values.
import { make, svg } from "../parts/elements.js";
import { number } from "../parts/format.js";

const WIDTH = 320, HEIGHT = 150, LEFT = 6, RIGHT = 10, TOP = 10, BOTTOM = 8;

// The places of the points that have a value; of very long curves every second, third ... one.
function placed(epochs, values) {
  const known = epochs.map((epoch, index) => ({ epoch, value: values[index] })).filter(({ value }) => value !== null);
  const every = Math.ceil(known.length / (2 * WIDTH)) || 1;
  const kept = known.filter((_, index) => index % every === 0 || index === known.length - 1);
  const low = known.reduce((least, { value }) => Math.min(least, value), Infinity);
  const high = known.reduce((most, { value }) => Math.max(most, value), -Infinity);
  const first = known[0].epoch, last = known.at(-1).epoch;
  const across = (epoch) => LEFT + (last === first ? 0.5 : (epoch - first) / (last - first)) * (WIDTH - LEFT - RIGHT);
  const down = (value) => HEIGHT - BOTTOM - (high === low ? 0.5 : (value - low) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  return { low, high, first, last, points: kept.map((point) => ({ ...point, x: across(point.epoch), y: down(point.value) })) };
}

function summary(metric, { points, low, high, first, last }) {
  const { value } = points.at(-1);
  return `${metric} from epoch ${first} to ${last}: between ${number(low)} and ${number(high)}, at the end ${number(value)}. Arrow keys read the values.`;
}

// Reads single points out: `say` gets a text, "" when nobody points.
function reading(picture, points, say) {
  const mark = svg("circle", { r: 4, class: "curve-mark", visibility: "hidden" });
  picture.append(mark);
  let at = points.length - 1;
  const point = (index) => {
    at = Math.max(0, Math.min(points.length - 1, index));
    const { x, y, epoch, value } = points[at];
    for (const [name, place] of [["cx", x], ["cy", y], ["visibility", "visible"]]) mark.setAttribute(name, place);
    say(`epoch ${epoch}: ${number(value)}`);
  };
  const nearest = ({ clientX }) => {
    const { left, width } = picture.getBoundingClientRect();
    const x = ((clientX - left) / width) * WIDTH;
    return points.reduce((best, each, index) => (Math.abs(each.x - x) < Math.abs(points[best].x - x) ? index : best), 0);
  };
  const leave = () => {
    mark.setAttribute("visibility", "hidden");
    say("");
  };
  picture.addEventListener("pointermove", (event) => point(nearest(event)));
  picture.addEventListener("pointerleave", leave);
  picture.addEventListener("blur", leave);
  picture.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    point(at + step);
  });
}

// Returns a figure for a metric, which `update(epochs, values)` draws anew; a reader keeps the place.
export function curveFigure(metric) {
  const read = make("span", { class: "muted", "aria-live": "polite" });
  const [high, low, range] = ["high", "low", "range"].map((kind) => make("span", { class: `curve-${kind} muted` }));
  const place = make("div", { class: "curve-place" });
  const figure = make("figure", { class: "curve" }, make("figcaption", {}, make("b", {}, metric), " ", read), high, place, low, range);
  let drawn = "", last = "";
  const update = (epochs, values) => {
    const wanted = JSON.stringify([epochs.length, values.at(-1), values.length]);
    if (wanted === drawn || !values.some((value) => value !== null)) return;
    drawn = wanted;
    const found = placed(epochs, values);
    last = number(found.points.at(-1).value);
    const hadFocus = place.contains(document.activeElement);
    const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", tabindex: 0, "aria-label": summary(metric, found) });
    const line = found.points.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
    picture.append(svg("polyline", { points: line, class: "curve-line" }));
    if (found.points.length === 1) picture.append(svg("circle", { cx: found.points[0].x, cy: found.points[0].y, r: 3, class: "curve-mark" }));
    reading(picture, found.points, (text) => { read.textContent = text || last; });
    read.textContent = last;
    high.textContent = number(found.high);
    low.textContent = found.low === found.high ? "" : number(found.low);
    range.textContent = `epoch ${found.first} to ${found.last}`;
    place.replaceChildren(picture);
    if (hadFocus) picture.focus();
  };
  return { figure, update };
}
