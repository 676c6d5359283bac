// Small floating menus: overflow options, the reaction picker. One at a time; Esc and a click
// elsewhere close it; arrow keys move.

import { h } from "./dom.js";

let close = null;

export function closePopup() {
  close?.();
}

/** Shows `content` beside `anchor`; the content's buttons are the stops. */
export function openPopup(anchor, content, label) {
  const again = close !== null && close.anchor === anchor;
  close?.();
  if (again) return;
  const node = h("div", { class: "popup", role: "menu", "aria-label": label, testid: "popup" }, content);
  document.getElementById("overlays").append(node);
  const spot = anchor.getBoundingClientRect();
  const box = node.getBoundingClientRect();
  const left = Math.max(8, Math.min(spot.right - box.width, innerWidth - box.width - 8));
  const below = spot.bottom + 6 + box.height < innerHeight;
  node.style.left = `${left}px`;
  node.style.top = `${below ? spot.bottom + 6 : Math.max(8, spot.top - 6 - box.height)}px`;
  anchor.setAttribute("aria-expanded", "true");
  const stops = [...node.querySelectorAll("button")];
  stops[0]?.focus();
  const onKey = (event) => {
    const at = stops.indexOf(document.activeElement);
    if (event.key === "Escape") {
      event.stopPropagation();
      event.preventDefault();
      close?.();
      anchor.focus();
    } else if (event.key === "ArrowDown" || event.key === "ArrowRight") {
      event.preventDefault();
      stops[(at + 1) % stops.length]?.focus();
    } else if (event.key === "ArrowUp" || event.key === "ArrowLeft") {
      event.preventDefault();
      stops[(at - 1 + stops.length) % stops.length]?.focus();
    } else if (event.key === "Tab") {
      close?.();
    }
  };
  const onPointer = (event) => {
    if (!node.contains(event.target) && !anchor.contains(event.target)) close?.();
  };
  document.addEventListener("keydown", onKey, true);
  document.addEventListener("pointerdown", onPointer, true);
  close = () => {
    document.removeEventListener("keydown", onKey, true);
    document.removeEventListener("pointerdown", onPointer, true);
    anchor.setAttribute("aria-expanded", "false");
    node.remove();
    close = null;
  };
  close.anchor = anchor;
}
