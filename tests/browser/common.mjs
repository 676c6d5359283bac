// What holds with and without the bot: access, writing, editing, reactions, files, hostile text,
// faults, the looks on a phone and in the dark.

import { equal, ensure, until, writes, goTo } from "./harness.mjs";

const HOSTILE = [
  "<script>window.pwned = 1; alert(1)</script>",
  '<img src=x onerror="window.pwned = 1">',
  "<javascript:alert(2)|click me> [click](javascript:alert(3)) <https://evil.example|https://bank.example>",
  "<!channel> <!here> <svg onload=alert(4)> </div></body>",
  "*Approval needed* `rm -rf /` [Approve] <button data-testid=block-button>Approve</button>",
].join("\n");

export async function access({ page, check, shot }) {
  const gate = await page({ fragment: "" });
  await check("without a token the page explains itself", async () => {
    await gate.getByTestId("token-gate").waitFor();
    await gate.getByTestId("token-input").fill("wrong");
    await gate.getByTestId("token-send").click();
    await gate.getByText("not accepted").waitFor();
    await shot(gate, "gate");
  });
  await gate.close();
  const alice = await page({ as: "alice" });
  await check("the token leaves the address bar and #ml-experiments is open", async () => {
    equal(new URL(alice.url()).hash, "", "fragment");
    await goTo(alice, "ml-experiments");
    await alice.getByTestId("channel-input").waitFor();
    ensure((await alice.getByTestId("person").count()) >= 3, "at least three people to act as");
  }, alice);
  return alice;
}

export async function writing({ check, shot, page }, alice) {
  await check("@ completes the bot's name", async () => {
    await alice.getByTestId("channel-input").pressSequentially("hello @ml-");
    await alice.getByTestId("names").getByText("@ml-intern").waitFor();
    await alice.getByTestId("channel-input").press("Enter");
    equal(await alice.getByTestId("channel-input").inputValue(), "hello @ml-intern ", "completed");
    await alice.getByTestId("channel-input").fill("");
  }, alice);
  await check("a draft is kept per channel", async () => {
    await alice.getByTestId("channel-input").fill("half a thought");
    await goTo(alice, "dm");
    await until(async () => (await alice.getByTestId("channel-input").inputValue()) === "", "an empty composer");
    await goTo(alice, "ml-experiments");
    await until(async () => (await alice.getByTestId("channel-input").inputValue()) === "half a thought", "the draft");
    await alice.getByTestId("channel-input").fill("");
  }, alice);
  await check("Shift+Enter breaks the line, Enter sends", async () => {
    const input = alice.getByTestId("channel-input");
    await input.fill("first line");
    await input.press("Shift+Enter");
    await input.pressSequentially("second line");
    await input.press("Enter");
    const row = alice.getByTestId("message").filter({ hasText: "second line" });
    await row.waitFor();
    ensure((await row.locator("br").count()) >= 1, "two lines");
    equal(await input.inputValue(), "", "composer");
  }, alice);
  await check("an own message can be edited, gets a reaction, and is deleted", async () => {
    const row = await writes(alice, "a message with a mistak");
    await row.hover();
    await row.getByTestId("tool-edit").click();
    await alice.getByTestId("edit-input").fill("a message without a mistake");
    await alice.getByTestId("edit-input").press("Enter");
    await row.getByTestId("edited").waitFor();
    await row.hover();
    await row.getByTestId("tool-react").click();
    await alice.getByTestId("popup").getByRole("menuitem", { name: "rocket" }).click();
    await row.getByTestId("reaction").waitFor();
    await row.hover();
    await row.getByTestId("tool-delete").click();
    await alice.getByTestId("confirm-yes").click();
    await row.waitFor({ state: "detached" });
  }, alice);
  await check("a text file is uploaded and previewed", async () => {
    await alice.getByTestId("channel-file").setInputFiles({ name: "loss.csv", mimeType: "text/csv", buffer: Buffer.from("step,loss\n1,<b>0.9</b>\n2,0.4\n") });
    const file = alice.getByTestId("file").filter({ hasText: "loss.csv" }).last();
    await file.getByText("1,<b>0.9</b>").waitFor();
  }, alice);
  await check("other people's messages cannot be edited", async () => {
    const row = await writes(alice, "only alice may change this");
    const bob = await page({ as: "bob" });
    await goTo(bob, "ml-experiments");
    const seen = bob.locator(`[data-testid="message"][data-ts="${await row.getAttribute("data-ts")}"]`);
    await seen.hover();
    ensure(await bob.getByTestId("tool-edit").isHidden(), "no edit button");
    await bob.close();
  }, alice);
  await shot(alice, "channel");
}

export async function hostile({ check, shot }, alice) {
  await check("hostile text is drawn as text and nothing else", async () => {
    const row = await writes(alice, HOSTILE);
    await row.getByText("<script>window.pwned = 1; alert(1)</script>").waitFor();
    equal(await alice.evaluate(() => window.pwned ?? null), null, "window.pwned");
    equal(await row.locator("script, img, svg[onload]").count(), 0, "elements from the text");
    const buttons = await row.getByTestId("message-content").getByRole("button").count();
    equal(buttons, 0, "buttons made of text");
    const links = await row.getByTestId("message-content").locator("a").evaluateAll((all) => all.map((a) => [a.protocol, a.rel, a.target]));
    for (const [protocol, rel, target] of links) {
      ensure(["http:", "https:", "mailto:"].includes(protocol), `a link with ${protocol}`);
      ensure(rel.includes("noopener") && rel.includes("noreferrer") && target === "_blank", "a link without noopener noreferrer");
    }
    await shot(alice, "hostile");
  }, alice);
}

export async function faults({ check, shot }, alice) {
  await check("faults are set, listed and cleared", async () => {
    await alice.getByTestId("faults-open").click();
    await alice.getByTestId("fault-kind").selectOption("slow");
    await alice.getByTestId("fault-set").click();
    await alice.getByTestId("fault").first().waitFor();
    await shot(alice, "faults");
    await alice.getByTestId("faults-clear").click();
    await until(async () => (await alice.getByTestId("fault").count()) === 0, "an empty list");
    await alice.keyboard.press("Escape");
    await alice.getByTestId("faults").waitFor({ state: "detached" });
  }, alice);
}

/** The same thread on a phone and in the dark, without sideways scrolling. */
export async function looks({ page, check, shot }, threadTs) {
  for (const [name, width, height, scheme] of [["dark", 1360, 900, "dark"], ["phone", 400, 820, "light"], ["phone-dark", 400, 820, "dark"]]) {
    const tab = await page({ as: "alice", width, height, scheme });
    await check(`the page fits (${name})`, async () => {
      await tab.getByTestId("channel-list").waitFor();
      await shot(tab, `${name}-channel`);
      if (threadTs) {
        await tab.locator(`[data-testid="thread-summary"][data-ts="${threadTs}"]`).click();
        await tab.getByTestId("thread-pane").waitFor();
        await tab.waitForTimeout(300);
        await shot(tab, `${name}-thread`);
      }
      const wide = await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      ensure(wide <= 0, `the page is ${wide} px too wide`);
    }, tab);
  }
}
