// Interactive Block Kit elements in messages: buttons, selects, overflow menus, feedback, choices.
// Reports what a person did through `context.act(block, element, value)`; sends nothing itself.

import { h, icon, safeUrl, add } from "./dom.js";
import { mrkdwn, unescapeEntities } from "./mrkdwn.js";
import { withEmoji } from "./emoji.js";
import { confirmDialog } from "./dialog.js";
import { openPopup, closePopup } from "./popup.js";
import { pictureOf } from "./files.js";

/** A text object: plain_text or mrkdwn. */
export function textObject(text) {
  if (!text) return "";
  if (typeof text === "string") return text;
  if (text.type === "mrkdwn") return mrkdwn(text.text);
  return withEmoji(text.text ?? "");
}

export function plainText(text) {
  return withEmoji(unescapeEntities(typeof text === "string" ? text : text?.text ?? ""));
}

/** Asks the element's confirmation, if it has one, then acts; keeps the control still meanwhile. */
async function run(control, block, element, context, value) {
  if (control.getAttribute("aria-busy") === "true") return null;
  if (element.confirm) {
    const sure = await confirmDialog({
      title: plainText(element.confirm.title),
      text: textObject(element.confirm.text),
      confirm: plainText(element.confirm.confirm),
      deny: plainText(element.confirm.deny),
      danger: element.confirm.style === "danger",
    });
    if (!sure) return null;
  }
  control.setAttribute("aria-busy", "true");
  try {
    return await context.act(block, element, value);
  } finally {
    setTimeout(() => control.removeAttribute("aria-busy"), 400);
  }
}

function button(element, block, context) {
  const style = element.style === "primary" ? " button-primary" : element.style === "danger" ? " button-danger" : "";
  const props = {
    class: `button${style}`,
    testid: "block-button",
    "data-action-id": element.action_id,
    "data-block-id": block.block_id,
    "aria-label": element.accessibility_label,
  };
  const href = element.url ? safeUrl(element.url) : null;
  if (href) {
    const anchor = h("a", { ...props, href, target: "_blank", rel: "noopener noreferrer" }, plainText(element.text), icon("link"));
    anchor.addEventListener("click", () => context.act(block, element, element.value));
    return anchor;
  }
  const node = h("button", { ...props, type: "button" }, plainText(element.text));
  node.addEventListener("click", () => run(node, block, element, context, element.value));
  return node;
}

export function options(element) {
  return [...(element.options ?? []), ...(element.option_groups ?? []).flatMap((group) => group.options ?? [])];
}

/** A <select> with the element's options and groups; used in messages and in modals. */
export function selectControl(element, props = {}) {
  const initial = element.initial_option?.value;
  const option = (item) => h("option", { value: item.value, selected: item.value === initial }, plainText(item.text));
  const node = h("select", { class: "select", ...props });
  node.append(h("option", { value: "", disabled: true, selected: initial === undefined }, plainText(element.placeholder) || "Select…"));
  add(node, (element.options ?? []).map(option));
  add(node, (element.option_groups ?? []).map((group) => h("optgroup", { label: plainText(group.label) }, (group.options ?? []).map(option))));
  return node;
}

function select(element, block, context) {
  const node = selectControl(element, { testid: "block-select", "data-action-id": element.action_id, "aria-label": plainText(element.placeholder) || "Select" });
  node.addEventListener("change", () => run(node, block, element, context, node.value));
  return h("span", { class: "select-box" }, node, icon("down"));
}

function overflow(element, block, context) {
  const node = h("button", { class: "icon-button overflow", type: "button", testid: "block-overflow", "aria-haspopup": "menu", "aria-label": "More actions", "data-action-id": element.action_id }, icon("dots"));
  node.addEventListener("click", () => {
    const items = options(element).map((item) =>
      h(
        "button",
        {
          class: "popup-item",
          type: "button",
          role: "menuitem",
          on: {
            click: () => {
              closePopup();
              const href = item.url ? safeUrl(item.url) : null;
              if (href) window.open(href, "_blank", "noopener,noreferrer");
              run(node, block, element, context, item.value);
            },
          },
        },
        plainText(item.text),
      ),
    );
    openPopup(node, items, "More actions");
  });
  return node;
}

/** Which feedback a person gave, so that a redraw keeps the mark. */
const given = new Map();

function feedback(element, block, context) {
  const key = `${context.key}/${block.block_id}/${element.action_id}/${context.me}`;
  const make = (side, name, glyph) => {
    if (!side) return null;
    const pressed = given.get(key) === side.value;
    const node = h(
      "button",
      { class: "feedback", type: "button", testid: `feedback-${name}`, "aria-pressed": String(pressed), "aria-label": side.accessibility_label ?? plainText(side.text), title: plainText(side.text) },
      icon(glyph),
      h("span", { text: plainText(side.text) }),
    );
    node.addEventListener("click", async () => {
      const result = await run(node, block, element, context, side.value);
      if (result === null) return;
      given.set(key, side.value);
      for (const other of node.parentElement?.querySelectorAll(".feedback") ?? []) other.setAttribute("aria-pressed", String(other === node));
    });
    return node;
  };
  return h("span", { class: "feedback-pair", role: "group", "aria-label": "Feedback", testid: "feedback" }, make(element.positive_button ?? element.positive, "positive", "up"), make(element.negative_button ?? element.negative, "negative", "thumbdown"));
}

function iconButton(element, block, context) {
  const label = element.accessibility_label ?? plainText(element.text);
  const node = h("button", { class: "icon-button", type: "button", testid: "block-button", "data-action-id": element.action_id, "aria-label": label, title: label }, icon(element.icon === "trash" ? "trash" : "bolt"));
  node.addEventListener("click", () => run(node, block, element, context, element.value));
  return node;
}

let groups = 0;

/** Radio buttons and checkboxes; `onChange` gets the chosen options. */
export function choices(element, onChange) {
  const many = element.type === "checkboxes" || element.type === "multi_static_select";
  const name = `choice-${(groups += 1)}`;
  const chosen = new Set(many ? (element.initial_options ?? []).map((item) => item.value) : element.initial_option ? [element.initial_option.value] : []);
  const rows = options(element).map((item) => {
    const input = h("input", { type: many ? "checkbox" : "radio", name, value: item.value, checked: chosen.has(item.value) });
    input.addEventListener("change", () => onChange?.(read()));
    const about = item.description ? h("span", { class: "choice-about" }, textObject(item.description)) : null;
    return { item, input, node: h("label", { class: "choice" }, input, h("span", { class: "choice-text" }, textObject(item.text), about)) };
  });
  const read = () => rows.filter((row) => row.input.checked).map((row) => row.item);
  return { node: h("div", { class: "choices", role: many ? "group" : "radiogroup" }, rows.map((row) => row.node)), read, inputs: rows.map((row) => row.input) };
}

function choiceElement(element, block, context) {
  const group = choices(element, (chosen) => run(group.node, block, element, context, element.type === "radio_buttons" ? chosen[0]?.value : chosen.map((item) => item.value)));
  return group.node;
}

/** A picture of a file of this workspace, fetched with the page's token. */
function ownPicture(id, alt, className) {
  const image = h("img", { class: className, alt, testid: "picture" });
  pictureOf(id).then(
    (source) => image.setAttribute("src", source),
    () => image.replaceWith(h("span", { class: `${className} picture-missing` }, [icon("image"), h("span", { text: alt || "image" })])),
  );
  return image;
}

/** Pictures only of this workspace's files or from data addresses: the page loads nothing from elsewhere. */
export function picture(element, className) {
  const own = String(element.slack_file?.id ?? "");
  if (/^F[A-Z0-9]+$/.test(own)) return ownPicture(own, plainText(element.alt_text ?? ""), className);
  const address = String(element.image_url ?? "");
  const alt = plainText(element.alt_text ?? "");
  if (/^data:image\/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]+$/.test(address)) return h("img", { class: className, src: address, alt, loading: "lazy" });
  const href = safeUrl(address);
  const label = [icon("image"), h("span", { text: alt || "image" })];
  return href
    ? h("a", { class: `${className} picture-missing`, href, target: "_blank", rel: "noopener noreferrer", title: "Pictures from elsewhere are not loaded" }, label)
    : h("span", { class: `${className} picture-missing` }, label);
}

/** Any element of an `actions`, `context_actions` or `section` block. */
export function element(item, block, context) {
  switch (item?.type) {
    case "button":
    case "workflow_button":
      return button(item, block, context);
    case "static_select":
      return select(item, block, context);
    case "overflow":
      return overflow(item, block, context);
    case "feedback_buttons":
      return feedback(item, block, context);
    case "icon_button":
      return iconButton(item, block, context);
    case "radio_buttons":
    case "checkboxes":
    case "multi_static_select":
      return choiceElement(item, block, context);
    case "image":
      return picture(item, "accessory-image");
    default:
      return h("span", { class: "unknown", testid: "unknown", text: String(item?.type ?? "unknown element") });
  }
}
