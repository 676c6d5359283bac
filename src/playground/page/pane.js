// A list of messages with its scroll: the channel's or a thread's. Keyed: a row is drawn again only
// if its message or what surrounds it changed. Keeps its scroll place unless it stands at the end.

import { h, icon } from "./dom.js";
import { store, statusOf, sessionRuns, visibleChannels } from "./state.js";
import { drawMessage, time, editKey } from "./message.js";
import { showTools } from "./tools.js";

const NEAR_END_PX = 60;
const GROUP_SECONDS = 300;

/** One scrolling list. `update(items, place)` draws; items come from `channelItems` or `threadItems`. */
export function createList({ testid, label, inThread }) {
  const list = h("div", { class: "log", role: "log", "aria-label": label, "aria-live": "off", testid });
  const down = h("button", { class: "jump", type: "button", hidden: true, testid: "jump" }, icon("down"), "New messages");
  const scroll = h("div", { class: "scroll" }, list);
  const root = h("div", { class: "scroll-box" }, scroll, down);
  const rows = new Map();
  const places = new Map();
  let place = null;
  let atEnd = true;
  let lastKey = null;

  const toEnd = () => {
    scroll.scrollTop = scroll.scrollHeight;
    atEnd = true;
    down.hidden = true;
  };
  scroll.addEventListener("scroll", () => {
    atEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR_END_PX;
    if (atEnd) down.hidden = true;
  });
  down.addEventListener("click", toEnd);
  new ResizeObserver(() => atEnd && toEnd()).observe(list);
  new ResizeObserver(() => atEnd && toEnd()).observe(scroll);

  const onRow = (event) => {
    const row = event.target.closest?.(".message");
    const entry = row && rows.get(row.dataset.key);
    if (entry && !row.classList.contains("is-editing")) showTools(row, entry.item.message, inThread);
  };
  list.addEventListener("pointerover", onRow);
  list.addEventListener("focusin", onRow);
  list.addEventListener("click", (event) => {
    const copy = event.target.closest?.("[data-copy]");
    if (!copy) return;
    navigator.clipboard?.writeText(copy.closest(".codebox").querySelector("code").textContent);
    copy.classList.add("copied");
    setTimeout(() => copy.classList.remove("copied"), 1200);
  });
  list.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    if (!event.target.classList.contains("message")) return;
    event.preventDefault();
    let next = event.target;
    do next = event.key === "ArrowUp" ? next.previousElementSibling : next.nextElementSibling;
    while (next && !next.classList.contains("message"));
    next?.focus();
  });

  function update(items, newPlace) {
    if (newPlace !== place) {
      if (place !== null) places.set(place, { top: scroll.scrollTop, atEnd });
      rows.clear();
      list.replaceChildren();
    }
    draw(items);
    const last = items.at(-1);
    if (newPlace !== place) {
      place = newPlace;
      const kept = places.get(place);
      if (kept && !kept.atEnd) scroll.scrollTop = kept.top;
      else toEnd();
    } else if (last && last.key !== lastKey) {
      if (atEnd || last.message?.user === store.me) toEnd();
      else down.hidden = false;
    } else if (atEnd) {
      toEnd();
    }
    lastKey = last?.key ?? null;
  }

  function draw(items) {
    const seen = new Set();
    let cursor = list.firstChild;
    for (const item of items) {
      seen.add(item.key);
      let entry = rows.get(item.key);
      if (!entry) {
        entry = { node: h("div"), item: null };
        entry.node.dataset.key = item.key;
        rows.set(item.key, entry);
      }
      if (!entry.item || !same(entry.item.signature, item.signature)) item.draw(entry.node);
      entry.item = item;
      if (item.message) entry.node.tabIndex = item.isLast ? 0 : -1;
      if (entry.node === cursor) cursor = cursor.nextSibling;
      else list.insertBefore(entry.node, cursor);
    }
    for (const [key, entry] of rows) {
      if (seen.has(key)) continue;
      entry.node.remove();
      rows.delete(key);
    }
  }
  return { root, update, toEnd };
}

function same(left, right) {
  return left.length === right.length && left.every((value, index) => value === right[index]);
}

function messageItem(message, previous, replies, inThread, isLast) {
  const compact =
    Boolean(previous) &&
    previous.user === message.user &&
    previous.username === message.username &&
    !(message.bot && message.blocks?.length > 0) &&
    !(replies?.length > 0) &&
    !previous.ephemeral_to &&
    !message.ephemeral_to &&
    Number(message.ts) - Number(previous.ts) < GROUP_SECONDS &&
    time(previous.ts, "day") === time(message.ts, "day");
  const key = `${message.channel}:${message.ts}:${message.ephemeral_to ?? ""}`;
  const status = replies ? statusOf(message.channel, message.ts) : null;
  return {
    key,
    message,
    isLast,
    signature: [message, compact, replies?.length ?? -1, replies?.at(-1), status, store.me, store.people, sessionRuns(message), editKey() === `${message.channel}:${message.ts}`],
    draw: (row) => drawMessage(row, message, { compact, replies: inThread ? null : replies }),
  };
}

function divider(key, text) {
  return { key, signature: [text], draw: (node) => ((node.className = "day"), node.setAttribute("role", "separator"), node.replaceChildren(h("span", { text }))) };
}

/** Items of a channel: day lines, roots, thread summaries. */
export function channelItems(messages, threads) {
  const items = [];
  let previous = null;
  messages.forEach((message, index) => {
    const day = time(message.ts, "day");
    if (!previous || time(previous.ts, "day") !== day) {
      items.push(divider(`day:${day}`, day));
      previous = null;
    }
    const replies = threads.get(message.ts) ?? [];
    items.push(messageItem(message, previous, replies, false, index === messages.length - 1));
    // A message with a thread below it is not continued by the next one.
    previous = replies.length > 0 ? { ...message, user: null } : message;
  });
  return items;
}

/** Items of a thread: its root, a line with the count, the replies. */
export function threadItems(rootMessage, replies) {
  const items = [];
  if (rootMessage) items.push(messageItem(rootMessage, null, null, true, replies.length === 0));
  if (replies.length > 0) items.push(divider("count", `${replies.length} ${replies.length === 1 ? "reply" : "replies"}`));
  let previous = null;
  replies.forEach((message, index) => {
    items.push(messageItem(message, previous, null, true, index === replies.length - 1));
    previous = message;
  });
  return items;
}

/** What an empty channel says. */
export function emptyHint(channel) {
  if (!channel) return h("div", { class: "empty" }, visibleChannels().length === 0 ? "This workspace has no channels yet." : "Pick a channel.");
  const bot = `@${store.bot.name}`;
  const text = channel.kind === "im" ? `This is your direct message with ${store.bot.name}. Write what you want to find out or train.` : (channel.members ?? []).includes(store.bot.user_id) ? `Nothing here yet. Write “${bot} …” and it answers in a thread.` : `Nothing here yet, and ${store.bot.name} is not in this channel.`;
  return h("div", { class: "empty", testid: "empty" }, h("div", { class: "empty-mark" }, icon(channel.kind === "im" ? "bolt" : "hash")), h("h2", { text: channel.kind === "im" ? store.bot.name : `# ${channel.name}` }), h("p", { text }));
}
