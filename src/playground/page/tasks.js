// Plans and task cards: a list of steps with their status, details and output. What runs turns;
// nothing turns once the stream or the session has ended.

import { h, icon, link, add } from "./dom.js";
import { richText } from "./richtext.js";
import { markdown } from "./markdown.js";

const WORDS = { pending: "To do", in_progress: "Running", complete: "Done", error: "Failed" };

/** Which folds a person opened or closed, so that a redraw does not undo it. */
const folds = new Map();

function fold(key, openByDefault, summary, content, className) {
  const node = h("details", { class: className, open: folds.get(key) ?? openByDefault }, h("summary", {}, summary), content);
  node.addEventListener("toggle", () => {
    if (node.open !== (folds.get(key) ?? openByDefault)) folds.set(key, node.open);
  });
  return node;
}

function statusIcon(status, live) {
  const label = status === "in_progress" && !live ? "Stopped" : WORDS[status] ?? String(status ?? "");
  const inner = {
    pending: () => icon("circle"),
    in_progress: () => (live ? h("span", { class: "spinner", testid: "spinner" }) : icon("pause")),
    complete: () => icon("check"),
    error: () => icon("cross"),
  }[status];
  const state = status === "in_progress" && !live ? "stopped" : status;
  return h("span", { class: `task-status task-${state}`, role: "img", "aria-label": label, title: label }, inner ? inner() : icon("circle"));
}

function body(value) {
  if (!value) return null;
  if (typeof value === "string") return value.trim() === "" ? null : h("div", { class: "md" }, markdown(value));
  if (value.type === "rich_text") return h("div", { class: "md" }, richText(value));
  return h("div", { class: "md", text: String(value.text ?? "") });
}

/** One task, from a `task_card` block or from a streamed chunk. */
export function taskCard(task, { live, key, alone }) {
  const id = task.task_id ?? task.id ?? task.title;
  const details = body(task.details);
  const output = body(task.output);
  const sources = (task.sources ?? []).filter((source) => source?.url);
  const title = h("span", { class: "task-title", text: task.title ?? "" });
  const head = [statusIcon(task.status, live), title];
  const className = `task task-is-${task.status ?? "pending"}${alone ? " task-alone" : ""}`;
  if (!details && !output && sources.length === 0) {
    return h("div", { class: className, testid: "task", "data-status": task.status }, h("div", { class: "task-head" }, head));
  }
  const content = h(
    "div",
    { class: "task-body" },
    details,
    output ? h("div", { class: "task-output" }, h("div", { class: "task-label", text: "Output" }), output) : null,
    sources.length > 0 ? h("div", { class: "task-sources" }, sources.map((source) => link(source.url, source.text || source.title || source.url))) : null,
  );
  const node = fold(`${key}/${id}`, false, h("span", { class: "task-head" }, head, icon("right", "fold-mark")), content, className);
  node.dataset.testid = "task";
  node.dataset.status = task.status;
  return node;
}

/** A plan: its title, how far it is, its tasks. */
export function plan(title, tasks, { live, key }) {
  const done = tasks.filter((task) => task.status === "complete").length;
  const failed = tasks.filter((task) => task.status === "error").length;
  const runs = live && tasks.some((task) => task.status === "in_progress");
  const state = runs ? "in_progress" : failed > 0 ? "error" : tasks.length > 0 && done === tasks.length ? "complete" : "pending";
  const head = h(
    "span",
    { class: "plan-head" },
    statusIcon(state, live),
    h("span", { class: "plan-title", text: title || "Plan" }),
    tasks.length > 0 ? h("span", { class: "plan-count", text: `${done} of ${tasks.length}` }) : null,
    icon("right", "fold-mark"),
  );
  const list = add(h("div", { class: "plan-tasks" }), tasks.map((task) => taskCard(task, { live, key })));
  const node = fold(`${key}/plan`, true, head, list, "plan");
  node.dataset.testid = "plan";
  return node;
}
