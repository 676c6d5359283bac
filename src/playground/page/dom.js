// Building DOM nodes. Owns the one way in which this page makes elements: attributes chosen by our
// own code and text as text nodes. Never takes HTML strings.

/**
 * Makes an element. `props.on` holds listeners, `props.testid` becomes data-testid, `props.text` the
 * text; everything else is an attribute (false, null and undefined leave it out).
 */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (name === "testid") {
      element.dataset.testid = value;
    } else if (name === "text") {
      element.textContent = value;
    } else {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  add(element, children);
  return element;
}

/** Appends nodes and strings, flattening lists and leaving out what is empty. */
export function add(parent, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false || child === "") continue;
    parent.append(child);
  }
  return parent;
}

export function fragment(...children) {
  return add(document.createDocumentFragment(), children);
}

/** Only these become anchors; everything else stays text. */
export function safeUrl(candidate) {
  const text = String(candidate ?? "").trim();
  if (!/^(https?:\/\/|mailto:)/i.test(text)) return null;
  try {
    const url = new URL(text);
    return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** An anchor if the address is harmless, else the label as plain text with the address beside it. */
export function link(address, label) {
  const href = safeUrl(address);
  const content = label === undefined || label === null || label === "" ? [String(address)] : [label].flat();
  if (!href) return h("span", { class: "dead-link", title: "Not a web link" }, content);
  const anchor = h("a", { href, target: "_blank", rel: "noopener noreferrer", class: "link", title: href }, content);
  const host = new URL(href).host;
  const claimed = /^(?:https?:\/\/)?([\w-]+(?:\.[\w-]+)+)/i.exec(anchor.textContent.trim())?.[1];
  // A label that names another site than it leads to is told apart from honest ones.
  const lies = claimed && host && /^https?:/i.test(anchor.textContent.trim()) && claimed.toLowerCase() !== host.replace(/:\d+$/, "").toLowerCase();
  return lies ? h("span", {}, anchor, h("span", { class: "dead-link", text: ` (leads to ${host})` })) : anchor;
}

/** Replaces only those top-level children of `target` that differ, so that selections live on. */
export function patchChildren(target, source) {
  const next = [...source.childNodes];
  for (let index = 0; index < next.length; index += 1) {
    const current = target.childNodes[index];
    if (!current) target.append(next[index]);
    else if (!current.isEqualNode(next[index])) current.replaceWith(next[index]);
  }
  while (target.childNodes.length > next.length) target.lastChild.remove();
}

/** Keeps Tab inside `container`; returns a function that lets go and restores the focus. */
export function trapFocus(container) {
  const before = document.activeElement;
  const onKey = (event) => {
    if (event.key !== "Tab") return;
    const stops = focusable(container);
    if (stops.length === 0) return;
    const first = stops[0];
    const last = stops[stops.length - 1];
    const inside = container.contains(document.activeElement);
    if (event.shiftKey && (!inside || document.activeElement === first)) {
      event.preventDefault();
      last.focus();
    } else if (!event.shiftKey && (!inside || document.activeElement === last)) {
      event.preventDefault();
      first.focus();
    }
  };
  document.addEventListener("keydown", onKey);
  return () => {
    document.removeEventListener("keydown", onKey);
    if (before instanceof HTMLElement && before.isConnected) before.focus();
  };
}

export function focusable(container) {
  const selector = "a[href],button:not([disabled]),input:not([disabled]),select:not([disabled]),textarea:not([disabled]),[tabindex='0']";
  return [...container.querySelectorAll(selector)].filter((element) => element.getClientRects().length > 0);
}

const SVG = "http://www.w3.org/2000/svg";

/** Stroke icons on a 20 by 20 grid. */
const PATHS = {
  hash: "M7.5 3.5 6 16.5M14 3.5l-1.5 13M3.5 7.5h13M3 12.5h13",
  reply: "M4 5.5A1.5 1.5 0 0 1 5.500 4h9A1.500 1.500 0 0 1 16 5.500v6a1.500 1.500 0 0 1-1.500 1.500H9l-3.500 3v-3A1.500 1.500 0 0 1 4 11.500z",
  smile: "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14M7.300 11.700c.6 1 1.600 1.500 2.700 1.500s2.100-.5 2.700-1.500M7.700 8v.2M12.300 8v.2",
  edit: "m4 16 .8-3.300L13.300 4.200a1.400 1.400 0 0 1 2 0l.5.5a1.400 1.400 0 0 1 0 2L7.300 15.200z",
  trash: "M4 5.500h12M8 5.500V4h4v1.500M5.500 5.500l.7 10.500h7.600l.7-10.500M8.500 8.500v5M11.500 8.500v5",
  close: "m5 5 10 10M15 5 5 15",
  menu: "M3.500 6h13M3.500 10h13M3.500 14h13",
  send: "M3.500 10 16.500 4l-4 12.500-3-5zM9.500 11.500l7-7.500",
  clip: "m15.500 9.500-5.800 5.800a3.500 3.500 0 0 1-5-5l6.300-6.300a2.400 2.400 0 0 1 3.400 3.400l-6 6a1.200 1.200 0 0 1-1.700-1.700l5.300-5.300",
  check: "m4.500 10.500 3.500 3.500 7.500-8",
  cross: "m6 6 8 8M14 6l-8 8",
  dots: "M5 10h.01M10 10h.01M15 10h.01",
  down: "m5.500 8 4.500 4.500L14.500 8",
  right: "m8 5.500 4.500 4.500L8 14.500",
  up: "M6 17V9M6 9l3.500-6c1.200 0 2 .8 1.700 2.200L10.700 8H15a1.500 1.500 0 0 1 1.500 1.800l-1 5.700A1.800 1.800 0 0 1 13.700 17z",
  thumbdown: "M14 3v8M14 11l-3.500 6c-1.200 0-2-.8-1.700-2.200l.5-2.800H5a1.500 1.500 0 0 1-1.500-1.800l1-5.700A1.800 1.800 0 0 1 6.300 3z",
  file: "M5.500 3h6l3.500 3.500V17h-9.500zM11.500 3v3.500H15M8 10.500h4.500M8 13.500h4.500",
  bolt: "M11 2.500 4.500 11.500H10L9 17.500l6.500-9H10z",
  eye: "M2.500 10S5.500 5 10 5s7.500 5 7.500 5-3 5-7.500 5-7.500-5-7.500-5M10 12.200a2.200 2.200 0 1 0 0-4.400 2.200 2.200 0 0 0 0 4.400",
  info: "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14M10 9.300v4M10 6.700v.1",
  warn: "M10 3.500 17.500 16.500h-15zM10 8.500v3.500M10 14.200v.1",
  stop: "M6 6h8v8H6z",
  copy: "M7.500 7.500V4.500h8v8h-3M4.500 7.500h8v8h-8z",
  link: "M8.500 11.500a3 3 0 0 0 4.300 0l2.400-2.400a3 3 0 0 0-4.300-4.300l-.9.9M11.500 8.500a3 3 0 0 0-4.300 0L4.800 10.900a3 3 0 0 0 4.300 4.300l.9-.9",
  image: "M3.500 4.500h13v11h-13zM3.500 13l4-4 3.500 3.500 2-2 3.500 3.500M12.500 7.500v.1",
  circle: "M10 15.500a5.500 5.500 0 1 0 0-11 5.500 5.500 0 0 0 0 11",
  pause: "M7.500 6v8M12.500 6v8",
  spin: "M10 3.500a6.500 6.500 0 1 1-6.500 6.500",
  clock: "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14M10 6v4.200l2.800 1.800",
};

export function icon(name, extraClass = "") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("class", `icon icon-${name} ${extraClass}`.trim());
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name] ?? PATHS.circle);
  svg.append(path);
  return svg;
}
