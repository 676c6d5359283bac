// Inline Markdown to DOM nodes: escapes, code spans, links, emphasis, strike, autolinks, Slack tokens
// and emoji. Emphasis follows CommonMark's delimiter stack, so that its cost stays in proportion to
// the text. Raw HTML is text.

import { h, link, safeUrl } from "./dom.js";
import { emoji } from "./emoji.js";
import { token } from "./mrkdwn.js";

const ESCAPABLE = /[!-/:-@[-`{-~]/;
const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', nbsp: "\u00a0", "#39": "'", apos: "'" };
const MAX_DEPTH = 8;

/** Nodes for one run of inline Markdown. */
export function inlineMarkdown(text, depth = 0) {
  return emphasise(tokenise(String(text), depth));
}

/** For every `[`, the index of the `]` that closes it; one pass. */
function brackets(text) {
  const pairs = new Map();
  const open = [];
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === "[") open.push(at);
    else if (text[at] === "]" && open.length > 0) pairs.set(open.pop(), at);
  }
  return pairs;
}

function tokenise(text, depth) {
  const tokens = [];
  const pairs = brackets(text);
  let plain = "";
  const flush = () => {
    if (plain !== "") tokens.push({ node: plain });
    plain = "";
  };
  const put = (node) => {
    flush();
    tokens.push({ node });
  };
  let at = 0;
  const special = { "\\": escape, "`": codeSpan, "[": bracket, "!": image, "<": angle, "&": entity, ":": colon, "\n": newline, h: bare };

  function escape() {
    if (text[at + 1] === "\n") return put(h("br")), 2;
    if (!ESCAPABLE.test(text[at + 1] ?? "")) return 0;
    plain += text[at + 1];
    return 2;
  }
  function codeSpan() {
    const run = /^`+/.exec(text.slice(at, at + 64))[0].length;
    const fence = "`".repeat(run);
    for (let end = text.indexOf(fence, at + run); end >= 0; ) {
      let stop = end;
      while (text[stop] === "`") stop += 1;
      if (stop - end === run) {
        let code = text.slice(at + run, end).replace(/\n/g, " ");
        if (/^ .*\S.* $/.test(code)) code = code.slice(1, -1);
        put(h("code", { class: "code", text: code }));
        return stop - at;
      }
      end = text.indexOf(fence, stop);
    }
    plain += fence;
    return run;
  }
  function destination(from) {
    if (text[from] !== "(") return null;
    const match = /^\(\s*(?:<([^<>\n]*)>|((?:[^\s()\\]|\\.|\((?:[^\s()\\]|\\.)*\))*))(?:\s+(?:"[^"]*"|'[^']*'))?\s*\)/.exec(text.slice(from, from + 4000));
    return match ? { address: (match[1] ?? match[2]).replace(/\\(.)/g, "$1"), length: match[0].length } : null;
  }
  function bracket() {
    const end = pairs.get(at);
    const target = end === undefined ? null : destination(end + 1);
    if (!target || depth >= MAX_DEPTH) return 0;
    const label = inlineMarkdown(text.slice(at + 1, end), depth + 1);
    // An address that is no web link is shown, so that nobody wonders where a label leads.
    if (safeUrl(target.address)) put(link(target.address, label));
    else put(h("span", { class: "dead-link" }, label, ` (${target.address})`));
    return end + 1 - at + target.length;
  }
  function image() {
    const end = text[at + 1] === "[" ? pairs.get(at + 1) : undefined;
    const target = end === undefined ? null : destination(end + 1);
    if (!target) return 0;
    const label = text.slice(at + 2, end) || "image";
    put(h("span", { class: "image-link" }, "🖼 ", link(target.address, label)));
    return end + 1 - at + target.length;
  }
  function angle() {
    const end = text.indexOf(">", at + 1);
    if (end < 0 || end - at > 3000) return 0;
    const node = token(text.slice(at + 1, end));
    if (!node) return 0;
    put(node);
    return end + 1 - at;
  }
  function entity() {
    const match = /^&(#39|[a-z]{2,5});/.exec(text.slice(at, at + 8));
    if (!match || !Object.hasOwn(ENTITIES, match[1])) return 0;
    plain += ENTITIES[match[1]];
    return match[0].length;
  }
  function colon() {
    const match = /^:([a-z0-9_+-]{1,40}):/.exec(text.slice(at, at + 44));
    const glyph = match ? emoji(match[1]) : null;
    if (!glyph) return 0;
    put(h("span", { class: "emoji", role: "img", "aria-label": match[1], text: glyph }));
    return match[0].length;
  }
  function newline() {
    plain = plain.replace(/ +$/, "");
    put(h("br"));
    return 1;
  }
  function bare() {
    if (/\w/.test(text[at - 1] ?? " ")) return 0;
    const match = /^https?:\/\/[^\s<>"`\]|]+/.exec(text.slice(at, at + 2000));
    if (!match || depth > 0) return 0;
    let address = match[0].replace(/[.,;:!?*_~'"]+$/, "");
    if (address.endsWith(")") && !address.includes("(")) address = address.replace(/\)+$/, "");
    put(link(address));
    return address.length;
  }

  while (at < text.length) {
    const char = text[at];
    if (char === "*" || char === "_" || char === "~") {
      let end = at;
      while (text[end] === char) end += 1;
      flush();
      tokens.push(delimiter(text, at, end, char));
      at = end;
      continue;
    }
    const used = special[char]?.() ?? 0;
    if (used > 0) {
      at += used;
    } else {
      plain += char;
      at += 1;
    }
  }
  flush();
  return tokens;
}

function delimiter(text, start, end, char) {
  const before = text[start - 1] ?? " ";
  const after = text[end] ?? " ";
  const space = /\s/;
  const punctuation = /[\p{P}\p{S}]/u;
  const left = !space.test(after) && (!punctuation.test(after) || space.test(before) || punctuation.test(before));
  const right = !space.test(before) && (!punctuation.test(before) || space.test(after) || punctuation.test(after));
  const strict = char === "_";
  return {
    char,
    length: end - start,
    original: end - start,
    opens: left && (!strict || !right || punctuation.test(before)),
    closes: right && (!strict || !left || punctuation.test(after)),
  };
}

/** Pairs the delimiters of a token list and returns nodes. */
function emphasise(tokens) {
  const bottoms = new Map();
  for (let at = 0; at < tokens.length; at += 1) {
    const closer = tokens[at];
    if (!closer.char || !closer.closes || closer.length === 0) continue;
    const bottom = `${closer.char}${closer.opens}${closer.original % 3}`;
    let from = at - 1;
    const floor = bottoms.get(bottom) ?? -1;
    while (from > floor && !matches(tokens[from], closer)) from -= 1;
    if (from <= floor) {
      bottoms.set(bottom, at - 1);
      continue;
    }
    const opener = tokens[from];
    const used = closer.char === "~" ? closer.length : opener.length >= 2 && closer.length >= 2 ? 2 : 1;
    const tag = closer.char === "~" ? "s" : used === 2 ? "strong" : "em";
    const inside = tokens.splice(from + 1, at - from - 1);
    tokens.splice(from + 1, 0, { node: h(tag, {}, flat(inside)) });
    opener.length -= used;
    closer.length -= used;
    for (const [key, value] of bottoms) if (value > from) bottoms.set(key, from);
    // The closer now sits two after its opener; look at it again if anything of it is left.
    at = from + 2 - (closer.length > 0 ? 1 : 0);
  }
  return flat(tokens);
}

function matches(opener, closer) {
  if (opener.char !== closer.char || !opener.opens || opener.length === 0) return false;
  if (closer.char === "~") return opener.length === closer.length && closer.length <= 2;
  const odd = (opener.closes || closer.opens) && (opener.original + closer.original) % 3 === 0;
  return !odd || (opener.original % 3 === 0 && closer.original % 3 === 0);
}

function flat(tokens) {
  return tokens.map((item) => (item.char ? item.char.repeat(item.length) : item.node));
}
