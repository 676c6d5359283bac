// Short notices at the edge of the page: what an act was refused for, what was copied.

import { h, icon } from "./dom.js";

const SHOWN_MS = 6000;

export function toast(text, level = "error") {
  const box = document.getElementById("toasts");
  const close = h("button", { class: "icon-button", type: "button", "aria-label": "Dismiss" }, icon("close"));
  const node = h("div", { class: `toast toast-${level}`, testid: "toast" }, icon(level === "error" ? "warn" : "info"), h("span", { text }), close);
  close.addEventListener("click", () => node.remove());
  box.append(node);
  while (box.children.length > 4) box.firstChild.remove();
  setTimeout(() => node.remove(), SHOWN_MS);
}

/** Runs an act and shows why it was refused; answers null then. */
export async function attempt(promise) {
  try {
    return await promise;
  } catch (error) {
    toast(error.message || String(error));
    return null;
  }
}
