// The small toolbar on the message under the pointer or the focus: react, reply, edit, delete. There
// is one for the whole page; it moves.

import { h, icon } from "./dom.js";
import { act } from "./api.js";
import { attempt } from "./toast.js";
import { store, openThread } from "./state.js";
import { confirmDialog } from "./dialog.js";
import { openPopup, closePopup } from "./popup.js";
import { PICKER, emoji } from "./emoji.js";
import { startEdit } from "./message.js";

let bar = null;
let current = null;

function tool(name, label, testid, onClick) {
  const node = h("button", { class: "tool", type: "button", testid, "aria-label": label, title: label }, icon(name));
  node.addEventListener("click", () => current && onClick(current, node));
  return node;
}

function pick(message, anchor) {
  const react = (name) => () => {
    closePopup();
    attempt(act(store.me, "react", { channel: message.channel, ts: message.ts, name }));
  };
  const grid = h("div", { class: "picker" }, PICKER.map((name) => h("button", { class: "picker-item", type: "button", role: "menuitem", "aria-label": name, title: `:${name}:`, on: { click: react(name) } }, emoji(name))));
  openPopup(anchor, grid, "Add a reaction");
}

async function remove(message) {
  const sure = await confirmDialog({ title: "Delete message", text: "Delete this message for everyone? This cannot be undone.", confirm: "Delete", danger: true });
  if (sure) attempt(act(store.me, "delete", { channel: message.channel, ts: message.ts }));
}

/** Moves the toolbar to a row. `inThread` hides what makes no sense there. */
export function showTools(row, message, inThread) {
  if (!bar) {
    const react = tool("smile", "Add a reaction", "tool-react", pick);
    react.setAttribute("aria-haspopup", "menu");
    bar = h(
      "div",
      { class: "tools", role: "toolbar", "aria-label": "Message actions" },
      react,
      tool("reply", "Reply in thread", "tool-reply", (target) => openThread(target.thread_ts ?? target.ts)),
      tool("edit", "Edit message", "tool-edit", startEdit),
      tool("trash", "Delete message", "tool-delete", remove),
    );
  }
  current = message;
  const own = message.user === store.me && !message.bot;
  const [react, reply, edit, trash] = bar.children;
  react.hidden = Boolean(message.ephemeral_to);
  reply.hidden = inThread || Boolean(message.ephemeral_to);
  edit.hidden = !own;
  trash.hidden = !own;
  if (bar.parentElement !== row) row.append(bar);
}
