// The pictures of a job that has ended, as its report has them.
import { get, objectUrl } from "../api.js";
import { download } from "../parts/download.js";
import { make } from "../parts/elements.js";

// How near to the window a picture is asked for: the service draws it then, which takes it a second.
const NEAR = "200px";

export function plots(path, onError) {
  const place = make("div", { class: "plots" });
  const files = new Map(); // by image
  const seen = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) if (isIntersecting) {
      seen.unobserve(target);
      (target === place ? list() : draw(target)).catch(onError);
    }
  }, { rootMargin: NEAR });
  const list = async () => {
    const { items } = await get(`${path}/plots`);
    place.replaceChildren(...items.map((plot) => {
      const file = `${path}/plots/${encodeURIComponent(plot.name)}.svg`, image = make("img", { alt: plot.title });
      files.set(image, file);
      return make("figure", {}, download(file, image, `${plot.name}.svg`), make("figcaption", {}, plot.caption));
    }));
    for (const image of files.keys()) seen.observe(image);
  };
  const draw = async (image) => {
    const src = await objectUrl(files.get(image));
    image.addEventListener("load", () => URL.revokeObjectURL(src));
    image.src = src;
  };
  seen.observe(place);
  return { element: place, stop: () => seen.disconnect() };
}
