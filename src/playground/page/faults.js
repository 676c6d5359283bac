// The Faults drawer: what goes wrong on purpose between the workspace and the bot. Lists, sets and
// clears faults through the control API.

import { h, icon, trapFocus } from "./dom.js";
import { listFaults, setFault, clearFaults } from "./api.js";
import { attempt, toast } from "./toast.js";

const METHODS = ["*", "chat.postMessage", "chat.update", "chat.startStream", "chat.appendStream", "chat.stopStream", "views.open", "assistant.threads.setStatus", "reactions.add"];
const METHOD = { name: "method", label: "Method", type: "method", value: "chat.update" };
const TIMES = { name: "times", label: "Times", type: "number", value: 3 };

const KINDS = {
  rate_limited: { label: "429 for a method", fields: [METHOD, { name: "retry_after", label: "Retry after (s)", type: "number", value: 2 }, TIMES] },
  error: { label: "An error for a method", fields: [METHOD, { name: "error", label: "Error", type: "text", value: "internal_error" }, TIMES] },
  http: { label: "An HTTP status for a method", fields: [METHOD, { name: "status", label: "Status", type: "number", value: 500 }, TIMES] },
  slow: { label: "Slow answers", fields: [METHOD, { name: "millis", label: "Delay (ms)", type: "number", value: 1500 }, TIMES] },
  drop_socket: { label: "Drop the bot's socket", fields: [] },
  disconnect: { label: "Ask the bot to reconnect", fields: [{ name: "reason", label: "Reason", type: "choice", choices: ["warning", "refresh_requested", "link_disabled", "too_many_websockets"], value: "warning" }] },
  delay_events: { label: "Delay events", fields: [{ name: "millis", label: "Delay (ms)", type: "number", value: 2000 }, TIMES] },
  duplicate_events: { label: "Send events twice", fields: [TIMES] },
  reorder_events: { label: "Reorder events", fields: [{ name: "count", label: "How many", type: "number", value: 2 }] },
  mute_socket: { label: "Mute the socket", fields: [] },
};

let open = null;

export function toggleFaults() {
  if (open) return open.close();
  const list = h("div", { class: "fault-list", testid: "fault-list" });
  const fields = h("div", { class: "fault-fields" });
  const kind = h("select", { class: "select", "aria-label": "Fault", testid: "fault-kind" }, Object.entries(KINDS).map(([value, about]) => h("option", { value, text: about.label })));
  const drawFields = () => fields.replaceChildren(...KINDS[kind.value].fields.map(field));
  kind.addEventListener("change", drawFields);
  drawFields();
  const close = h("button", { class: "icon-button", type: "button", "aria-label": "Close" }, icon("close"));
  const clear = h("button", { class: "button", type: "button", testid: "faults-clear" }, "Clear all");
  const form = h("form", { class: "fault-form" }, h("span", { class: "select-box" }, kind, icon("down")), fields, h("div", { class: "actions" }, h("button", { class: "button button-primary", type: "submit", testid: "fault-set" }, "Set fault"), clear));
  const drawer = h(
    "aside",
    { class: "drawer", role: "dialog", "aria-modal": "true", "aria-label": "Faults", testid: "faults" },
    h("header", { class: "dialog-head" }, h("h2", { class: "dialog-title", text: "Faults" }), close),
    h("div", { class: "drawer-body" }, h("p", { class: "quiet", text: "Make the workspace misbehave towards the bot and watch what it does." }), form, h("h3", { class: "side-title", text: "Waiting to happen" }), list),
  );
  const shade = h("div", { class: "shade shade-drawer" }, drawer);
  document.getElementById("overlays").append(shade);
  const release = trapFocus(drawer);
  kind.focus();

  async function refresh() {
    const faults = await attempt(listFaults());
    if (!faults) return;
    const rows = faults.map((fault) => {
      const { kind: name, ...rest } = fault;
      const detail = Object.entries(rest).filter(([, value]) => value !== null).map(([key, value]) => `${key} ${value}`).join(" · ");
      return h("div", { class: "fault", testid: "fault" }, h("strong", { text: KINDS[name]?.label ?? String(name) }), h("span", { text: detail }));
    });
    list.replaceChildren(...(rows.length > 0 ? rows : [h("p", { class: "quiet", text: "Nothing: the workspace behaves." })]));
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const fault = { kind: kind.value };
    for (const input of fields.querySelectorAll("[name]")) fault[input.name] = input.type === "number" ? Number(input.value) : input.value;
    if (await attempt(setFault(fault))) toast("Fault set.", "info");
    refresh();
  });
  clear.addEventListener("click", async () => {
    if (await attempt(clearFaults())) refresh();
  });
  const onKey = (event) => event.key === "Escape" && open?.close();
  document.addEventListener("keydown", onKey);
  const timer = setInterval(refresh, 2000);
  open = {
    close() {
      clearInterval(timer);
      document.removeEventListener("keydown", onKey);
      shade.remove();
      release();
      open = null;
    },
  };
  close.addEventListener("click", open.close);
  shade.addEventListener("click", (event) => event.target === shade && open?.close());
  refresh();
  return undefined;
}

function field({ name, label, type, value, choices }) {
  const named = (control) => h("label", { class: "fault-field" }, h("span", { text: label }), control);
  const known = type === "method" ? METHODS : choices;
  if (known) return named(h("select", { class: "select", name }, known.map((choice) => h("option", { value: choice, text: choice, selected: choice === value }))));
  return named(h("input", { class: "text-input", name, type, value, min: type === "number" ? "0" : null, required: true }));
}
