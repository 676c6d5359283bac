// Markdown of a `markdown` block or a streamed text to DOM nodes: headings, lists and task lists,
// tables, fenced code, quotes, rules, paragraphs. Works on unfinished text too (an open fence is code
// to the end). Raw HTML is text.

import { h, fragment, icon } from "./dom.js";
import { inlineMarkdown } from "./inline.js";

const MAX_DEPTH = 10;
const FENCE = /^( {0,3})(`{3,}|~{3,})\s*([^`]*)$/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])(\s+(.*)|)$/;
const DELIMITER_ROW = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

export function markdown(source) {
  const lines = String(source ?? "").replace(/\r\n?/g, "\n").replace(/\t/g, "    ").split("\n");
  return fragment(blocks(lines, 0));
}

function blocks(lines, depth) {
  const out = [];
  let at = 0;
  while (at < lines.length) {
    if (lines[at].trim() === "") {
      at += 1;
      continue;
    }
    const reader = [fence, heading, rule, quote, list, table].find((candidate) => candidate.starts(lines, at));
    const { node, next } = depth < MAX_DEPTH && reader ? reader(lines, at, depth) : paragraph(lines, at);
    out.push(node);
    at = next;
  }
  return out;
}

/** A code box with its language and a copy button. */
export function codeBox(code, language) {
  const copy = h("button", { class: "copy", type: "button", "aria-label": "Copy code", "data-copy": true }, icon("copy"));
  return h(
    "div",
    { class: "codebox" },
    h("div", { class: "codebox-bar" }, h("span", { class: "codebox-lang", text: language || "text" }), copy),
    h("pre", { class: "fence", tabindex: "0" }, h("code", { text: code })),
  );
}

function fence(lines, at) {
  const [, indent, mark, info] = FENCE.exec(lines[at]);
  const close = new RegExp(`^ {0,3}\\${mark[0]}{${mark.length},}\\s*$`);
  let next = at + 1;
  const code = [];
  while (next < lines.length && !close.test(lines[next])) {
    code.push(lines[next].startsWith(indent) ? lines[next].slice(indent.length) : lines[next].trimStart());
    next += 1;
  }
  return { node: codeBox(code.join("\n"), info.trim().split(/\s+/)[0].slice(0, 40)), next: next + 1 };
}
fence.starts = (lines, at) => FENCE.test(lines[at]);

function heading(lines, at) {
  const [, marks, text] = HEADING.exec(lines[at]);
  const level = marks.length;
  // Levels start at h3 in the page's outline; the look follows the level that was written.
  return { node: h(`h${Math.min(6, level + 2)}`, { class: `md-h md-h${level}` }, inlineMarkdown(text)), next: at + 1 };
}
heading.starts = (lines, at) => HEADING.test(lines[at]);

function rule(_lines, at) {
  return { node: h("hr", { class: "divider" }), next: at + 1 };
}
rule.starts = (lines, at) => RULE.test(lines[at]);

function quote(lines, at, depth) {
  const inner = [];
  let next = at;
  while (next < lines.length && (/^ {0,3}>/.test(lines[next]) || (lines[next].trim() !== "" && !interrupts(lines, next)))) {
    inner.push(lines[next].replace(/^ {0,3}> ?/, ""));
    next += 1;
  }
  return { node: h("blockquote", { class: "quote" }, blocks(inner, depth + 1)), next };
}
quote.starts = (lines, at) => /^ {0,3}>/.test(lines[at]);

function list(lines, at, depth) {
  const first = ITEM.exec(lines[at]);
  const ordered = /\d/.test(first[2]);
  const base = first[1].length;
  const items = [];
  let next = at;
  while (next < lines.length) {
    const match = ITEM.exec(lines[next]);
    if (!match || RULE.test(lines[next]) || match[1].length < base || match[1].length > base + 1 || /\d/.test(match[2]) !== ordered) break;
    const width = match[1].length + match[2].length + Math.min(4, Math.max(1, match[3].length - (match[4] ?? "").length));
    const inner = [match[4] ?? ""];
    next += 1;
    while (next < lines.length) {
      const line = lines[next];
      const indent = line.length - line.trimStart().length;
      const follows = line.trim() === "" ? belongs(lines, next, base) : indent > base || (!interrupts(lines, next) && lines[next - 1].trim() !== "");
      if (!follows) break;
      inner.push(line.slice(Math.min(indent, width)));
      next += 1;
    }
    items.push(item(inner, depth));
    while (next < lines.length && lines[next].trim() === "" && ITEM.test(lines[next + 1] ?? "")) next += 1;
  }
  const start = ordered ? Number.parseInt(first[2], 10) : null;
  const props = { class: "list", start: start === 1 ? null : start };
  return { node: h(ordered ? "ol" : "ul", props, items), next };
}
list.starts = (lines, at) => ITEM.test(lines[at]);

/** Whether a blank line inside a list item is followed by more of that item. */
function belongs(lines, at, base) {
  let next = at;
  while (next < lines.length && lines[next].trim() === "") next += 1;
  return next < lines.length && lines[next].length - lines[next].trimStart().length > base + 1;
}

function item(inner, depth) {
  const task = /^\[([ xX])\]\s+(.*)$/.exec(inner[0]);
  if (task) inner[0] = task[2];
  const content = blocks(inner, depth + 1);
  // A tight item shows its first paragraph without paragraph spacing.
  if (content[0] instanceof HTMLParagraphElement) content[0].className = "para tight";
  if (!task) return h("li", {}, content);
  const done = task[1] !== " ";
  const box = h("span", { class: `taskbox${done ? " done" : ""}`, role: "img", "aria-label": done ? "done" : "open" }, done ? icon("check") : null);
  return h("li", { class: "task-item" }, box, h("div", {}, content));
}

function cells(line) {
  const trimmed = line.trim().replace(/^\|/, "").replace(/(^|[^\\])\|$/, "$1");
  const out = [""];
  let inCode = false;
  for (let at = 0; at < trimmed.length; at += 1) {
    const char = trimmed[at];
    if (char === "\\" && trimmed[at + 1] === "|") {
      out[out.length - 1] += "|";
      at += 1;
      continue;
    }
    if (char === "`") inCode = !inCode;
    if (char === "|" && !inCode) out.push("");
    else out[out.length - 1] += char;
  }
  return out.map((cell) => cell.trim());
}

function table(lines, at) {
  const head = cells(lines[at]);
  const align = cells(lines[at + 1]).map((cell) => (cell.endsWith(":") ? (cell.startsWith(":") ? "center" : "right") : "left"));
  const rows = [];
  let next = at + 2;
  while (next < lines.length && lines[next].trim() !== "" && lines[next].includes("|")) {
    rows.push(cells(lines[next]));
    next += 1;
  }
  const row = (tag, source) =>
    h("tr", {}, head.map((_, column) => h(tag, { class: `align-${align[column] ?? "left"}` }, inlineMarkdown(source[column] ?? ""))));
  const node = h(
    "div",
    { class: "table-box", tabindex: "0" },
    h("table", { class: "table" }, h("thead", {}, row("th", head)), h("tbody", {}, rows.map((source) => row("td", source)))),
  );
  return { node, next };
}
table.starts = (lines, at) =>
  lines[at].includes("|") && DELIMITER_ROW.test(lines[at + 1] ?? "") && cells(lines[at + 1]).length === cells(lines[at]).length;

/** Whether a line begins something other than more of the paragraph above it. */
function interrupts(lines, at) {
  return fence.starts(lines, at) || heading.starts(lines, at) || rule.starts(lines, at) || quote.starts(lines, at) || list.starts(lines, at) || table.starts(lines, at);
}

function paragraph(lines, at) {
  const text = [lines[at].trim()];
  let next = at + 1;
  while (next < lines.length && lines[next].trim() !== "" && !interrupts(lines, next)) {
    text.push(lines[next].trimStart());
    next += 1;
  }
  return { node: h("p", { class: "para" }, inlineMarkdown(text.join("\n"))), next };
}
