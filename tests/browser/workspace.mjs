// The workspace without the bot: the test plays the app through the Web API and looks at what the
// page draws: a stream that grows and ends, blocks of every kind, private lines, a modal, statuses.

import { equal, ensure, until, writes, goTo } from "./harness.mjs";

const plain = (text) => ({ type: "plain_text", text });
const marked = (text) => ({ type: "mrkdwn", text });

const KIT = [
  { type: "header", text: plain("Every block") },
  { type: "section", text: marked("*bold* and `code` <https://example.com|a link>"), fields: [marked("*Left*\none"), marked("*Right*\ntwo")] },
  { type: "divider" },
  { type: "markdown", text: "## Table\n\n| a | b |\n|---|---|\n| 1 | **2** |\n\n```python\nprint('<script>')\n```\n\n- [x] done\n- [ ] open\n\n[bad](javascript:alert(1)) <script>alert(1)</script>" },
  { type: "context", elements: [marked("42 s · 6 steps")] },
  { type: "actions", block_id: "kit", elements: [{ type: "button", action_id: "open_modal", text: plain("Open a modal"), style: "primary", value: "1" }, { type: "button", action_id: "sure", text: plain("Ask first"), style: "danger", value: "2", confirm: { title: plain("Really?"), text: marked("It is *final*."), confirm: plain("Yes"), deny: plain("No") } }] },
  { type: "context_actions", elements: [{ type: "feedback_buttons", action_id: "feedback", positive_button: { text: plain("Good"), value: "good" }, negative_button: { text: plain("Bad"), value: "bad" } }] },
];

const MODAL = {
  type: "modal",
  title: plain("A form"),
  submit: plain("Send"),
  close: plain("Back"),
  blocks: [
    { type: "input", block_id: "why", label: plain("Reason"), element: { type: "plain_text_input", action_id: "text", multiline: true } },
    { type: "input", block_id: "pick", optional: true, label: plain("Hardware"), element: { type: "static_select", action_id: "one", options: [{ text: plain("CPU"), value: "cpu" }] } },
    { type: "input", block_id: "also", optional: true, label: plain("Also"), element: { type: "checkboxes", action_id: "some", options: [{ text: plain("Tell me"), value: "tell" }] } },
    { type: "input", block_id: "how", optional: true, label: plain("How"), element: { type: "radio_buttons", action_id: "one", options: [{ text: plain("Once"), value: "once" }] } },
  ],
};

function webApi(info) {
  const base = info.api_url ?? info.api_base ?? info.api ?? `${new URL(info.url ?? info.page_url).origin}/api/`;
  const token = info.bot_token ?? info.tokens?.bot;
  return async (method, args) => {
    const response = await fetch(`${base.replace(/\/?$/, "/")}${method}`, {
      method: "POST",
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json; charset=utf-8" },
      body: JSON.stringify(args),
    });
    const answer = await response.json();
    ensure(answer.ok, `${method}: ${answer.error} ${JSON.stringify(answer.response_metadata ?? "")}`);
    return answer;
  };
}

export async function workspaceStory({ check, shot, origin, token }, alice, info) {
  const call = webApi(info);
  const state = await (await fetch(`${origin}/playground/state`, { headers: { Authorization: `Bearer ${token}` } })).json();
  const channel = state.channels.find((candidate) => candidate.name === "ml-experiments").id;
  const me = state.people.find((person) => person.name === "alice").id;
  await goTo(alice, "ml-experiments");
  const root = await (await writes(alice, "@ml-intern how good is it?")).getAttribute("data-ts");
  const pane = alice.getByTestId("thread-pane");
  const rowOf = (ts) => pane.locator(`[data-testid="message"][data-ts="${ts}"]`);

  await check("a stream grows, its tasks turn, and nothing moves once it has ended", async () => {
    const { ts } = await call("chat.startStream", { channel, thread_ts: root, recipient_user_id: me, recipient_team_id: state.team.id, task_display_mode: "plan", chunks: [{ type: "markdown_text", text: "I look " }] });
    await alice.locator(`[data-testid="thread-summary"][data-ts="${root}"]`).click();
    await rowOf(ts).getByTestId("stream-cursor").waitFor();
    await call("chat.appendStream", { channel, ts, chunks: [{ type: "plan_update", title: "The plan" }, { type: "task_update", id: "1", title: "Train", status: "in_progress" }, { type: "task_update", id: "2", title: "Report", status: "pending" }, { type: "markdown_text", text: "at **the data**." }] });
    await rowOf(ts).locator("strong", { hasText: "the data" }).waitFor();
    await rowOf(ts).getByTestId("spinner").first().waitFor();
    await shot(alice, "streaming");
    await call("chat.appendStream", { channel, ts, chunks: [{ type: "task_update", id: "1", title: "Train", status: "complete", output: "loss 0.31" }] });
    await call("chat.stopStream", { channel, ts });
    await rowOf(ts).getByTestId("stream-cursor").waitFor({ state: "detached" });
    equal(await pane.getByTestId("spinner").count(), 0, "spinners");
  }, alice);
  let kit = null;
  await check("blocks are drawn, hostile Markdown stays text", async () => {
    kit = (await call("chat.postMessage", { channel, thread_ts: root, text: "kit", blocks: KIT })).ts;
    const row = rowOf(kit);
    await row.waitFor();
    equal(await row.getByTestId("unknown").count(), 0, "unknown blocks");
    equal(await row.locator("table.table td").allTextContents(), ["1", "2"], "table cells");
    equal(await row.locator(".codebox-lang").textContent(), "python", "language");
    equal(await row.locator('a[href^="javascript"]').count(), 0, "javascript links");
    equal(await row.locator(".taskbox").count(), 2, "task boxes");
    await shot(alice, "blocks");
  }, alice);
  await check("a dangerous button asks first", async () => {
    await rowOf(kit).getByRole("button", { name: "Ask first" }).click();
    await alice.getByText("It is final.").waitFor();
    await alice.keyboard.press("Escape");
    await alice.getByTestId("confirm").waitFor({ state: "detached" });
  }, alice);
  await check("a click's trigger opens a modal; it holds the focus and wants its fields", async () => {
    const [answer] = await Promise.all([
      alice.waitForResponse((response) => response.url().endsWith("/playground/act") && response.request().postData().includes("open_modal")),
      rowOf(kit).getByRole("button", { name: "Open a modal" }).click(),
    ]);
    await call("views.open", { trigger_id: (await answer.json()).trigger_id, view: MODAL });
    const modal = alice.getByTestId("modal");
    await modal.waitFor();
    await modal.getByTestId("modal-submit").click();
    await modal.getByTestId("modal-error").first().waitFor();
    for (let step = 0; step < 12; step += 1) {
      await alice.keyboard.press("Tab");
      ensure(await alice.evaluate(() => document.querySelector('[data-testid="modal"]').contains(document.activeElement)), "the focus stays inside");
    }
    await shot(alice, "modal");
    await alice.keyboard.press("Escape");
    await modal.waitFor({ state: "detached" });
  }, alice);
  await check("a private line is seen by its person only", async () => {
    await call("chat.postEphemeral", { channel, thread_ts: root, user: me, text: "between us" });
    await pane.getByText("between us").waitFor();
    await alice.locator('[data-testid="person"][data-name="bob"]').click();
    await until(async () => (await alice.getByText("between us").count()) === 0, "the private line to go");
    await alice.locator('[data-testid="person"][data-name="alice"]').click();
    await pane.getByText("between us").waitFor();
  }, alice);
  await check("the session's status stands under the thread and goes", async () => {
    await call("assistant.threads.setStatus", { channel_id: channel, thread_ts: root, status: "is reading…", loading_messages: ["Turning pages"] });
    await pane.getByTestId("status-line").getByText("Turning pages").waitFor();
    await shot(alice, "status");
    await call("assistant.threads.setStatus", { channel_id: channel, thread_ts: root, status: "" });
    await pane.getByTestId("status-line").waitFor({ state: "hidden" });
  }, alice);
  return root;
}
