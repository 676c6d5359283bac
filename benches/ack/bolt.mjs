// Bolt for JavaScript on its HTTP receiver: takes every message and does nothing.

import { createRequire } from "node:module";

const bolt = createRequire(process.env.BENCH_MODULES)("@slack/bolt");
const quiet = { debug() {}, info() {}, warn() {}, error: console.error, setLevel() {}, getLevel: () => "error", setName() {} };
const app = new bolt.App({
  token: process.env.BENCH_BOT_TOKEN,
  signingSecret: process.env.BENCH_SIGNING_SECRET,
  clientOptions: { slackApiUrl: `${process.env.BENCH_API_URL}/` },
  logger: quiet,
});
app.event("message", async () => {});
await app.start({ port: Number(process.env.BENCH_PORT), host: "127.0.0.1" });
