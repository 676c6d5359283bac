// Where the page starts: takes the token, builds the frame, connects, and draws what the state says.

import { h, icon } from "./dom.js";
import { takeToken, keepToken, forgetToken, fetchState, connectLive, act, Refused } from "./api.js";
import { attempt } from "./toast.js";
import { store, subscribe, changed, apply, replaceState, channelById, channelMessages, replies, repliesByRoot, rootMessage, statusOf, openThread, displayName } from "./state.js";
import { createList, channelItems, threadItems, emptyHint } from "./pane.js";
import { createComposer } from "./composer.js";
import { createSidebar } from "./sidebar.js";
import { updateModal } from "./modal.js";
import { toggleFaults } from "./faults.js";

const LOADING_MS = 2500;
const REASON_KEY = "playground.reason";
const RESTARTED = "The token was not accepted. A workspace that was started again has a new one.";

/** The line under a thread that says what its session does, with Stop where it can be stopped. */
function createStatusLine() {
  const text = h("span", { class: "status-text" });
  const mark = h("span", { class: "status-mark" });
  const stop = h("button", { class: "button button-small", type: "button", testid: "stop-button" }, icon("stop"), "Stop");
  const root = h("div", { class: "status-line", role: "status", testid: "status-line", hidden: true }, mark, text, stop);
  let current = null;
  stop.addEventListener("click", () => current && attempt(act(store.me, "stop", { channel: current.channel, thread_ts: current.thread_ts })));
  function update(status) {
    current = status;
    const state = status?.session_status;
    const waits = state === "suspended";
    // A status text alone also means work: apps without agent sessions set nothing else.
    const runs = !waits && (state === "processing" || Boolean(status?.status));
    root.hidden = !runs && !waits;
    if (root.hidden) return;
    root.dataset.state = runs ? "processing" : "suspended";
    mark.className = "status-mark pulse";
    mark.hidden = !runs;
    const loading = runs ? status.loading_messages ?? [] : [];
    const second = loading.length > 0 ? ` · ${loading[store.loadingTick % loading.length]}` : "";
    const first = waits ? "waiting for a person" : status.status || "is working…";
    text.textContent = waits ? `${store.bot.name} is ${first}` : `${store.bot.name} ${first}${second}`;
    stop.hidden = !status.can_stop;
  }
  return { root, update };
}

function createBanners() {
  const connection = h("div", { class: "banner banner-down", role: "alert", testid: "banner-connection", hidden: true });
  const notice = h("div", { class: "banner banner-notice", testid: "notice", hidden: true });
  let shown = "";
  function update() {
    const { up, retryAt, retryNow } = store.connection;
    const left = Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
    const text = up ? "" : `Connection lost. Trying again${left > 0 ? ` in ${left} s` : ""}…`;
    connection.hidden = up;
    if (!up && shown !== text) {
      const again = h("button", { class: "button button-small", type: "button", on: { click: () => retryNow?.() } }, "Try now");
      connection.replaceChildren(icon("warn"), h("span", { text }), again);
    }
    shown = text;
    notice.hidden = !store.notice;
    if (store.notice && notice.dataset.text !== store.notice) {
      notice.dataset.text = store.notice;
      notice.replaceChildren(icon("info"), h("span", { text: store.notice }));
    }
  }
  return { nodes: [connection, notice], update };
}

function buildFrame() {
  const app = document.getElementById("app");
  const setMenu = (isOpen) => app.classList.toggle("menu-open", isOpen);
  const sidebar = createSidebar({ onNavigate: () => setMenu(false), onFaults: () => (setMenu(false), toggleFaults()) });
  const banners = createBanners();

  const title = h("h1", { class: "pane-title" });
  const topic = h("span", { class: "pane-topic" });
  const menu = h("button", { class: "icon-button menu-button", type: "button", "aria-label": "Channels and people", testid: "menu", on: { click: () => setMenu(!app.classList.contains("menu-open")) } }, icon("menu"));
  const list = createList({ testid: "channel-list", label: "Messages", inThread: false });
  const hint = h("div", { class: "hint-box" });
  const channelStatus = createStatusLine();
  const composer = createComposer({ inThread: false, afterSend: () => list.toEnd() });
  const join = h("button", { class: "button button-primary", type: "button", testid: "join", on: { click: () => attempt(act(store.me, "join", { channel: store.channel })) } }, "Join channel");
  const outside = h("div", { class: "outside", hidden: true }, h("span", {}), join);
  const main = h("main", { class: "pane main-pane", testid: "channel-pane" }, h("header", { class: "pane-head" }, menu, title, topic), banners.nodes, hint, list.root, channelStatus.root, composer.root, outside);

  const threadTopic = h("span", { class: "pane-topic" });
  const threadList = createList({ testid: "thread-list", label: "Thread", inThread: true });
  const threadStatus = createStatusLine();
  const threadComposer = createComposer({ inThread: true, afterSend: () => threadList.toEnd() });
  const closeThread = h("button", { class: "icon-button", type: "button", "aria-label": "Close thread", testid: "thread-close", on: { click: () => openThread(null) } }, icon("close"));
  const thread = h("section", { class: "pane thread-pane", "aria-label": "Thread", testid: "thread-pane", hidden: true }, h("header", { class: "pane-head" }, h("h2", { class: "pane-title", text: "Thread" }), threadTopic, closeThread), threadList.root, threadStatus.root, threadComposer.root);

  const curtain = h("div", { class: "curtain", on: { click: () => setMenu(false) } });
  app.replaceChildren(sidebar.root, main, thread, curtain);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || document.getElementById("overlays").childElementCount > 0) return;
    if (app.classList.contains("menu-open")) setMenu(false);
    else if (store.thread && !event.target.closest?.(".main-pane")) openThread(null);
  });

  let threadShown = null;
  return function draw() {
    if (!store.ready) return;
    const channel = channelById(store.channel);
    sidebar.update();
    banners.update();
    document.title = `${channel ? (channel.kind === "im" ? store.bot.name : `#${channel.name}`) : "playground"} · ${store.team.name || "ml-intern playground"}`;
    title.replaceChildren(channel?.kind === "im" ? "" : icon("hash"), channel ? (channel.kind === "im" ? store.bot.name : channel.name) : "");
    topic.textContent = channel?.topic ?? "";
    const messages = channel ? channelMessages(channel.id) : [];
    hint.replaceChildren(...(messages.length === 0 ? [emptyHint(channel)] : []));
    list.update(channelItems(messages, channel ? repliesByRoot(channel.id) : new Map()), `${store.channel}:${store.me}`);
    channelStatus.update(channel ? statusOf(channel.id, null) ?? statusOf(channel.id, "") : null);
    composer.update(channel, null);
    const isMember = !channel || (channel.members ?? []).includes(store.me);
    composer.root.hidden = !isMember;
    outside.hidden = isMember;
    outside.firstChild.textContent = isMember ? "" : `${displayName(store.me)} is not in #${channel.name}.`;
    threadComposer.root.hidden = !isMember;

    thread.hidden = !store.thread || !channel;
    app.classList.toggle("thread-open", !thread.hidden);
    if (!thread.hidden) {
      threadTopic.textContent = channel.kind === "im" ? store.bot.name : `#${channel.name}`;
      threadList.update(threadItems(rootMessage(channel.id, store.thread), replies(channel.id, store.thread)), `${channel.id}:${store.thread}:${store.me}`);
      threadStatus.update(statusOf(channel.id, store.thread));
      threadComposer.update(channel, store.thread);
    } else {
      threadList.update([], null);
    }
    const opened = thread.hidden ? null : `${channel.id}:${store.thread}`;
    // Not on touch screens, where the focus would bring up the keyboard.
    if (opened !== threadShown && opened && matchMedia("(hover: hover)").matches) threadComposer.focus();
    threadShown = opened;
    updateModal();
  };
}

/** Shown where there is no token, or one that is not accepted. */
function askForToken(reason) {
  const input = h("input", { class: "text-input", name: "token", autocomplete: "off", spellcheck: "false", "aria-label": "Control token", testid: "token-input", required: true });
  const form = h("form", { class: "token-form" }, input, h("button", { class: "button button-primary", type: "submit", testid: "token-send" }, "Open the workspace"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    keepToken(input.value.trim().replace(/^.*#token=/, ""));
    start();
  });
  document
    .getElementById("app")
    .replaceChildren(h("div", { class: "gate", testid: "token-gate" }, h("div", { class: "gate-card" }, h("span", { class: "avatar avatar-bot avatar-large", "aria-hidden": "true" }, icon("bolt")), h("h1", { text: "ml-intern playground" }), reason ? h("p", { class: "gate-reason", role: "alert", text: reason }) : null, h("p", { text: "This page belongs to a workspace on this machine. Open the address that `ml-intern playground` printed: it carries the token. Or paste the token here." }), form)));
  input.focus();
}

async function start() {
  let state;
  try {
    state = await fetchState();
  } catch (error) {
    if (error instanceof Refused) {
      forgetToken();
      return askForToken(RESTARTED);
    }
    return askForToken(error.message);
  }
  const draw = buildFrame();
  subscribe(draw);
  replaceState(state);
  connectLive({
    onFrame: apply,
    onUp: () => {
      store.connection = { up: true, retryAt: 0, retryNow: null };
      changed();
    },
    onDown: ({ retryInMs, retryNow }) => {
      store.connection = { up: false, retryAt: Date.now() + retryInMs, retryNow };
      changed();
    },
    onRefused: () => {
      forgetToken();
      sessionStorage.setItem(REASON_KEY, RESTARTED);
      location.reload();
    },
  });
  setInterval(() => {
    if (!store.connection.up) changed();
  }, 1000);
  setInterval(() => {
    store.loadingTick += 1;
    if ([...store.statuses.values()].some((status) => status.loading_messages?.length > 1)) changed();
  }, LOADING_MS);
  return undefined;
}

const reason = sessionStorage.getItem(REASON_KEY);
sessionStorage.removeItem(REASON_KEY);
if (takeToken()) start();
else askForToken(reason);
