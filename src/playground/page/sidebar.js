// The sidebar: workspace, channels, the direct message with the bot, and the people to act as.

import { h, icon } from "./dom.js";
import { act } from "./api.js";
import { attempt } from "./toast.js";
import { store, visibleChannels, directMessage, openChannel, actAs, apply } from "./state.js";
import { avatar } from "./message.js";

export function createSidebar({ onNavigate, onFaults }) {
  const team = h("div", { class: "team" });
  const channels = h("nav", { class: "nav", "aria-label": "Channels" });
  const people = h("div", { class: "people", role: "radiogroup", "aria-label": "Act as" });
  const faults = h("button", { class: "side-link faults-link", type: "button", testid: "faults-open", on: { click: onFaults } }, icon("bolt"), "Faults");
  const root = h("aside", { class: "sidebar", "aria-label": "Workspace" }, team, channels, h("div", { class: "side-foot" }, h("h2", { class: "side-title", text: "Act as" }), people, faults));
  let drawn = "";

  async function openDirect() {
    const known = directMessage();
    if (known) return go(known.id);
    const answer = await attempt(act(store.me, "open_im"));
    if (!answer?.channel) return undefined;
    const id = typeof answer.channel === "string" ? answer.channel : answer.channel.id;
    if (!store.channels.some((channel) => channel.id === id)) {
      apply({ kind: "channel", channel: { id, name: store.bot.name, kind: "im", members: [store.me, store.bot.user_id], topic: "" } });
    }
    return go(id);
  }

  function go(id) {
    openChannel(id);
    onNavigate();
  }

  function row({ active, unread, mark, label, onClick, name }) {
    const badge = unread ? h("span", { class: "unread", "aria-label": `${unread} unread`, text: String(unread) }) : null;
    return h("button", { class: `side-link${active ? " active" : ""}${unread ? " has-unread" : ""}`, type: "button", "aria-current": active ? "page" : null, testid: "channel-link", "data-name": name, on: { click: onClick } }, mark, h("span", { class: "side-label", text: label }), badge);
  }

  function update() {
    const direct = directMessage();
    const signature = JSON.stringify([store.team, store.channels, store.people, store.me, store.channel, [...store.unread], store.bot, direct?.id]);
    if (signature === drawn) return;
    drawn = signature;
    team.replaceChildren(h("span", { class: "team-mark", "aria-hidden": "true", text: (store.team.name || "P").slice(0, 1).toUpperCase() }), h("span", { class: "team-names" }, h("span", { class: "team-name", text: store.team.name || "Playground" }), h("span", { class: "team-sub", text: "local playground" })));
    const list = visibleChannels().map((channel) =>
      row({ active: store.channel === channel.id, unread: store.unread.get(channel.id), mark: icon("hash"), label: channel.name, name: channel.name, onClick: () => go(channel.id) }),
    );
    const bot = row({ active: Boolean(direct) && store.channel === direct.id, unread: direct ? store.unread.get(direct.id) : 0, mark: avatar(store.bot.user_id, true, "avatar-small"), label: store.bot.name, name: "dm", onClick: openDirect });
    channels.replaceChildren(h("h2", { class: "side-title", text: "Channels" }), ...list, h("h2", { class: "side-title", text: "Direct message" }), bot);
    const focused = people.contains(document.activeElement);
    people.replaceChildren(
      ...store.people.map((one, index) => {
        const mine = one.id === store.me;
        const button = h(
          "button",
          { class: `person${mine ? " active" : ""}`, type: "button", role: "radio", "aria-checked": String(mine), tabindex: mine ? "0" : "-1", testid: "person", "data-name": one.name, on: { click: () => actAs(one.id) } },
          avatar(one.id, false, "avatar-small"),
          h("span", { class: "person-names" }, h("span", { class: "person-name", text: one.real_name || one.name }), h("span", { class: "person-title", text: one.title ?? "" })),
          mine ? icon("check", "person-check") : null,
        );
        button.addEventListener("keydown", (event) => {
          const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
          if (!step) return;
          event.preventDefault();
          actAs(store.people[(index + step + store.people.length) % store.people.length].id);
        });
        return button;
      }),
    );
    if (focused) people.querySelector('[aria-checked="true"]')?.focus();
  }
  return { root, update };
}
