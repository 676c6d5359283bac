// Block Kit blocks to DOM nodes, drawn as Slack draws them. A block it does not know becomes a
// labelled grey box with its source, never a guess.

import { h, icon } from "./dom.js";
import { element, textObject, plainText, picture } from "./elements.js";
import { mrkdwn } from "./mrkdwn.js";
import { markdown } from "./markdown.js";
import { richText, tableBlock } from "./richtext.js";
import { taskCard, plan } from "./tasks.js";

const ALERTS = { info: "info", warning: "warn", error: "warn", success: "check", default: "info" };

/** `context`: { act, live, key, me, input? }; `input(block)` draws input blocks where there is a form. */
export function blocks(list, context) {
  return (list ?? []).map((block, index) => {
    const node = one(block, { ...context, key: `${context.key}/${block?.block_id ?? index}` });
    if (node instanceof HTMLElement) {
      node.classList.add("block");
      node.dataset.block = String(block?.type ?? "");
      if (block?.block_id) node.dataset.blockId = block.block_id;
    }
    return node;
  });
}

function one(block, context) {
  const draw = Object.hasOwn(KINDS, block?.type) ? KINDS[block.type] : unknown;
  try {
    return draw(block, context);
  } catch {
    return unknown(block);
  }
}

const KINDS = {
  section(block, context) {
    const text = block.text ? h("div", { class: "section-text" }, textObject(block.text)) : null;
    const fields = block.fields?.length ? h("div", { class: "fields" }, block.fields.map((field) => h("div", { class: "field" }, textObject(field)))) : null;
    const accessory = block.accessory ? h("div", { class: "accessory" }, element(block.accessory, block, context)) : null;
    return h("div", { class: "section" }, h("div", { class: "section-main" }, text, fields), accessory);
  },
  header(block) {
    return h("h3", { class: `header header-${Number(block.level) || 0}`, text: plainText(block.text) });
  },
  divider() {
    return h("hr", { class: "divider" });
  },
  context(block) {
    const items = (block.elements ?? []).map((item) =>
      item.type === "image" ? picture(item, "context-image") : h("span", { class: "context-item" }, item.type === "mrkdwn" ? mrkdwn(item.text) : plainText(item)),
    );
    return h("div", { class: "context" }, items);
  },
  context_actions(block, context) {
    return h("div", { class: "context-actions" }, (block.elements ?? []).map((item) => element(item, block, context)));
  },
  actions(block, context) {
    return h("div", { class: "actions" }, (block.elements ?? []).map((item) => element(item, block, context)));
  },
  image(block) {
    const title = block.title ? h("figcaption", { class: "image-title", text: plainText(block.title) }) : null;
    return h("figure", { class: "image" }, title, picture(block, "image-block"));
  },
  markdown(block) {
    return h("div", { class: "md" }, markdown(block.text));
  },
  rich_text(block) {
    return h("div", { class: "md" }, richText(block));
  },
  table(block) {
    return tableBlock(block);
  },
  task_card(block, context) {
    return taskCard(block, { live: context.live, key: context.key, alone: true });
  },
  plan(block, context) {
    return plan(plainText(block.title), block.tasks ?? [], { live: context.live, key: context.key });
  },
  alert(block) {
    const level = Object.hasOwn(ALERTS, block.level) ? block.level : "default";
    const text = block.text ?? block.title;
    return h("div", { class: `alert alert-${level}`, role: "note" }, icon(ALERTS[level]), h("div", { class: "alert-text" }, textObject(text), block.body ? h("div", {}, textObject(block.body)) : null));
  },
  card(block, context) {
    const actions = block.actions ?? block.elements ?? [];
    return h(
      "div",
      { class: "card" },
      block.hero_image ? picture(block.hero_image, "card-hero") : null,
      h(
        "div",
        { class: "card-head" },
        block.icon ? picture(block.icon, "card-icon") : null,
        h("div", {}, block.title ? h("div", { class: "card-title" }, textObject(block.title)) : null, block.subtitle ? h("div", { class: "card-subtitle" }, textObject(block.subtitle)) : null),
      ),
      block.body ? h("div", { class: "card-body" }, textObject(block.body)) : null,
      actions.length > 0 ? h("div", { class: "actions" }, actions.map((item) => element(item, block, context))) : null,
    );
  },
  container(block, context) {
    const title = block.title ? h("div", { class: "card-title" }, textObject(block.title)) : null;
    return h("div", { class: "card" }, title, blocks(block.child_blocks ?? block.blocks ?? block.elements, context));
  },
  carousel(block, context) {
    return h("div", { class: "carousel", tabindex: "0" }, blocks(block.elements ?? block.cards, context));
  },
  input(block, context) {
    return context.input ? context.input(block) : unknown(block);
  },
};

function unknown(block) {
  let source = "";
  try {
    source = JSON.stringify(block, null, 2);
  } catch {
    source = String(block);
  }
  return h("details", { class: "unknown-block", testid: "unknown" }, h("summary", { text: `Block not drawn here: ${block?.type ?? "no type"}` }), h("pre", { class: "fence" }, h("code", { text: source.slice(0, 4000) })));
}
