// Draws axes, bands and curves into the canvas of a panel.
import { color } from "../parts/canvas.js";
import { tickText } from "../parts/scale.js";

const FONT = "12px system-ui, sans-serif";

export function drawAxes(context, x, y) {
  const left = x.place(x.low), right = x.place(x.high), bottom = y.place(y.low), top = y.place(y.high);
  context.font = FONT;
  context.lineWidth = 1;
  context.fillStyle = color("muted");
  context.strokeStyle = color("grid-line");
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (const value of y.ticks(5)) {
    const place = Math.round(y.place(value)) + 0.5;
    line(context, left, place, right, place);
    context.fillText(tickText(value), left - 8, place);
  }
  context.textBaseline = "top";
  context.textAlign = "center";
  for (const value of x.ticks(Math.max(2, Math.min(8, (right - left) / 60))).filter(Number.isInteger)) context.fillText(tickText(value), x.place(value), bottom + 8);
  context.strokeStyle = color("line");
  line(context, left, bottom + 0.5, right, bottom + 0.5);
  line(context, left + 0.5, top, left + 0.5, bottom);
}

function line(context, ...[fromX, fromY, toX, toY]) {
  context.beginPath();
  context.moveTo(fromX, fromY);
  context.lineTo(toX, toY);
  context.stroke();
}

// Between the 5th and the 95th hundredth, between the quarters, and the median.
export function drawBands(context, rows, x, y) {
  const area = (low, high) => {
    context.beginPath();
    rows.forEach(({ epoch, values }) => context.lineTo(x.place(epoch), y.place(values[high])));
    rows.toReversed().forEach(({ epoch, values }) => context.lineTo(x.place(epoch), y.place(values[low])));
    context.closePath();
    context.fill();
  };
  context.fillStyle = color("band");
  area(0, 4);
  area(1, 3);
  context.strokeStyle = color("series-1");
  context.lineWidth = 1.5;
  context.setLineDash([]);
  context.beginPath();
  rows.forEach(({ epoch, values }) => context.lineTo(x.place(epoch), y.place(values[2])));
  context.stroke();
}

const STYLES = {
  plain: { color: "series-1", width: 1.2, alpha: 0.55 },
  running: { color: "series-6", width: 1.2, alpha: 0.8 },
  best: { color: "series-3", width: 2, alpha: 1 },
  marked: { color: "series-2", width: 1.6, alpha: 0.95 },
  hovered: { color: "text", width: 2.5, alpha: 1 },
};
// How the line of a trial that has ended badly, or early, is dashed.
const DASHES = { stopped: [6, 3], failed: [2, 3], cancelled: [2, 3] };

// A line, and at its end a sign of the trial's state. With `isDim`, what is not marked steps back.
export function drawLine(context, curves, trial, kind, { x, y, isDim }) {
  const { first, values } = curves.all.get(trial.number), style = STYLES[kind];
  context.globalAlpha = isDim && kind !== "marked" && kind !== "hovered" ? 0.25 : style.alpha;
  context.strokeStyle = color(style.color);
  context.lineWidth = style.width;
  context.setLineDash(DASHES[trial.state] ?? []);
  const from = Math.max(0, Math.floor((x.low - first) / curves.every) - 1);
  const to = Math.min(values.length - 1, Math.ceil((x.high - first) / curves.every) + 1);
  const step = Math.max(1, Math.floor((to - from) / 1500));
  let isOpen = false;
  context.beginPath();
  for (let place = from; place <= to; place += step) {
    const value = values[place];
    if (Number.isNaN(value)) isOpen = false;
    else {
      const at = [x.place(first + place * curves.every), y.place(value)];
      if (isOpen) context.lineTo(...at); else context.moveTo(...at);
      isOpen = true;
    }
  }
  context.stroke();
  context.setLineDash([]);
  sign(context, trial.state, x.place(first + (values.length - 1) * curves.every), y.place(values.at(-1)));
  context.globalAlpha = 1;
}

// The dot of a running trial, the circle of a paused one, the square of a stopped one, the cross of a failed one.
function sign(context, state, left, top) {
  if (Number.isNaN(top) || state === "succeeded" || state === "queued") return;
  context.fillStyle = context.strokeStyle = color(`state-${state}`);
  context.lineWidth = 2;
  context.beginPath();
  if (state === "running" || state === "paused") context.arc(left, top, 3.5, 0, 2 * Math.PI);
  else if (state === "stopped") context.rect(left - 3, top - 3, 6, 6);
  else if (state === "failed") for (const side of [-1, 1]) {
    context.moveTo(left - 4, top - 4 * side);
    context.lineTo(left + 4, top + 4 * side);
  } else {
    context.moveTo(left, top - 5);
    context.lineTo(left, top + 5);
  }
  if (state === "running" || state === "stopped") context.fill(); else context.stroke();
}
