// One message: who, when, its content (stream, blocks or text), files, reactions, thread summary,
// and editing in place. Sends acts; the change comes back over the live socket.

import { h, icon, patchChildren, add } from "./dom.js";
import { act } from "./api.js";
import { attempt } from "./toast.js";
import { store, person, displayName, statusOf, sessionRuns, openThread, changed } from "./state.js";
import { blocks } from "./blocks.js";
import { mrkdwn, unescapeEntities } from "./mrkdwn.js";
import { markdown } from "./markdown.js";
import { plan, taskCard } from "./tasks.js";
import { attachment } from "./files.js";
import { emoji } from "./emoji.js";

/** The one message being edited, as channel:ts, and the text so far. */
const editing = { key: null, text: "" };
export const editKey = () => editing.key;

export function time(ts, style = "time") {
  const date = new Date(Number(ts) * 1000);
  if (Number.isNaN(date.getTime())) return "";
  if (style === "day") {
    const today = new Date();
    const days = Math.round((new Date(today.toDateString()) - new Date(date.toDateString())) / 86_400_000);
    if (days === 0) return "Today";
    if (days === 1) return "Yesterday";
    return date.toLocaleDateString([], { weekday: "long", month: "long", day: "numeric" });
  }
  if (style === "full") return date.toLocaleString();
  return date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

/** A person's initials on their colour, or the bot's mark. */
export function avatar(userId, isBot, extraClass = "") {
  if (isBot || userId === store.bot.user_id) {
    return h("span", { class: `avatar avatar-bot ${extraClass}`, "aria-hidden": "true" }, icon("bolt"));
  }
  const who = person(userId);
  const words = (who?.real_name || who?.name || "?").trim().split(/\s+/);
  const initials = (words[0][0] + (words.length > 1 ? words.at(-1)[0] : "")).toUpperCase();
  const node = h("span", { class: `avatar ${extraClass}`, "aria-hidden": "true", text: initials });
  if (/^#[0-9a-f]{3,8}$/i.test(who?.color ?? "")) node.style.setProperty("--own", who.color);
  return node;
}

const streamed = (message) => Boolean(message.chunks && (message.chunks.markdown || message.chunks.tasks?.length || message.chunks.blocks?.length || message.chunks.plan_title)) || message.streaming;

function context(message) {
  return {
    key: `${message.channel}:${message.ts}`,
    me: store.me,
    live: message.streaming || sessionRuns(message),
    act: (block, element, value) =>
      attempt(act(store.me, "click", { channel: message.channel, ts: message.ts, block_id: block.block_id, action_id: element.action_id, ...(value === undefined || value === null ? {} : { value }) })),
  };
}

/** Content of a message; `old` is what stands there now, patched while a text grows. */
function content(message) {
  const scene = context(message);
  const out = [];
  if (streamed(message)) {
    const chunks = message.chunks ?? {};
    const tasks = chunks.tasks ?? [];
    if (chunks.plan_title) out.push(plan(chunks.plan_title, tasks, scene));
    else if (tasks.length > 0) out.push(h("div", { class: "timeline" }, tasks.map((task) => taskCard(task, scene))));
    const text = chunks.markdown || "";
    const written = text ? h("div", { class: "md md-stream" }, markdown(text)) : null;
    const cursor = message.streaming ? h("span", { class: "stream-cursor", testid: "stream-cursor", role: "img", "aria-label": "still writing" }) : null;
    // The cursor stands behind the last word; after a table or code it has a line of its own.
    const last = written?.lastElementChild;
    if (cursor && last?.matches("p")) last.append(cursor);
    out.push(written, ...blocks(chunks.blocks, { ...scene, key: `${scene.key}/chunk` }));
    if (cursor && !last?.matches("p")) out.push(cursor);
    out.push(...blocks(message.blocks, scene));
  } else if (message.blocks?.length > 0) {
    out.push(...blocks(message.blocks, scene));
  } else if (message.markdown_text) {
    out.push(h("div", { class: "md" }, markdown(message.markdown_text)));
  } else if (message.text) {
    out.push(h("div", { class: "md" }, mrkdwn(message.text)));
  }
  return out;
}

function reactions(message) {
  if (!message.reactions?.length) return null;
  const pills = message.reactions.map((reaction) => {
    const mine = reaction.users?.includes(store.me);
    const names = (reaction.users ?? []).map(displayName).join(", ");
    const pill = h("button", { class: "reaction", type: "button", testid: "reaction", "data-name": reaction.name, "aria-pressed": String(Boolean(mine)), title: `${names} reacted with :${reaction.name}:` }, h("span", { class: "emoji", text: emoji(reaction.name) ?? `:${reaction.name}:` }), h("span", { text: String(reaction.users?.length ?? 0) }));
    pill.addEventListener("click", () => attempt(act(store.me, "react", { channel: message.channel, ts: message.ts, name: reaction.name, remove: Boolean(mine) })));
    return pill;
  });
  return h("div", { class: "reactions" }, pills);
}

function threadSummary(message, replies) {
  const status = statusOf(message.channel, message.ts);
  const runs = sessionRuns(message);
  const waits = status?.session_status === "suspended";
  if (replies.length === 0 && !runs) return null;
  const faces = [...new Map(replies.map((reply) => [reply.user, reply])).values()].slice(0, 3);
  const count = `${replies.length} ${replies.length === 1 ? "reply" : "replies"}`;
  const state = runs ? h("span", { class: "summary-state" }, h("span", { class: "pulse" }), `${store.bot.name} is working…`) : waits ? h("span", { class: "summary-state waits" }, "waiting for a person") : h("span", { class: "summary-time", text: `last reply ${time(replies.at(-1)?.ts)}` });
  const node = h("button", { class: "thread-summary", type: "button", testid: "thread-summary", "data-ts": message.ts }, h("span", { class: "faces" }, faces.map((reply) => avatar(reply.user, reply.bot, "avatar-tiny"))), h("span", { class: "summary-count", text: count }), state, icon("right", "summary-arrow"));
  node.addEventListener("click", () => openThread(message.ts));
  return node;
}

/** Starts editing an own message in place. */
export function startEdit(message) {
  editing.key = `${message.channel}:${message.ts}`;
  editing.text = unescapeEntities(message.text.replace(/<@([UW][A-Z0-9]+)>/g, (_, id) => `@${displayName(id)}`));
  changed();
}

function editor(message) {
  const input = h("textarea", { class: "edit-input", rows: "2", testid: "edit-input", "aria-label": "Edit message" });
  input.value = editing.text;
  input.addEventListener("input", () => (editing.text = input.value));
  const done = () => {
    editing.key = null;
    changed();
  };
  const save = async () => {
    const result = await attempt(act(store.me, "edit", { channel: message.channel, ts: message.ts, text: editing.text }));
    if (result) done();
  };
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      save();
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      done();
    }
  });
  requestAnimationFrame(() => {
    input.focus();
    input.setSelectionRange(input.value.length, input.value.length);
  });
  return h("div", { class: "edit-box" }, input, h("div", { class: "edit-buttons" }, h("button", { class: "button", type: "button", on: { click: done } }, "Cancel"), h("button", { class: "button button-primary", type: "button", testid: "edit-save", on: { click: save } }, "Save")));
}

/** Draws a message into its row. `look`: { compact, replies (null inside a thread) }. */
export function drawMessage(row, message, look) {
  const isEditing = editing.key === `${message.channel}:${message.ts}`;
  row.className = `message${look.compact ? " compact" : ""}${message.ephemeral_to ? " ephemeral" : ""}${isEditing ? " is-editing" : ""}`;
  Object.assign(row.dataset, { testid: "message", ts: message.ts, user: message.user, bot: String(Boolean(message.bot)), streaming: String(Boolean(message.streaming)) });
  row.setAttribute("role", "article");
  row.setAttribute("aria-label", `${message.username || displayName(message.user)}, ${time(message.ts)}`);
  // While a text grows only its own paragraphs are patched; everything else is drawn anew.
  const body = h("div", { class: "message-content", testid: "message-content" });
  const growing = row.querySelector(":scope > .message-main .md-stream");
  if (isEditing) body.append(editor(message));
  else add(body, content(message));
  const fresh = body.querySelector(":scope > .md-stream");
  if (growing && fresh) {
    patchChildren(growing, fresh);
    fresh.replaceWith(growing);
  }
  if (message.edited) {
    // The mark follows the last words, where there are any.
    const last = body.lastElementChild?.matches(".md") ? body.lastElementChild.lastElementChild : null;
    (last?.matches("p") ? last : body).append(h("span", { class: "edited", testid: "edited", text: " (edited)" }));
  }
  const stamp = h("time", { class: "stamp", datetime: new Date(Number(message.ts) * 1000 || 0).toISOString(), title: time(message.ts, "full"), text: time(message.ts) });
  const name = message.username || displayName(message.user);
  const head = look.compact ? null : h("div", { class: "message-head" }, h("span", { class: "message-name", testid: "message-name", text: name }), message.bot ? h("span", { class: "badge", text: "APP" }) : null, stamp);
  const only = message.ephemeral_to ? h("div", { class: "only-you", testid: "ephemeral" }, icon("eye"), "Only visible to you") : null;
  const files = message.files?.length > 0 ? h("div", { class: "files" }, message.files.map(attachment)) : null;
  const main = h("div", { class: "message-main" }, only, head, body, files, reactions(message), look.replies ? threadSummary(message, look.replies) : null);
  const side = h("div", { class: "message-side" }, look.compact ? h("span", { class: "side-stamp", text: time(message.ts).replace(/\s?[ap]\.?m\.?/i, "") }) : avatar(message.user, message.bot));
  const tools = row.querySelector(":scope > .tools");
  const focused = row !== document.activeElement && row.contains(document.activeElement) ? document.activeElement : null;
  row.replaceChildren(side, main);
  if (tools) row.append(tools);
  if (focused && !isEditing) refocus(row, focused);
}

/** Keeps the keyboard's place when a row is drawn anew: the same control if it is still there, else the row. */
function refocus(row, before) {
  if (before.isConnected) return before.focus({ preventScroll: true });
  const { testid, actionId } = before.dataset;
  const alike = [...row.querySelectorAll(before.tagName)].find((node) => node.dataset.testid === testid && node.dataset.actionId === actionId && node.textContent === before.textContent);
  return (alike ?? row).focus({ preventScroll: true });
}
