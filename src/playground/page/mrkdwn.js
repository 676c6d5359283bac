// Slack's mrkdwn to DOM nodes: entities, <tokens>, *bold* _italic_ ~strike~ `code`, fences, quotes,
// lists, :emoji:. Text in, nodes out; whatever it does not know stays text.

import { h, fragment, link, safeUrl } from "./dom.js";
import { emoji } from "./emoji.js";
import { store, displayName, channelById } from "./state.js";

const MAX_DEPTH = 6;
const STYLES = { "*": ["strong", "b"], _: ["em", "i"], "~": ["s", "s"] };

/** Undoes Slack's three entities, once. */
export function unescapeEntities(text) {
  return String(text).replace(/&(amp|lt|gt);/g, (_, name) => ({ amp: "&", lt: "<", gt: ">" })[name]);
}

/** Draws a mention of a person, the bot, a channel or a group of people. */
export function mention(id) {
  const isMe = id === store.me;
  const isBot = id === store.bot.user_id;
  return h("span", { class: `mention${isMe ? " mention-me" : ""}${isBot ? " mention-bot" : ""}`, "data-user": id, text: `@${displayName(id)}` });
}

/** Draws the inside of `<…>`, or null if it is no Slack token. */
export function token(inside) {
  const bar = inside.indexOf("|");
  const target = bar < 0 ? inside : inside.slice(0, bar);
  const label = bar < 0 ? null : unescapeEntities(inside.slice(bar + 1));
  if (/^@[UWB][A-Z0-9]+$/.test(target)) return mention(target.slice(1));
  if (/^#[CGD][A-Z0-9]+$/.test(target)) {
    const name = channelById(target.slice(1))?.name ?? label ?? target.slice(1);
    return h("span", { class: "mention", text: `#${name}` });
  }
  if (/^!(here|channel|everyone)$/.test(target)) return h("span", { class: "mention mention-all", text: `@${target.slice(1)}` });
  if (/^!subteam\^/.test(target)) return h("span", { class: "mention", text: label ?? "@group" });
  if (/^!date\^\d{1,12}\^/.test(target)) return localDate(target, label);
  if (safeUrl(unescapeEntities(target))) {
    const address = unescapeEntities(target);
    return link(address, label ?? address.replace(/^mailto:/, ""));
  }
  return null;
}

/** `<!date^seconds^format^link|fallback>` in the reader's own time. */
function localDate(target, label) {
  const [, seconds, format] = target.split("^");
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime()) || !format) return h("span", { text: label ?? "" });
  const day = (options) => date.toLocaleDateString([], options);
  const clock = (options) => date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", ...options });
  const today = date.toDateString() === new Date().toDateString();
  const kinds = {
    date_num: () => date.toISOString().slice(0, 10),
    date: () => day({ year: "numeric", month: "long", day: "numeric" }),
    date_short: () => day({ year: "numeric", month: "short", day: "numeric" }),
    date_long: () => day({ weekday: "long", year: "numeric", month: "long", day: "numeric" }),
    time: () => clock(),
    time_secs: () => clock({ second: "2-digit" }),
  };
  const text = unescapeEntities(format).replace(/\{(\w+)\}/g, (whole, name) => {
    if (name.endsWith("_pretty")) return today ? "today" : kinds[name.replace("_pretty", "")]?.() ?? whole;
    return Object.hasOwn(kinds, name) ? kinds[name]() : whole;
  });
  return h("time", { datetime: date.toISOString(), title: date.toLocaleString(), text });
}

/** Inline mrkdwn of one paragraph. */
export function inlineMrkdwn(text, depth = 0) {
  const out = [];
  let plain = "";
  const flush = () => {
    if (plain !== "") out.push(unescapeEntities(plain));
    plain = "";
  };
  const put = (node) => {
    flush();
    out.push(node);
  };
  let at = 0;
  const barren = {};
  while (at < text.length) {
    const char = text[at];
    if (char === "<") {
      const end = text.slice(at, at + 4000).indexOf(">") + at;
      const node = end > at + 1 && end - at < 4000 ? token(text.slice(at + 1, end)) : null;
      if (node) {
        put(node);
        at = end + 1;
        continue;
      }
    } else if (char === "`") {
      const end = text.indexOf("`", at + 1);
      if (end > at + 1 && !text.slice(at + 1, end).includes("\n")) {
        put(h("code", { class: "code", text: unescapeEntities(text.slice(at + 1, end)) }));
        at = end + 1;
        continue;
      }
    } else if (char === ":") {
      const match = /^:([a-z0-9_+-]{1,40}):/.exec(text.slice(at, at + 44));
      const glyph = match ? emoji(match[1]) : null;
      if (glyph) {
        put(h("span", { class: "emoji", role: "img", "aria-label": match[1], text: glyph }));
        at += match[0].length;
        continue;
      }
    } else if (STYLES[char] && depth < MAX_DEPTH && at >= (barren[char] ?? 0)) {
      const end = closing(text, at, char, barren);
      if (end > 0) {
        put(h(STYLES[char][0], {}, inlineMrkdwn(text.slice(at + 1, end), depth + 1)));
        at = end + 1;
        continue;
      }
    } else if (char === "\n") {
      put(h("br"));
      at += 1;
      continue;
    } else if (char === "h" && depth >= 0) {
      const match = /^https?:\/\/[^\s<>"'`|]+/.exec(text.slice(at, at + 2000));
      if (match && !/\w/.test(text[at - 1] ?? " ")) {
        const address = match[0].replace(/[.,;:!?)*_~]+$/, "");
        put(link(unescapeEntities(address)));
        at += address.length;
        continue;
      }
    }
    plain += char;
    at += 1;
  }
  flush();
  return out;
}

/**
 * Where the style that opens at `at` closes on its line, or -1. Slack wants word boundaries. Notes in
 * `barren` up to where no more closers stand, so that a line of openers costs one search.
 */
function closing(text, at, char, barren) {
  const before = text[at - 1] ?? " ";
  if (/[\p{L}\p{N}]/u.test(before) || /\s/.test(text[at + 1] ?? " ") || text[at + 1] === char) return -1;
  const line = text.indexOf("\n", at);
  const limit = line < 0 ? text.length : line;
  for (let end = text.indexOf(char, at + 1); end > 0 && end < limit; end = text.indexOf(char, end + 1)) {
    const after = text[end + 1] ?? " ";
    if (!/\s/.test(text[end - 1]) && !/[\p{L}\p{N}]/u.test(after) && after !== char) return end;
  }
  barren[char] = limit;
  return -1;
}

/** Whole mrkdwn text: fences, quotes and lists, with inline marks inside. */
export function mrkdwn(source) {
  const text = String(source ?? "");
  const out = fragment();
  const parts = text.split("```");
  for (let index = 0; index < parts.length; index += 1) {
    const isCode = index % 2 === 1 && index < parts.length - 1;
    if (isCode) {
      const code = unescapeEntities(parts[index].replace(/^\n/, "").replace(/\n$/, ""));
      out.append(h("pre", { class: "fence" }, h("code", { text: code })));
    } else {
      const literal = index % 2 === 1 ? "```" + parts[index] : parts[index];
      const trimmed = literal.replace(index > 0 ? /^\n/ : /^$/, "").replace(index < parts.length - 1 ? /\n$/ : /$^/, "");
      lines(out, trimmed);
    }
  }
  return out;
}

function lines(out, text) {
  if (text === "") return;
  let group = null;
  const close = () => {
    if (!group) return;
    if (group.kind === "text") out.append(h("p", { class: "para" }, inlineMrkdwn(group.lines.join("\n"))));
    if (group.kind === "quote") out.append(h("blockquote", { class: "quote" }, inlineMrkdwn(group.lines.join("\n"))));
    if (group.kind === "ul" || group.kind === "ol") {
      const items = group.lines.map((line) => h("li", {}, inlineMrkdwn(line)));
      out.append(h(group.kind, { class: "list", start: group.kind === "ol" ? group.start : null }, items));
    }
    group = null;
  };
  for (const line of text.split("\n")) {
    const quote = /^(?:>|&gt;) ?(.*)$/.exec(line);
    const bullet = /^\s{0,6}[•\-◦] (.*)$/.exec(line);
    const number = /^\s{0,6}(\d{1,6})\. (.*)$/.exec(line);
    const kind = quote ? "quote" : bullet ? "ul" : number ? "ol" : "text";
    if (!group || group.kind !== kind) {
      close();
      group = { kind, lines: [], start: number?.[1] };
    }
    group.lines.push(quote?.[1] ?? bullet?.[1] ?? number?.[2] ?? line);
  }
  close();
}
