// Slack's rich_text blocks and table cells to DOM nodes.

import { h, link } from "./dom.js";
import { emoji } from "./emoji.js";
import { mention } from "./mrkdwn.js";
import { channelById } from "./state.js";

/** A whole rich_text block (also the details and output of a task). */
export function richText(block) {
  return (block?.elements ?? []).map(part);
}

function part(element) {
  const inner = () => (element.elements ?? []).map(leaf);
  switch (element.type) {
    case "rich_text_section":
      return h("p", { class: "para" }, inner());
    case "rich_text_preformatted":
      return h("pre", { class: "fence", tabindex: "0" }, h("code", {}, inner()));
    case "rich_text_quote":
      return h("blockquote", { class: "quote" }, inner());
    case "rich_text_list": {
      const tag = element.style === "ordered" ? "ol" : "ul";
      const start = element.offset ? element.offset + 1 : null;
      const items = (element.elements ?? []).map((child) => h("li", {}, (child.elements ?? []).map(leaf)));
      return h(tag, { class: `list indent-${Math.min(4, Number(element.indent) || 0)}`, start }, items);
    }
    default:
      return leaf(element);
  }
}

function leaf(element) {
  switch (element?.type) {
    case "text":
      return styled(lines(element.text), element.style);
    case "link":
      return styled([link(element.url, element.text ?? element.url)], element.style);
    case "user":
      return mention(element.user_id);
    case "channel":
      return h("span", { class: "mention", text: `#${channelById(element.channel_id)?.name ?? element.channel_id}` });
    case "broadcast":
      return h("span", { class: "mention mention-all", text: `@${element.range}` });
    case "usergroup":
      return h("span", { class: "mention", text: "@group" });
    case "emoji":
      return emoji(element.name) ?? `:${element.name}:`;
    case "date":
      return element.fallback ?? new Date(Number(element.timestamp) * 1000).toLocaleString();
    case "color":
      return h("code", { class: "code", text: element.value ?? "" });
    default:
      return element?.text ? String(element.text) : "";
  }
}

function lines(text) {
  return String(text ?? "").split("\n").flatMap((line, index) => (index === 0 ? [line] : [h("br"), line]));
}

function styled(content, style) {
  let nodes = content;
  if (style?.code) nodes = [h("code", { class: "code" }, nodes)];
  if (style?.bold) nodes = [h("strong", {}, nodes)];
  if (style?.italic) nodes = [h("em", {}, nodes)];
  if (style?.strike) nodes = [h("s", {}, nodes)];
  return nodes;
}

/** Rows of a `table` block: raw_text, raw_number and rich_text cells; the first row is the head. */
export function tableBlock(block) {
  const rows = block.rows ?? [];
  const settings = block.column_settings ?? [];
  const cell = (tag, value, column) => {
    const align = settings[column]?.align ?? (value?.type === "raw_number" ? "right" : "left");
    const props = { class: `align-${["left", "center", "right"].includes(align) ? align : "left"}${settings[column]?.is_wrapped ? " wrapped" : ""}` };
    if (value?.type === "rich_text") return h(tag, props, (value.elements ?? []).flatMap((section) => (section.elements ?? []).map(leaf)));
    return h(tag, props, String(value?.text ?? value?.value ?? value?.number ?? ""));
  };
  const row = (tag, values) => h("tr", {}, values.map((value, column) => cell(tag, value, column)));
  return h(
    "div",
    { class: "table-box", tabindex: "0" },
    h("table", { class: "table" }, h("thead", {}, rows.slice(0, 1).map((values) => row("th", values))), h("tbody", {}, rows.slice(1).map((values) => row("td", values)))),
  );
}
