// The pictures of a job that has ended, as its report has them.
import { get, objectUrl } from "../api.js";
import { download } from "../parts/download.js";
import { make } from "../parts/elements.js";

export async function plots(path) {
  const { items } = await get(`${path}/plots`);
  return make("div", { class: "plots" }, ...await Promise.all(items.map(async (plot) => {
    const file = `${path}/plots/${encodeURIComponent(plot.name)}.svg`;
    const src = await objectUrl(file);
    const image = make("img", { src, alt: plot.title, onload: () => URL.revokeObjectURL(src) });
    return make("figure", {}, download(file, image, `${plot.name}.svg`), make("figcaption", {}, plot.caption));
  })));
}
