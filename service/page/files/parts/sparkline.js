// A small line without axes: the course of a best value.
import { svg } from "./elements.js";

const WIDTH = 96, HEIGHT = 24, EDGE = 3;

// `points` are [x, y], x growing; `end` is the x at which the last value still holds. `label` says it in words.
export function sparkline(points, end, label) {
  const line = svg("svg", { class: "sparkline", width: WIDTH, height: HEIGHT, viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label });
  const ys = points.map(([, y]) => y), low = Math.min(...ys), high = Math.max(...ys);
  const [first] = points[0], last = Math.max(end, points.at(-1)[0]);
  const x = (value) => EDGE + (last > first ? (value - first) / (last - first) : 0) * (WIDTH - 2 * EDGE);
  const y = (value) => HEIGHT - EDGE - (high > low ? (value - low) / (high - low) : 0.5) * (HEIGHT - 2 * EDGE);
  // A best value holds until a better one comes: steps, not slopes.
  const steps = points.map(([at, value], index) => (index ? `H${x(at)}V${y(value)}` : `M${x(at)},${y(value)}`)).join("");
  const [, now] = points.at(-1);
  line.append(svg("path", { d: `${steps}H${x(last)}` }), svg("circle", { cx: x(last), cy: y(now), r: 2.5 }));
  return line;
}
