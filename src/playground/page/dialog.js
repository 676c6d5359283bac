// The page's dialogs: a frame with title, body and buttons that keeps the focus inside, and the
// confirmation asked before a button acts.

import { h, icon, trapFocus, focusable } from "./dom.js";

/**
 * Opens a dialog frame. `onClose` runs on Esc and on the close button; the caller removes it by
 * calling the returned function.
 */
export function openFrame({ title, body, footer, onClose, testid, wide, form }) {
  const heading = h("h2", { class: "dialog-title", text: title });
  const close = h("button", { class: "icon-button", type: "button", "aria-label": "Close", testid: `${testid}-x`, on: { click: onClose } }, icon("close"));
  const inner = [h("header", { class: "dialog-head" }, heading, close), h("div", { class: "dialog-body" }, body), footer ? h("footer", { class: "dialog-foot" }, footer) : null];
  const box = h(form ? "form" : "div", { class: `dialog${wide ? " dialog-wide" : ""}`, role: "dialog", "aria-modal": "true", "aria-label": title, testid, novalidate: form ? true : null }, inner);
  const shade = h("div", { class: "shade" }, box);
  document.getElementById("overlays").append(shade);
  const release = trapFocus(box);
  const onKey = (event) => {
    if (event.key !== "Escape" || document.getElementById("overlays").lastElementChild !== shade) return;
    event.preventDefault();
    event.stopPropagation();
    onClose();
  };
  document.addEventListener("keydown", onKey);
  const first = focusable(box.querySelector(".dialog-body"))[0] ?? focusable(box.querySelector(".dialog-foot") ?? box).at(-1) ?? close;
  first.focus();
  const remove = () => {
    document.removeEventListener("keydown", onKey);
    shade.remove();
    release();
  };
  return { box, remove };
}

/** Asks; answers true or false. */
export function confirmDialog({ title, text, confirm, deny, danger }) {
  return new Promise((resolve) => {
    const answer = (value) => () => {
      frame.remove();
      resolve(value);
    };
    const no = h("button", { class: "button", type: "button", testid: "confirm-no", on: { click: answer(false) } }, deny || "Cancel");
    const yes = h("button", { class: `button ${danger ? "button-danger" : "button-primary"}`, type: "button", testid: "confirm-yes", on: { click: answer(true) } }, confirm || "Yes");
    const frame = openFrame({ title: title || "Are you sure?", body: text, footer: [no, yes], onClose: answer(false), testid: "confirm" });
  });
}
