// What is typed becomes JSON, and JSON becomes text in a field. The server judges it: what cannot be read is sent as it is.
const types = (rule) => [rule?.type ?? [], ...(rule?.anyOf ?? []).map(({ type }) => type ?? [])].flat();

export const isNumeric = (rule) => types(rule).some((type) => type === "number" || type === "integer");
const isText = (rule) => types(rule).every((type) => type === "string" || type === "null") && types(rule).includes("string");

// The first branch that is not null says what the values are like.
export const main = (rule) => (rule?.anyOf ? { ...rule, ...rule.anyOf.find(({ type }) => type !== "null") } : rule ?? {});

const looseNumber = /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/;

export function read(text, rule) {
  const written = text.trim();
  if (isText(rule) && written !== "null") return text;
  // JSON has no 1e-3. without a digit after the point, and no .5; people write them.
  if (looseNumber.test(written)) return Number(written);
  try {
    return JSON.parse(written);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return written;
  }
}

export function write(value) {
  if (value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

// Values with commas between; a whole JSON list is taken as one.
export function readList(text, rule) {
  const written = text.trim();
  if (written.startsWith("[") && written.endsWith("]")) {
    const whole = read(written, {});
    if (Array.isArray(whole)) return whole;
  }
  return written === "" ? [] : written.split(",").map((one) => read(one.trim(), rule));
}

export function writeList(values) {
  const isPlain = values.every((value) => (typeof value === "string" ? value !== "" && !/[,[\]"]|^\s|\s$/.test(value) && typeof read(value, {}) === "string" : !Array.isArray(value) && value !== null));
  return isPlain ? values.map(write).join(", ") : JSON.stringify(values);
}

export const isEqual = (one, other) => JSON.stringify(one) === JSON.stringify(other);
