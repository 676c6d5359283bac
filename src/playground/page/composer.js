// Where a person writes: Enter sends, Shift+Enter breaks the line, @ completes names, a slash command
// is sent as one, files are attached. Drafts are kept per person, channel and thread.

import { h, icon } from "./dom.js";
import { act } from "./api.js";
import { attempt, toast } from "./toast.js";
import { store, draft, keepDraft, person } from "./state.js";

const MAX_UPLOAD_BYTES = 1_000_000;
const COMMAND = "/ml-intern";
let serial = 0;

export function createComposer({ inThread, afterSend }) {
  const id = (serial += 1);
  const input = h("textarea", { class: "composer-input", rows: "1", testid: inThread ? "thread-input" : "channel-input", "aria-autocomplete": "list", "aria-controls": `names-${id}`, autocomplete: "off" });
  const names = h("div", { class: "names", id: `names-${id}`, role: "listbox", "aria-label": "Suggestions", hidden: true, testid: "names" });
  const file = h("input", { type: "file", class: "visually-hidden", tabindex: "-1", "aria-hidden": "true", testid: inThread ? "thread-file" : "channel-file", accept: ".txt,.md,.log,.py,.rs,.js,.json,.jsonl,.csv,.yaml,.yml,.toml,.sh,.diff,text/*" });
  const clip = h("button", { class: "icon-button", type: "button", "aria-label": "Attach a text file", title: "Attach a text file" }, icon("clip"));
  const at = h("button", { class: "icon-button at-button", type: "button", "aria-label": "Mention someone", title: "Mention someone" }, "@");
  const send = h("button", { class: "send", type: "button", "aria-label": "Send", title: "Send (Enter)", testid: inThread ? "thread-send" : "channel-send" }, icon("send"));
  const hint = h("span", { class: "composer-hint" });
  const box = h("div", { class: "composer" }, names, input, h("div", { class: "composer-bar" }, clip, at, hint, send), file);
  let target = { channel: null, thread: null, me: null };
  let matches = [];
  let chosen = 0;

  const grow = () => {
    input.style.height = "auto";
    input.style.height = `${Math.min(input.scrollHeight, 220)}px`;
    send.disabled = input.value.trim() === "";
  };
  const setText = (text) => {
    input.value = text;
    keepDraft(target.channel, target.thread, text);
    grow();
  };

  async function submit() {
    const text = input.value.trim();
    if (text === "" || !target.channel) return;
    const here = { ...target };
    setText("");
    closeNames();
    const result = await attempt(text.startsWith("/") ? command(text) : act(store.me, "say", { channel: here.channel, text, ...(here.thread ? { thread_ts: here.thread } : {}) }));
    if (result) afterSend?.(result);
    else if (input.value === "" && here.channel === target.channel && here.thread === target.thread) setText(text);
  }

  function command(text) {
    if (inThread) return Promise.reject(new Error("Slash commands do not work in threads. Write in the channel."));
    const [, name, rest] = /^(\/\S+)\s*([\s\S]*)$/.exec(text);
    return act(store.me, "command", { channel: target.channel, command: name, text: rest });
  }

  async function upload(picked) {
    if (picked.size > MAX_UPLOAD_BYTES) return toast(`“${picked.name}” is larger than 1 MB.`);
    const content = await picked.text();
    if (content.includes("\u0000")) return toast(`“${picked.name}” is not a text file.`);
    return attempt(act(store.me, "upload", { channel: target.channel, ...(target.thread ? { thread_ts: target.thread } : {}), name: picked.name, content }));
  }

  function findNames() {
    const before = input.value.slice(0, input.selectionStart);
    const slash = !inThread && /^\/[a-z-]*$/.test(before) && before !== COMMAND ? before : null;
    const word = /(?:^|\s)@([\w.-]*)$/.exec(before)?.[1];
    if (slash !== null) {
      matches = COMMAND.startsWith(slash) ? [{ name: COMMAND, about: "Ask the agent from the channel", insert: `${COMMAND} `, from: 0 }] : [];
    } else if (word !== undefined) {
      const wanted = word.toLowerCase();
      const from = before.length - word.length - 1;
      const all = [{ name: store.bot.name, about: "the agent" }, ...store.people.map((one) => ({ name: one.name, about: one.real_name }))];
      matches = all.filter((one) => one.name.toLowerCase().startsWith(wanted) || one.about?.toLowerCase().startsWith(wanted)).slice(0, 8).map((one) => ({ ...one, name: `@${one.name}`, insert: `@${one.name} `, from }));
    } else {
      matches = [];
    }
    chosen = 0;
    drawNames();
  }

  function drawNames() {
    names.hidden = matches.length === 0;
    input.setAttribute("aria-expanded", String(matches.length > 0));
    names.replaceChildren(
      ...matches.map((match, index) => {
        const option = h("div", { class: "name-option", id: `names-${id}-${index}`, role: "option", "aria-selected": String(index === chosen) }, h("strong", { text: match.name }), h("span", { text: match.about ?? "" }));
        option.addEventListener("pointerdown", (event) => {
          event.preventDefault();
          take(index);
        });
        return option;
      }),
    );
    if (matches.length > 0) input.setAttribute("aria-activedescendant", `names-${id}-${chosen}`);
    else input.removeAttribute("aria-activedescendant");
  }

  function take(index) {
    const match = matches[index];
    const caret = input.selectionStart;
    const text = input.value.slice(0, match.from) + match.insert + input.value.slice(caret).replace(/^ /, "");
    setText(text);
    input.setSelectionRange(match.from + match.insert.length, match.from + match.insert.length);
    closeNames();
    input.focus();
  }

  function closeNames() {
    matches = [];
    drawNames();
  }

  input.addEventListener("input", () => {
    keepDraft(target.channel, target.thread, input.value);
    grow();
    findNames();
  });
  input.addEventListener("blur", closeNames);
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (matches.length > 0) {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        chosen = (chosen + (event.key === "ArrowDown" ? 1 : matches.length - 1)) % matches.length;
        return drawNames();
      }
      if (event.key === "Enter" || event.key === "Tab") {
        event.preventDefault();
        return take(chosen);
      }
      if (event.key === "Escape") {
        event.preventDefault();
        event.stopPropagation();
        return closeNames();
      }
    }
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      submit();
    }
    return undefined;
  });
  send.addEventListener("click", submit);
  clip.addEventListener("click", () => file.click());
  file.addEventListener("change", async () => {
    for (const picked of file.files) await upload(picked);
    file.value = "";
  });
  at.addEventListener("click", () => {
    input.focus();
    const spaced = input.value === "" || /\s$/.test(input.value);
    setText(`${input.value}${spaced ? "" : " "}@`);
    findNames();
  });

  /** Points the composer at a channel or thread; keeps what was being written elsewhere. */
  function update(channel, thread) {
    const where = channel ? (channel.kind === "im" ? store.bot.name : `#${channel.name}`) : "";
    input.placeholder = inThread ? "Reply…" : `Message ${where}`;
    input.setAttribute("aria-label", inThread ? "Reply in thread" : `Message ${where}`);
    hint.textContent = person(store.me) ? `as ${person(store.me).name}` : "";
    if (target.channel === (channel?.id ?? null) && target.thread === thread && target.me === store.me) return;
    target = { channel: channel?.id ?? null, thread, me: store.me };
    input.value = draft(target.channel, thread);
    closeNames();
    grow();
  }

  return { root: box, update, focus: () => input.focus() };
}
