// @slack/bolt and @slack/web-api, unchanged, against a running playground.
//
// Usage: node check_bolt.mjs CARD, where CARD is a file with the JSON line of `ml-intern playground
// --no-bot --json` (or standard input). Prints `N passed, N failed`.

import { readFileSync } from "node:fs";
import bolt from "@slack/bolt";
import { WebClient } from "@slack/web-api";

const card = JSON.parse(readFileSync(process.argv[2] ?? 0, "utf8"));
const slackApiUrl = `${card.api_url}/`;
let passed = 0;
let failed = 0;

function check(what, held, seen) {
  if (held) passed += 1;
  else {
    failed += 1;
    console.log(`FAILED: ${what}${seen === undefined ? "" : `: ${JSON.stringify(seen)}`}`);
  }
}

async function control(path, body) {
  const headers = { authorization: `Bearer ${card.control_token}`, "content-type": "application/json" };
  const answer = await fetch(card.url + path, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body) });
  return answer.json();
}

async function until(look, seconds = 10) {
  const end = Date.now() + seconds * 1000;
  while (Date.now() < end) {
    const found = await look();
    if (found) return found;
    await new Promise((done) => setTimeout(done, 50));
  }
  return undefined;
}

const state = await control("/playground/state");
const people = Object.fromEntries(state.people.map((it) => [it.name, it.id]));
const channel = state.channels.find((it) => it.name === "ml-experiments").id;
const act = async (name, kind, fields) => {
  const done = await control("/playground/act", { user: people[name], act: { act: kind, ...fields } });
  if (!done.ok) throw new Error(done.error);
  return done;
};
const shown = async () => (await control("/playground/state")).messages;

async function methods() {
  const web = new WebClient(card.bot_token, { slackApiUrl });
  check("auth.test", (await web.auth.test()).user_id === state.bot.user_id);
  const posted = await web.chat.postMessage({ channel, text: "from node", blocks: [{ type: "divider" }] });
  check("chat.postMessage", posted.message.text === "from node", posted.message);
  check("chat.update", (await web.chat.update({ channel, ts: posted.ts, text: "changed" })).ok);
  check("conversations.replies", (await web.conversations.replies({ channel, ts: posted.ts })).messages.length === 1);
  check("users.info", (await web.users.info({ user: people.bob })).user.name === "bob");
  await web.reactions.add({ channel, timestamp: posted.ts, name: "eyes" });
  const uploaded = await web.filesUploadV2({ channel_id: channel, thread_ts: posted.ts, filename: "a.txt", content: "hello" });
  const id = uploaded.files[0].files[0].id;
  check("files upload", (await web.files.info({ file: id })).file.size === 5);
  const stream = web.chatStream({ channel, thread_ts: posted.ts, recipient_team_id: state.team.id, recipient_user_id: people.alice });
  await stream.append({ markdown_text: "one " });
  const stopped = await stream.stop({ markdown_text: "two" });
  check("chat.*Stream", stopped.message.text === "one two", stopped.message);
  const refused = await web.chat.postMessage({ channel: "C404", text: "x" }).catch((error) => error.data.error);
  check("channel_not_found", refused === "channel_not_found", refused);
  await control("/playground/faults", { fault: { kind: "rate_limited", method: "chat.update", retry_after: 1, times: 1 } });
  const began = Date.now();
  await web.chat.update({ channel, ts: posted.ts, text: "again" });
  check("429 is waited out as Retry-After says", Date.now() - began >= 1000, Date.now() - began);
}

async function socket() {
  const quiet = { debug() {}, info() {}, warn() {}, error() {}, setLevel() {}, getLevel: () => "error", setName() {} };
  const app = new bolt.App({ token: card.bot_token, appToken: card.app_token, socketMode: true, clientOptions: { slackApiUrl }, logger: quiet });
  const heard = [];
  app.event("app_mention", async ({ event, say }) => {
    const button = { type: "button", action_id: "go", value: "7", text: { type: "plain_text", text: "Go" } };
    heard.push((await say({ text: "Shall I?", thread_ts: event.ts, blocks: [{ type: "actions", block_id: "ask", elements: [button] }] })).ts);
  });
  app.action("go", async ({ ack, body, client, action }) => {
    await ack();
    const element = { type: "plain_text_input", action_id: "a" };
    const blocks = [{ type: "input", block_id: "b", label: { type: "plain_text", text: "Reason" }, element }];
    const view = { type: "modal", callback_id: "why", title: { type: "plain_text", text: "Why" }, submit: { type: "plain_text", text: "Send" }, blocks };
    heard.push([action.value, (await client.views.open({ trigger_id: body.trigger_id, view })).view.id]);
  });
  app.view("why", async ({ ack, view }) => {
    await ack();
    heard.push(view.state.values.b.a.value);
  });
  app.command("/ml-intern", async ({ ack, command }) => ack(`heard ${command.text}`));
  await app.start();
  await act("alice", "say", { channel, text: "@ml-intern train, please" });
  const ts = await until(() => heard[0]);
  check("Bolt hears the mention and answers", (await shown()).some((it) => it.ts === ts), ts);
  await act("bob", "click", { channel, ts, block_id: "ask", action_id: "go" });
  const clicked = await until(() => heard[1]);
  check("a click brings its value", clicked?.[0] === "7", clicked);
  await act("bob", "submit", { view_id: clicked[1], values: { b: { a: { type: "plain_text_input", value: "because" } } } });
  check("a submission arrives", (await until(() => heard[2])) === "because", heard);
  const answer = await act("alice", "command", { channel, command: "/ml-intern", text: "status" });
  const said = answer.response?.text ?? answer.response;
  check("a slash command is answered", said === "heard status", answer);
  await control("/playground/faults", { fault: { kind: "disconnect", reason: "refresh_requested" } });
  await new Promise((done) => setTimeout(done, 500));
  const before = heard.length;
  await act("alice", "say", { channel, text: "@ml-intern still there?" });
  check("after a refresh it is connected again", await until(() => heard.length > before, 15));
  await app.stop();
}

await methods();
await socket();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed || !passed ? 1 : 0);
