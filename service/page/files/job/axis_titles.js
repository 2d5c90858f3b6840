// The titles above the axes of the parallel coordinates: level where there is room for all of them, else slanted.
import { shortened } from "../parts/format.js";

export const FONT = "12px system-ui, sans-serif";
const LEVEL = { top: 34, most: 18 };
// A slanted title goes up and to the right, over the axes that follow.
const SLANTED = { top: 84, most: 15, angle: -Math.PI / 4 };
const GAP = 8; // px between two level titles

const pen = document.createElement("canvas").getContext("2d");

export function widthOf(text) {
  pen.font = FONT;
  return pen.measureText(text).width;
}

// How titles are drawn above axes that are `apart` px from each other, and how much room that takes.
export const titleLayout = (titles, apart) =>
  (titles.every((title) => widthOf(shortened(title, LEVEL.most)) + GAP <= apart) ? LEVEL : SLANTED);

// `write(text, left, top)` draws into the context.
export function drawTitle(context, title, left, { top, most, angle = 0 }, write) {
  context.save();
  context.textAlign = angle ? "left" : "center";
  context.textBaseline = "bottom";
  context.translate(left, top - 10);
  context.rotate(angle);
  write(shortened(title, most), 0, 0);
  context.restore();
}
