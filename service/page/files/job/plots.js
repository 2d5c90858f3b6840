// The pictures of a job that has ended, as its report has them.
import { get, objectUrl, TokenNeeded } from "../api.js";
import { download } from "../parts/download.js";
import { make } from "../parts/elements.js";
import { fail, failed } from "../parts/faces.js";

// How near to the window a picture is asked for: the service draws it then, which takes it a second.
const NEAR = "200px";

export function plots(path) {
  const place = make("div", { class: "plots" });
  const files = new Map(); // by image
  const seen = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) if (isIntersecting) {
      seen.unobserve(target);
      if (target === place) attempt(list, place);
      else attempt(() => draw(target), target.closest("figure"));
    }
  }, { rootMargin: NEAR });
  // Says in the place of `part` what went wrong with it, until it is tried again; the others stay.
  const attempt = async (act, part) => {
    try {
      await act();
    } catch (error) {
      if (error instanceof TokenNeeded) return fail(place, error);
      const face = failed(error.message, () => {
        face.replaceWith(part);
        attempt(act, part);
      });
      part.replaceWith(face);
    }
  };
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
