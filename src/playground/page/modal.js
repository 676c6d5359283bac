// Modals: an app's view drawn as a form. Owns the values while it is open, sends them on submit, and
// shows the errors that come back beside their blocks. Views themselves come and go with the state.

import { h, icon } from "./dom.js";
import { act } from "./api.js";
import { attempt, toast } from "./toast.js";
import { store, topView } from "./state.js";
import { openFrame } from "./dialog.js";
import { blocks } from "./blocks.js";
import { plainText, selectControl, choices, options } from "./elements.js";

let open = null;

/** Opens, redraws or closes the modal so that it shows the acting person's topmost view. */
export function updateModal() {
  const view = topView();
  if (!view) {
    open?.frame.remove();
    open = null;
    return;
  }
  if (open?.id === view.id && open.source === view) return;
  if (open?.id === view.id && JSON.stringify(open.source.view) === JSON.stringify(view.view)) {
    open.source = view;
    showErrors(view.errors ?? {});
    return;
  }
  const kept = open?.id === view.id ? open.fields : new Map();
  open?.frame.remove();
  open = { id: view.id, source: view, fields: new Map(), frame: null };
  draw(view, kept);
}

function draw(view, kept) {
  const body = view.view ?? {};
  const context = {
    key: view.id,
    me: store.me,
    live: true,
    act: (block, element, value) => attempt(act(store.me, "click", { view_id: view.id, block_id: block.block_id, action_id: element.action_id, ...(value === undefined ? {} : { value }) })),
    input: (block) => inputBlock(block, kept),
  };
  const close = () => attempt(act(store.me, "close_view", { view_id: view.id }));
  const cancel = h("button", { class: "button", type: "button", testid: "modal-close", on: { click: close } }, plainText(body.close) || "Cancel");
  const needsSubmit = body.submit || (body.blocks ?? []).some((block) => block.type === "input");
  const submit = needsSubmit ? h("button", { class: "button button-primary", type: "submit", testid: "modal-submit" }, plainText(body.submit) || "Submit") : null;
  const frame = openFrame({ title: plainText(body.title) || "Dialog", body: blocks(body.blocks, context), footer: [cancel, submit], onClose: close, testid: "modal", form: true });
  open.frame = frame;
  const send = async () => {
    if (!submit || submit.getAttribute("aria-busy") === "true") return;
    submit.setAttribute("aria-busy", "true");
    await submitView(view.id);
    submit.removeAttribute("aria-busy");
  };
  frame.box.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  frame.box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) {
      event.preventDefault();
      send();
    }
  });
  showErrors(view.errors ?? {});
}

async function submitView(id) {
  const missing = {};
  const values = {};
  for (const [blockId, field] of open.fields) {
    const value = field.read();
    if (value.empty && !field.optional) missing[blockId] = "Please fill this in.";
    values[blockId] = { [field.actionId]: value.state };
  }
  showErrors(missing);
  if (Object.keys(missing).length > 0) return;
  try {
    const answer = await act(store.me, "submit", { view_id: id, values });
    const response = answer.response ?? {};
    if (response.response_action === "errors") showErrors(response.errors ?? {});
  } catch (error) {
    toast(error.message);
  }
}

function showErrors(errors) {
  if (!open) return;
  let first = null;
  for (const [blockId, field] of open.fields) {
    const text = errors[blockId];
    field.error.textContent = text ?? "";
    field.error.hidden = !text;
    field.node.classList.toggle("has-error", Boolean(text));
    for (const control of field.controls) control.setAttribute("aria-invalid", String(Boolean(text)));
    if (text && !first) first = field.controls[0];
  }
  const known = new Set(open.fields.keys());
  for (const [blockId, text] of Object.entries(errors)) if (!known.has(blockId)) toast(String(text));
  first?.focus();
}

function inputBlock(block, kept) {
  const element = block.element ?? {};
  const error = h("div", { class: "field-error", role: "alert", hidden: true, testid: "modal-error" });
  const control = makeControl(element);
  const label = h("label", { class: "field-label", for: control.id }, plainText(block.label), block.optional ? h("span", { class: "optional", text: " (optional)" }) : null);
  const hint = block.hint ? h("div", { class: "field-hint", text: plainText(block.hint) }) : null;
  const node = h("div", { class: "form-field" }, label, control.node, hint, error);
  const blockId = block.block_id ?? `input-${open.fields.size}`;
  const before = kept.get(blockId);
  if (before && before.actionId === element.action_id) control.restore?.(before.save());
  open.fields.set(blockId, { node, error, actionId: element.action_id ?? element.type, optional: Boolean(block.optional), read: control.read, save: control.save, controls: control.controls });
  return node;
}

let serial = 0;

function makeControl(element) {
  const id = `input-${(serial += 1)}`;
  const type = element.type;
  if (type === "static_select") {
    const node = selectControl(element, { id, testid: "modal-input", "data-action-id": element.action_id });
    const find = () => options(element).find((option) => option.value === node.value) ?? null;
    return {
      id,
      node: h("span", { class: "select-box" }, node, icon("down")),
      controls: [node],
      read: () => ({ empty: !find(), state: { type, selected_option: find() } }),
      save: () => node.value,
      restore: (value) => (node.value = value),
    };
  }
  if (type === "radio_buttons" || type === "checkboxes" || type === "multi_static_select") {
    const group = choices(element);
    const state = (chosen) => (type === "radio_buttons" ? { type, selected_option: chosen[0] ?? null } : { type, selected_options: chosen });
    return {
      id: null,
      node: group.node,
      controls: group.inputs,
      read: () => ({ empty: group.read().length === 0, state: state(group.read()) }),
      save: () => group.read().map((item) => item.value),
      restore: (values) => group.inputs.forEach((input) => (input.checked = values.includes(input.value))),
    };
  }
  const kinds = { datepicker: "date", timepicker: "time", email_text_input: "email", url_text_input: "url", number_input: "number" };
  const several = Boolean(element.multiline);
  const common = { id, class: "text-input", testid: "modal-input", "data-action-id": element.action_id, placeholder: plainText(element.placeholder) || null, maxlength: element.max_length ?? null };
  const node = several ? h("textarea", { ...common, rows: "6", spellcheck: "false" }) : h("input", { ...common, type: kinds[type] ?? "text", autocomplete: "off" });
  node.value = element.initial_value ?? element.initial_date ?? element.initial_time ?? "";
  const field = type === "datepicker" ? "selected_date" : type === "timepicker" ? "selected_time" : "value";
  return {
    id,
    node,
    controls: [node],
    read: () => ({ empty: node.value.trim() === "", state: { type: type ?? "plain_text_input", [field]: node.value === "" ? null : node.value } }),
    save: () => node.value,
    restore: (value) => (node.value = value),
  };
}
