// A canvas that is as sharp as the screen, as wide as its place, and has the page's colors.

// `draw(context, width, height)` is called, once in a frame, when the size changes and by `soon()`: while the canvas is
// out of sight nothing is drawn, and what is due when it comes into sight.
export function canvasIn(element, height, draw, attributes = {}) {
  const canvas = document.createElement("canvas");
  for (const [name, value] of Object.entries(attributes)) canvas.setAttribute(name, value);
  element.append(canvas);
  const context = canvas.getContext("2d");
  let width = 0, frame = 0, isSeen = false, isDue = false;
  const paint = () => {
    frame = 0;
    isDue = !isSeen;
    if (!width || isDue) return;
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.clearRect(0, 0, width, height);
    draw(context, width, height);
  };
  const soon = () => { frame ||= requestAnimationFrame(paint); };
  const fit = () => {
    const next = Math.floor(element.clientWidth);
    if (next === width || !next) return;
    width = next;
    canvas.width = Math.round(width * devicePixelRatio);
    canvas.height = Math.round(height * devicePixelRatio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    soon();
  };
  const seen = new IntersectionObserver(([{ isIntersecting }]) => {
    isSeen = isIntersecting;
    if (isSeen && isDue) soon();
  }, { rootMargin: "50px" });
  seen.observe(canvas);
  const sized = new ResizeObserver(fit);
  sized.observe(element);
  fit();
  const stop = () => {
    sized.disconnect();
    seen.disconnect();
    cancelAnimationFrame(frame);
  };
  return { canvas, context, soon, stop, get width() { return width; } };
}

// It follows what holds now. Asking it makes the browser compute the page's style, so what it says is kept.
const styles = getComputedStyle(document.documentElement), colors = new Map();
const media = matchMedia("(prefers-color-scheme: dark)");
media.addEventListener("change", () => colors.clear());

// The page's colors by name, as style/colors.css has them for light or dark: color("line") is that of --line.
export function color(name) {
  if (!colors.get(name)) colors.set(name, styles.getPropertyValue(`--${name}`).trim());
  return colors.get(name);
}

// Calls `redraw` when the page becomes dark or light; returns what ends that.
export function onColors(redraw) {
  media.addEventListener("change", redraw);
  return () => media.removeEventListener("change", redraw);
}

// The pointer's place within an element.
export function placeOf(event, element) {
  const box = element.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}
