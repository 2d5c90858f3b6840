// The field of a job's priority, which events draw anew while somebody types into it.
import { make } from "./elements.js";

const MOST_PRIORITY = 100;

// `send(value)` tells the server and returns whether that worked. What was typed stays until the server shows it;
// Escape takes it back.
export function priorityField(send) {
  let known = null, isTyped = false, isSending = false, sent = null;
  const commit = async () => {
    if (!isTyped || isSending || !field.reportValidity()) return;
    const value = Number(field.value);
    isSending = true;
    const hasWorked = await send(value);
    isSending = false;
    if (!hasWorked || Number(field.value) !== value) return;
    isTyped = false;
    if (value !== known) sent = value;
  };
  const keys = ({ key }) => {
    if (key === "Enter") commit();
    if (key !== "Escape") return;
    isTyped = false;
    field.value = known;
  };
  const field = make("input", { type: "number", min: 1, max: MOST_PRIORITY, step: 1, required: "", onkeydown: keys, onchange: commit,
    oninput: () => { isTyped = true; } });
  // What was read before the server took the value over shows the old one once more.
  const show = ({ priority }) => {
    const isOld = sent !== null && priority === known;
    if (!isOld) {
      known = priority;
      sent = null;
    }
    if (!isTyped && !isOld) field.value = priority;
  };
  return { field, show };
}
