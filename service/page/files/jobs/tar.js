// Packs the files of a folder as a .tar.gz (POSIX.1-1988, "ustar"), which `POST /code` takes. A page knows neither which
// files may be executed nor what links are: all files are plain ones.
const BLOCK = 512;
const LONGEST_NAME = 100, LONGEST_PREFIX = 155;
// What service/code/ignored.py never takes for code either; a page reads no .gitignore.
const NEVER = new Set([".git", ".hg", ".svn", ".venv", "__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".ipynb_checkpoints", "node_modules", ".DS_Store"]);

export const isCode = (path) => !path.endsWith(".pyc") && !path.split("/").some((part) => NEVER.has(part));

// The name in two parts, as the header has them; null where it is too long.
function split(path) {
  const bytes = (text) => new TextEncoder().encode(text).length;
  if (bytes(path) <= LONGEST_NAME) return [path, ""];
  for (let at = path.indexOf("/"); at > 0; at = path.indexOf("/", at + 1)) {
    const prefix = path.slice(0, at), name = path.slice(at + 1);
    if (bytes(prefix) <= LONGEST_PREFIX && bytes(name) <= LONGEST_NAME) return [name, prefix];
  }
  return null;
}

export function header(path, size) {
  const parts = split(path);
  if (!parts) throw new Error(`the path ${path} is too long to be packed here; argbest submit can pack it`);
  const block = new Uint8Array(BLOCK), [name, prefix] = parts;
  const write = (text, at) => block.set(new TextEncoder().encode(text), at);
  const octal = (number, digits) => `${number.toString(8).padStart(digits, "0")}\0`;
  write(name, 0);
  write(octal(0o644, 7), 100);
  write(octal(0, 7), 108);
  write(octal(0, 7), 116);
  write(octal(size, 11), 124);
  // One time for all, so that the same files give the same archive.
  write(octal(0, 11), 136);
  write("        ", 148);
  write("0", 156);
  write("ustar\u000000", 257);
  write(prefix, 345);
  write(`${octal(block.reduce((sum, byte) => sum + byte, 0), 6)} `, 148);
  return block;
}

// `files` are [path in the folder, Blob] pairs.
export function packed(files) {
  const parts = [...files].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([path, file]) =>
    [header(path, file.size), file, new Uint8Array((BLOCK - (file.size % BLOCK)) % BLOCK)]);
  const tar = new Blob([...parts, new Uint8Array(2 * BLOCK)]);
  return new Response(tar.stream().pipeThrough(new CompressionStream("gzip"))).blob();
}

// Of a picked folder: its files without its own name, and how many were left out.
export function filesOf(picked) {
  const named = [...picked].map((file) => [file.webkitRelativePath.split("/").slice(1).join("/"), file]);
  const code = named.filter(([path]) => isCode(path));
  return { files: code, leftOut: named.length - code.length };
}
