// What the page knows: the workspace's state as sent by the server, and what only this tab knows
// (who acts, which channel and thread are open, drafts, unread marks). Draws nothing; tells its
// listeners, at most once per frame, that something changed.

const ME_KEY = "playground.me";
const DRAFTS_KEY = "playground.drafts";

const listeners = new Set();
let scheduled = false;

export const store = {
  ready: false,
  team: { id: "", name: "" },
  bot: { user_id: "", bot_id: "", name: "ml-intern" },
  people: [],
  channels: [],
  messages: new Map(),
  byChannel: new Map(),
  statuses: new Map(),
  views: [],
  notice: null,
  me: sessionStorage.getItem(ME_KEY),
  channel: null,
  thread: null,
  unread: new Map(),
  connection: { up: true, retryAt: 0, retryNow: null },
  loadingTick: 0,
};

let drafts = {};
try {
  drafts = JSON.parse(sessionStorage.getItem(DRAFTS_KEY) ?? "{}") ?? {};
} catch {
  drafts = {};
}

export function subscribe(listener) {
  listeners.add(listener);
}

/** Asks for one drawing in the next frame (or soon, where frames are paused). */
export function changed() {
  if (scheduled) return;
  scheduled = true;
  const run = () => {
    if (!scheduled) return;
    scheduled = false;
    for (const listener of listeners) listener();
  };
  if (document.visibilityState === "hidden") setTimeout(run, 50);
  else requestAnimationFrame(run);
}

const keyOf = (message) => `${message.channel}:${message.ts}:${message.ephemeral_to ?? ""}`;
const threadKey = (channel, threadTs) => `${channel}:${threadTs}`;

/** Replaces everything by what the server sent. */
export function replaceState(state) {
  store.team = state.team ?? store.team;
  store.bot = state.bot ?? store.bot;
  store.people = state.people ?? [];
  store.channels = state.channels ?? [];
  const before = store.messages;
  store.messages = new Map();
  store.byChannel = new Map();
  for (const message of state.messages ?? []) {
    const old = before.get(keyOf(message));
    // Unchanged messages keep their identity, so a reconnect redraws only what differs.
    index(old && JSON.stringify(old) === JSON.stringify(message) ? old : message);
  }
  store.statuses = new Map((state.statuses ?? []).map((status) => [threadKey(status.channel, status.thread_ts), status]));
  store.views = state.views ?? [];
  store.notice = state.notice ?? null;
  store.ready = true;
  if (!store.people.some((person) => person.id === store.me)) store.me = store.people[0]?.id ?? null;
  if (!channelById(store.channel)) {
    store.channel = visibleChannels()[0]?.id ?? null;
    store.thread = null;
  }
  changed();
}

function index(message) {
  const key = keyOf(message);
  let list = store.byChannel.get(message.channel);
  if (!list) store.byChannel.set(message.channel, (list = []));
  if (store.messages.has(key)) {
    list[list.indexOf(store.messages.get(key))] = message;
  } else {
    let at = list.length;
    while (at > 0 && Number(list[at - 1].ts) > Number(message.ts)) at -= 1;
    list.splice(at, 0, message);
  }
  store.messages.set(key, message);
}

/** Applies one frame of the live socket. */
export function apply(frame) {
  switch (frame.kind) {
    case "state":
      return replaceState(frame.state);
    case "message": {
      const fresh = !store.messages.has(keyOf(frame.message));
      index(frame.message);
      if (fresh) markUnread(frame.message);
      break;
    }
    case "message_deleted":
      for (const [key, message] of store.messages) {
        if (message.channel !== frame.channel || message.ts !== frame.ts) continue;
        store.messages.delete(key);
        const list = store.byChannel.get(message.channel);
        list.splice(list.indexOf(message), 1);
      }
      break;
    case "status":
      store.statuses.set(threadKey(frame.status.channel, frame.status.thread_ts), frame.status);
      break;
    case "view": {
      const at = store.views.findIndex((view) => view.id === frame.view.id);
      if (at >= 0) store.views = store.views.with(at, frame.view);
      else store.views = [...store.views, frame.view];
      break;
    }
    case "view_closed":
      store.views = store.views.filter((view) => view.id !== frame.id);
      break;
    case "channel": {
      const at = store.channels.findIndex((channel) => channel.id === frame.channel.id);
      if (at >= 0) store.channels = store.channels.with(at, frame.channel);
      else store.channels = [...store.channels, frame.channel];
      break;
    }
    case "notice":
      store.notice = frame.text ?? null;
      break;
    default:
      return undefined;
  }
  return changed();
}

function markUnread(message) {
  if (message.channel === store.channel || message.user === store.me) return;
  if (message.ephemeral_to && message.ephemeral_to !== store.me) return;
  store.unread.set(message.channel, (store.unread.get(message.channel) ?? 0) + 1);
}

export function person(id) {
  return store.people.find((candidate) => candidate.id === id) ?? null;
}

export function channelById(id) {
  return store.channels.find((candidate) => candidate.id === id) ?? null;
}

/** The name shown for a user id, whether a person or the bot. */
export function displayName(id) {
  if (id === store.bot.user_id || id === store.bot.bot_id) return store.bot.name;
  return person(id)?.name ?? id ?? "unknown";
}

export function visibleChannels() {
  return store.channels.filter((channel) => channel.kind === "channel" || (channel.kind !== "im" && (channel.members ?? []).includes(store.me)));
}

/** The direct message between the person who acts and the bot, if it was opened. */
export function directMessage() {
  return store.channels.find((channel) => channel.kind === "im" && (channel.members ?? []).includes(store.me)) ?? null;
}

const visibleToMe = (message) => !message.ephemeral_to || message.ephemeral_to === store.me;

/** Messages of the channel itself: roots, not replies. */
export function channelMessages(channel) {
  return (store.byChannel.get(channel) ?? []).filter(
    (message) => visibleToMe(message) && (!message.thread_ts || message.thread_ts === message.ts || message.broadcast),
  );
}

export function replies(channel, threadTs) {
  return (store.byChannel.get(channel) ?? []).filter(
    (message) => visibleToMe(message) && message.thread_ts === threadTs && message.ts !== threadTs,
  );
}

/** Replies of every thread of a channel in one pass: Map from root ts to list. */
export function repliesByRoot(channel) {
  const roots = new Map();
  for (const message of store.byChannel.get(channel) ?? []) {
    if (!message.thread_ts || message.thread_ts === message.ts || !visibleToMe(message)) continue;
    const list = roots.get(message.thread_ts);
    if (list) list.push(message);
    else roots.set(message.thread_ts, [message]);
  }
  return roots;
}

export function rootMessage(channel, threadTs) {
  return store.messages.get(`${channel}:${threadTs}:`) ?? store.messages.get(`${channel}:${threadTs}:${store.me}`) ?? null;
}

export function statusOf(channel, threadTs) {
  return store.statuses.get(threadKey(channel, threadTs)) ?? null;
}

/** Whether the agent is at work in the thread that this message belongs to. */
export function sessionRuns(message) {
  const status = statusOf(message.channel, message.thread_ts ?? message.ts);
  return status?.session_status === "processing" || (Boolean(status?.status) && status.session_status !== "suspended");
}

export function topView() {
  const mine = store.views.filter((view) => view.user === store.me);
  return mine[mine.length - 1] ?? null;
}

export function actAs(id) {
  store.me = id;
  sessionStorage.setItem(ME_KEY, id);
  const open = channelById(store.channel);
  if (open && open.kind !== "channel" && !(open.members ?? []).includes(id)) openChannel(visibleChannels()[0]?.id ?? null);
  changed();
}

export function openChannel(id) {
  if (store.channel !== id) store.thread = null;
  store.channel = id;
  store.unread.delete(id);
  changed();
}

export function openThread(ts) {
  store.thread = ts;
  changed();
}

const draftKey = (channel, thread) => `${store.me}:${channel}:${thread ?? ""}`;

export function draft(channel, thread) {
  return drafts[draftKey(channel, thread)] ?? "";
}

export function keepDraft(channel, thread, text) {
  const key = draftKey(channel, thread);
  if (text === "") delete drafts[key];
  else drafts[key] = text;
  try {
    sessionStorage.setItem(DRAFTS_KEY, JSON.stringify(drafts));
  } catch {
    // A full session storage only loses drafts over a reload.
  }
}
