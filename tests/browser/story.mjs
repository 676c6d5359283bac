// The story with the bot: a mention, the approval by the right person, the answer; edit; reject. Works
// with the demonstration model and with a real one.

import { equal, ensure, until, writes, goTo } from "./harness.mjs";

const ASK = "@ml-intern fine-tune a tiny classifier and tell me how good it gets";
const ASK_ENGINEER = "@ml-intern learn to tell the reviews on our Hub apart, and say how good it gets";
const CARD_MS = 90_000;
const END_MS = 180_000;
const EDIT_MARK = "edited in the page";

/** A click, and the confirmation that some buttons ask for. */
async function press(tab, button) {
  await button.click();
  const sure = tab.getByTestId("confirm-yes");
  const asked = await sure.waitFor({ timeout: 1_000 }).then(() => true, () => false);
  if (asked) await sure.click();
}

const threadPane = (tab) => tab.getByTestId("thread-pane");
const buttons = (tab, name) => threadPane(tab).getByRole("button", { name, exact: true });

/** Writes the question and opens its thread; answers the root's ts. */
async function ask(tab, words = ASK) {
  const row = await writes(tab, words);
  const ts = await row.getAttribute("data-ts");
  await tab.locator(`[data-testid="thread-summary"][data-ts="${ts}"]`).click({ timeout: CARD_MS });
  await threadPane(tab).waitFor();
  return ts;
}

async function card(tab) {
  const approve = buttons(tab, "Approve").first();
  await approve.waitFor({ timeout: CARD_MS });
  const row = threadPane(tab).getByTestId("message").filter({ has: tab.getByRole("button", { name: "Approve", exact: true }) }).first();
  return threadPane(tab).locator(`[data-testid="message"][data-ts="${await row.getAttribute("data-ts")}"]`);
}

const stands = async (tab) =>
  (await threadPane(tab).getByTestId("feedback").count()) > 0 &&
  (await threadPane(tab).getByTestId("stream-cursor").count()) === 0 &&
  (await threadPane(tab).getByTestId("spinner").count()) === 0 &&
  (await threadPane(tab).getByTestId("status-line").isHidden());

/** Approves whatever is asked until the final answer stands; answers how often. */
async function approveUntilDone(tab, label) {
  let times = 0;
  const end = Date.now() + END_MS;
  while (Date.now() < end) {
    const wanted = buttons(tab, label).first();
    // Not every call can be allowed for a whole session.
    const next = (await wanted.isVisible()) ? wanted : buttons(tab, "Approve").first();
    if (await next.isVisible()) {
      const element = await next.elementHandle();
      await press(tab, next).catch(() => {});
      times += 1;
      await until(async () => !(await element.isVisible().catch(() => false)), "the card to lose its buttons", 30_000);
    } else if (await stands(tab)) {
      return times;
    }
    await tab.waitForTimeout(150);
  }
  throw new Error(`no final answer within ${END_MS / 1000} s`);
}

async function nothingTurns(tab) {
  equal(await tab.getByTestId("spinner").count(), 0, "spinners");
  equal(await tab.getByTestId("stream-cursor").count(), 0, "streaming cursors");
  equal(await tab.locator('[data-testid="message"][data-streaming="true"]').count(), 0, "streaming messages");
  ensure(await threadPane(tab).getByTestId("status-line").isHidden(), "the status line is gone");
}

export async function approveStory({ page, check, shot }, alice, nonApprover) {
  let root = null;
  await goTo(alice, "ml-experiments");
  await check("a mention opens a thread and an approval is asked", async () => {
    root = await ask(alice);
    await card(alice);
    for (const name of ["Approve", "Approve for this session", "Edit", "Reject"]) ensure(await buttons(alice, name).first().isVisible(), `button “${name}”`);
    await shot(alice, "approval");
  }, alice);
  if (!root) return null;
  if (nonApprover) {
    await check(`${nonApprover} may not approve and is told so privately`, async () => {
      const other = await page({ as: nonApprover });
      await goTo(other, "ml-experiments");
      await other.locator(`[data-testid="thread-summary"][data-ts="${root}"]`).click();
      await press(other, buttons(other, "Approve").first());
      await other.getByTestId("ephemeral").first().waitFor();
      await shot(other, "not-an-approver");
      ensure(await buttons(alice, "Approve").first().isVisible(), "the card still waits");
      equal(await alice.getByTestId("ephemeral").count(), 0, "private lines that alice sees");
    }, alice);
  }
  await check("Approve leads to the final answer with a table and feedback buttons", async () => {
    const times = await approveUntilDone(alice, "Approve");
    ensure(times >= 1, "at least one approval");
    const last = threadPane(alice).getByTestId("message").filter({ has: alice.getByTestId("feedback") }).last();
    ensure((await threadPane(alice).locator("table.table").count()) > 0, "a table in the thread");
    ensure((await last.locator(".context").count()) > 0, "a footer");
    await shot(alice, "answer");
  }, alice);
  await check("nothing is left turning and feedback can be given", async () => {
    await nothingTurns(alice);
    const good = threadPane(alice).getByTestId("feedback-positive").last();
    await good.click();
    await until(async () => (await good.getAttribute("aria-pressed")) === "true", "the mark of the feedback");
    await shot(alice, "thread");
  }, alice);
  return root;
}

/** The long way: papers, data, a sandbox, a job that trains, a job that measures. Real runs, about a minute. */
export async function engineerStory({ check, shot }, alice) {
  await check("from papers to a trained and measured model, with a card and a picture of the job", async () => {
    await ask(alice, ASK_ENGINEER);
    await card(alice);
    const times = await approveUntilDone(alice, "Approve");
    ensure(times >= 4, `a sandbox, a trial and two jobs are asked about, not ${times}`);
    const text = await threadPane(alice).textContent();
    for (const words of ["Trained and measured", "eval_accuracy", "Approved by: "]) ensure(text.includes(words), `“${words}” in the thread`);
    ensure((await threadPane(alice).getByTestId("picture").count()) > 0, "a picture of the training");
    await until(async () => (await threadPane(alice).getByTestId("picture").first().evaluate((image) => image.naturalWidth)) > 0, "the picture to be drawn");
    equal(await buttons(alice, "Stop job").count(), 0, "buttons of jobs that have ended");
    await nothingTurns(alice);
    await shot(alice, "engineer");
  }, alice);
}

/** The sandbox that the demonstration works in is asked about first. */
async function pastSandbox(tab) {
  const row = await card(tab);
  if (!(await row.innerText()).includes("sandbox_create")) return row;
  await press(tab, row.getByRole("button", { name: "Approve", exact: true }));
  await until(async () => (await row.getByRole("button", { name: "Approve", exact: true }).count()) === 0, "the sandbox to be decided", 30_000);
  return card(tab);
}

export async function editStory({ check, shot }, alice) {
  await check("an edited command is what runs", async () => {
    await ask(alice);
    const row = await pastSandbox(alice);
    await row.getByRole("button", { name: "Edit", exact: true }).click();
    await alice.getByTestId("modal").waitFor();
    const field = alice.locator('[data-testid="modal"] textarea, [data-testid="modal"] input[type="text"]').first();
    await field.fill(edited(await field.inputValue()));
    await shot(alice, "edit-modal");
    await alice.getByTestId("modal-submit").click();
    await alice.getByTestId("modal").waitFor({ state: "detached" });
    await until(async () => (await row.getByRole("button", { name: "Approve", exact: true }).count()) === 0 || (await row.innerText()).includes(EDIT_MARK), "the card to be decided");
    await approveUntilDone(alice, "Approve for this session");
    ensure((await threadPane(alice).textContent()).includes(EDIT_MARK), "the edited command in the thread");
    await nothingTurns(alice);
  }, alice);
}

/** A shell comment at the end: the command does the same and shows that it was edited. */
function edited(value) {
  try {
    const args = JSON.parse(value);
    if (args && typeof args.command === "string") return JSON.stringify({ ...args, command: `${args.command}\n# ${EDIT_MARK}` }, null, 2);
  } catch {
    // Not JSON: the command itself.
  }
  return `${value}\n# ${EDIT_MARK}`;
}

export async function rejectStory({ check, shot }, alice) {
  await check("a rejection with its reason is on the card, and the thread ends", async () => {
    await ask(alice);
    const row = await pastSandbox(alice);
    await row.getByRole("button", { name: "Reject", exact: true }).click();
    await alice.getByTestId("modal").waitFor();
    await alice.locator('[data-testid="modal"] textarea, [data-testid="modal"] input[type="text"]').first().fill("the data set is not cleaned yet");
    await shot(alice, "reject-modal");
    await alice.getByTestId("modal-submit").click();
    await alice.getByTestId("modal").waitFor({ state: "detached" });
    await until(async () => (await row.getByTestId("block-button").count()) === 0, "the card to lose its buttons", 30_000);
    await until(async () => (await threadPane(alice).textContent()).includes("the data set is not cleaned yet"), "the reason in the thread", 30_000);
    const end = Date.now() + END_MS;
    while (!(await threadPane(alice).getByTestId("status-line").isHidden()) || (await buttons(alice, "Reject").count()) > 0) {
      ensure(Date.now() < end, "the thread to end");
      // A model may ask for something else instead; that is refused as well.
      const again = buttons(alice, "Reject").first();
      if (await again.isVisible()) {
        await again.click();
        await alice.locator('[data-testid="modal"] textarea').first().fill("no, thank you");
        await alice.getByTestId("modal-submit").click();
      }
      await alice.waitForTimeout(300);
    }
    await nothingTurns(alice);
    await shot(alice, "rejected");
  }, alice);
}
